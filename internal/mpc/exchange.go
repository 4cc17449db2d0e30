package mpc

import (
	"bytes"
	"errors"
	"fmt"
)

// Expect returns the number of bytes that the next step takes from each party,
// 0 where it takes none. It is nil once the party has ended.
func (p *Party) Expect() []int {
	if p.failed != nil || p.done {
		return nil
	}
	sizes := make([]int, p.n)
	for j := range sizes {
		sizes[j] = p.expect(p.flight, j)
	}
	return sizes
}

// expect is the size of the frame of a flight from party j. Flight 0 has none.
func (p *Party) expect(flight, j int) int {
	if flight < firstFlight || flight > lastFlight {
		return 0
	}
	return p.size(flight, j, p.self)
}

// receive takes the frames of the last flight apart, verifies the echoes and
// ends F1, whose frames belong to pairs.
func (p *Party) receive(in [][]byte) error {
	f := p.flight
	if f == 0 {
		if in != nil {
			return errors.New("mpc: the first step takes no messages")
		}
		return nil
	}
	p.received = f
	if len(in) != p.n {
		return fmt.Errorf("mpc: messages of %d parties, not %d", len(in), p.n)
	}
	if p.seen[f] == nil {
		p.seen[f] = make([]*frame, p.n)
	}
	for j := range in {
		if j == p.self {
			if len(in[j]) > 0 {
				return errors.New("mpc: a message from oneself")
			}
			if p.seen[f][j] == nil { // nothing was sent
				p.seen[f][j] = new(frame)
			}
			continue
		}
		fr, err := p.parseFrame(f, j, p.self, in[j])
		if err != nil {
			return p.abort(j, err)
		}
		p.seen[f][j] = fr
		p.stats.Received[f] += len(in[j])
	}
	switch {
	case f == 1:
		return p.finishBase()
	case f == 2:
		p.bound[1] = p.frameHashes(func(j int) (int, int, *frame) { return j, p.self, p.seen[2][j] })
	case f > firstEchoed && f <= lastEchoed+1:
		return p.checkEchoes(f)
	}
	return nil
}

// drop lets go of a large field of a flight that has been used, in a way that the
// memory of its frames, which the other fields are slices of, is free.
func (p *Party) drop(flight int, f field) {
	for j, fr := range p.seen[flight] {
		if j == p.self || len(fr[f]) == 0 {
			continue
		}
		fr[f] = nil
		for k := range fr {
			fr[k] = bytes.Clone(fr[k])
		}
	}
}

// chunkSize bounds the pieces of a frame that are emitted.
const chunkSize = 64 << 10

// send emits the frames of the flight that has been made, and keeps the own
// part of its broadcasts.
func (p *Party) send(out outgoing, emit func(to int, chunk []byte) error) error {
	f := p.flight
	if f > lastFlight {
		return nil
	}
	if f == 2 {
		p.bound[0] = p.frameHashes(func(j int) (int, int, *frame) { return p.self, j, &out[j] })
	}
	for j := range out {
		size := p.size(f, p.self, j)
		if size == 0 {
			continue
		}
		p.keepOwn(f, &out[j])
		p.stats.Sent[f] += size
		if err := p.sendFrame(f, j, &out[j], emit); err == nil {
			continue
		} else if f < lastFlight {
			return err
		}
		p.unreached = append(p.unreached, j)
	}
	clear(p.left)
	return nil
}

// keepOwn keeps the own broadcasts of a flight, which are the same in each frame.
func (p *Party) keepOwn(f int, fr *frame) {
	if p.seen[f] == nil {
		p.seen[f] = make([]*frame, p.n)
	}
	if p.seen[f][p.self] != nil {
		return
	}
	own := new(frame)
	for _, e := range layout[f] {
		if e.broadcast {
			own[e.field] = fr[e.field]
		}
	}
	p.seen[f][p.self] = own
}

// ahead emits the head of a frame of the flight that is being made, and its first
// field, while the rest is not there yet. Who steps a party by hand (as cheats in tests
// do) sends whole frames.
func (p *Party) ahead(to int, first []byte) error {
	if p.emit == nil {
		return nil
	}
	p.left[to] = headerSize + len(first)
	if err := p.emit(to, p.header(p.flight, p.self, to)); err != nil {
		return err
	}
	return sendChunks(to, first, p.emit)
}

// large is the length from which on a field is emitted as it is, and not put together
// with its neighbours.
const large = 8 << 10

// sendFrame emits a frame, but for what has gone ahead.
func (p *Party) sendFrame(f, to int, fr *frame, emit func(to int, chunk []byte) error) error {
	var small []byte
	if p.left[to] == 0 {
		small = p.header(f, p.self, to)
	}
	for k, e := range layout[f] {
		b := fr[e.field]
		switch {
		case !e.on.include(p.self, to) || k == 0 && p.left[to] > 0:
		case len(b) < large:
			small = append(small, b...)
		default:
			if err := sendChunks(to, small, emit); err != nil {
				return err
			}
			small = nil
			if err := sendChunks(to, b, emit); err != nil {
				return err
			}
		}
	}
	return sendChunks(to, small, emit)
}

func sendChunks(to int, b []byte, emit func(to int, chunk []byte) error) error {
	for len(b) > 0 {
		n := min(len(b), chunkSize)
		if err := emit(to, b[:n:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
