package mpc

import (
	"bytes"
	"errors"
)

// headerSize is the length of what heads every frame:
// sid (32) ‖ flight (1) ‖ from (1) ‖ to (1) ‖ roster hash (32).
const headerSize = 32 + 3 + 32

// frame is the fields of one message; those that it does not have are empty.
type frame [fieldCount][]byte

func (m *params) header(flight, from, to int) []byte {
	h := make([]byte, 0, headerSize)
	h = append(h, m.sid[:]...)
	h = append(h, byte(flight), byte(from), byte(to))
	return append(h, m.roster[:]...)
}

var (
	errMissing    = errors.New("message missing")
	errUnexpected = errors.New("unexpected message")
	errLength     = errors.New("message of wrong length")
	errHeader     = errors.New("message of another session, flight, pair or roster")
)

// parseFrame takes a message apart. Its length is that which the public
// parameters give; the fields are slices of b.
func (m *params) parseFrame(flight, from, to int, b []byte) (*frame, error) {
	want := m.size(flight, from, to)
	switch {
	case want == 0 && len(b) > 0:
		return nil, errUnexpected
	case want > 0 && len(b) == 0:
		return nil, errMissing
	case len(b) != want:
		return nil, errLength
	}
	fr := new(frame)
	if want == 0 {
		return fr, nil
	}
	if !bytes.Equal(b[:headerSize], m.header(flight, from, to)) {
		return nil, errHeader
	}
	b = b[headerSize:]
	for _, e := range layout[flight] {
		if e.on.include(from, to) {
			n := e.size(m, from, to)
			fr[e.field], b = b[:n:n], b[n:]
		}
	}
	return fr, nil
}
