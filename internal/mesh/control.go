package mesh

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Sizes of what a control stream carries.
const (
	helloSize  = 24
	retireSize = 8
)

// hello opens a control stream.
type hello struct {
	instance [16]byte
	sequence uint64
}

// appendHello appends the hello as it travels.
func appendHello(dst []byte, h hello) []byte {
	dst = append(dst, h.instance[:]...)
	return binary.BigEndian.AppendUint64(dst, h.sequence)
}

// parseHello reads the hello that raw is.
func parseHello(raw []byte) (hello, error) {
	if len(raw) != helloSize {
		return hello{}, fmt.Errorf("%w: a hello of %d bytes", ErrGarbage, len(raw))
	}
	return hello{instance: [16]byte(raw), sequence: binary.BigEndian.Uint64(raw[16:])}, nil
}

// readHello reads a hello.
func readHello(r io.Reader) (hello, error) {
	var raw [helloSize]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return hello{}, cutShort(err)
	}
	return parseHello(raw[:])
}

// readRetire reads how many streams the peer has opened on the connection.
func readRetire(r io.Reader) (uint64, error) {
	var raw [retireSize]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return 0, cutShort(err)
	}
	return binary.BigEndian.Uint64(raw[:]), nil
}

// readEnd waits for the end of the control stream.
func readEnd(r io.Reader) error {
	var raw [1]byte
	switch _, err := io.ReadFull(r, raw[:]); {
	case err == nil:
		return fmt.Errorf("%w: more on the control stream", ErrGarbage)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// cutShort makes an early end of the control stream the peer's fault.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the control stream ends early", ErrGarbage)
	}
	return err
}
