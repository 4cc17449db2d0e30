package mesh

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxFrame is the longest frame that can be written or read, in bytes.
const MaxFrame = 64 << 20

const (
	frameHeader = 4
	// frameStep is how much of a frame is allocated ahead of its arrival: a peer
	// that announces a long frame has to send it to make us hold it.
	frameStep = 64 << 10
)

// WriteFrame writes a frame: its length in 4 bytes, big-endian, and p.
func (s *Stream) WriteFrame(p []byte) error { return writeFrame(s, p) }

// ReadFrame reads a frame of at most limit bytes. A longer one is
// ErrFrameTooLarge and resets the stream. It is io.EOF if the peer has ended
// its side between frames, and io.ErrUnexpectedEOF inside one.
func (s *Stream) ReadFrame(limit int) ([]byte, error) {
	p, err := readFrame(s, limit)
	if errors.Is(err, ErrFrameTooLarge) {
		s.Reset()
		return nil, &PeerError{s.Peer(), err}
	}
	return p, err
}

func writeFrame(w io.Writer, p []byte) error {
	if len(p) > MaxFrame {
		return fmt.Errorf("%w: %d bytes, at most %d can be sent", ErrFrameTooLarge, len(p), MaxFrame)
	}
	header := binary.BigEndian.AppendUint32(make([]byte, 0, frameHeader+min(len(p), frameStep)), uint32(len(p)))
	if len(p) <= frameStep { // one write, so that a short frame is one packet
		_, err := w.Write(append(header, p...))
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := w.Write(p)
	return err
}

func readFrame(r io.Reader, limit int) ([]byte, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[:])
	if limit = min(limit, MaxFrame); uint64(size) > uint64(max(limit, 0)) {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed here", ErrFrameTooLarge, size, max(limit, 0))
	}
	frame := make([]byte, 0, min(int(size), frameStep))
	for len(frame) < int(size) {
		if len(frame) == cap(frame) {
			grown := make([]byte, len(frame), min(int(size), 2*cap(frame)))
			copy(grown, frame)
			frame = grown
		}
		n, err := io.ReadFull(r, frame[len(frame):cap(frame)])
		frame = frame[:len(frame)+n]
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return frame, nil
}
