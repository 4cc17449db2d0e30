package mpc

import (
	"bytes"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// FuzzFrame: whatever arrives, parsing fails or encoding what was parsed gives
// the very bytes.
func FuzzFrame(f *testing.F) {
	m := &trial{name: "fuzz", fn: mpctest.RandomConditional(1, 3, 9, 8, 2), sets: dealt("fuzz", 0, 3)}
	m.wire = func(flight, from, to int, frame []byte) []mpctest.Delivery {
		f.Add(byte(flight), byte(from), byte(to), frame)
		f.Add(byte(flight), byte(to), byte(from), frame)
		f.Add(byte(flight), byte(from), byte(to), frame[:headerSize])
		return []mpctest.Delivery{{Frame: frame}}
	}
	m.run(f)
	parties := (&trial{name: "fuzz", fn: m.fn, sets: dealt("fuzz", 0, 3)}).start(f)
	f.Fuzz(func(t *testing.T, flight, from, to byte, b []byte) {
		flight, from, to = 1+flight%lastFlight, from%3, to%3
		if from == to {
			return
		}
		p := parties[to]
		fr, err := p.parseFrame(int(flight), int(from), int(to), b)
		if err != nil {
			return
		}
		if len(b) == 0 && p.size(int(flight), int(from), int(to)) == 0 {
			return // nothing, where nothing is expected
		}
		var again []byte
		_ = parties[from].sendFrame(int(flight), int(to), fr, func(_ int, chunk []byte) error { // fails only if that does
			again = append(again, chunk...)
			return nil
		})
		if !bytes.Equal(again, b) {
			t.Fatalf("parsed and encoded: %d bytes became %d", len(b), len(again))
		}
	})
}

// FuzzStep: a party that gets anything at all in place of a frame fails, or
// goes on as if nothing had happened because the bytes were the right ones.
func FuzzStep(f *testing.F) {
	f.Add(byte(3), byte(0), []byte{1, 2, 3})
	f.Add(byte(5), byte(2), bytes.Repeat([]byte{0xff}, 4000))
	f.Add(byte(9), byte(0), []byte{})
	f.Add(byte(8), byte(1), bytes.Repeat([]byte{0}, 100))
	f.Fuzz(func(t *testing.T, flight, from byte, b []byte) {
		flight, from = 2+flight%8, from%3
		m := &trial{name: "fuzz step", fn: mpctest.RandomConditional(1, 3, 9, 8, 2), sets: dealt("fuzz step", 0, 3)}
		m.cheats = map[int]*cheat{int(from): {}}
		m.wire = func(fl, fr, _ int, frame []byte) []mpctest.Delivery {
			if fl == int(flight) && fr == int(from) {
				forged := bytes.Clone(frame)
				copy(forged[headerSize:], b) // the header is right, so that it comes far
				frame = forged
			}
			return []mpctest.Delivery{{Frame: frame}}
		}
		parties, res := m.run(t)
		k := kind{seen: map[string]bool{}}
		k.judge(t, m, parties, res, 0)
	})
}
