package mpc

import (
	"errors"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// echoed proves that every peer saw the broadcasts of a flight as this party
// did.
type echoed struct {
	sid    *[32]byte
	flight int
}

// coinTossed proves that every peer opened its commitment to the coin.
type coinTossed struct{ sid *[32]byte }

// clearance collects the proof of every check that a party makes before
// anything leaves it that depends on inputs and could be unmasked. Each proof
// has a type of its own whose values only its check can make; a zero proof is
// one of no session.
type clearance struct {
	extended  auth.Extended    // COT in regions A and B; F3
	rows      triple.RowsMatch // leaky rows as broadcast; F4
	coin      coinTossed       // F5
	sameDelta auth.SameDelta   // z; F6
	verified  triple.Verified  // α; F7
	opened    auth.Opened      // MACs of e, f, g; F7
	echoes    [lastFlight]echoed
}

// The flights whose broadcasts are echoed, in the next one.
const (
	firstEchoed = 2
	lastEchoed  = 6
)

// What is opened with MACs: the bits that make triples of leaky ANDs, and the
// shares of the masks of outputs of either class.
const (
	openedTriples   = "e f g"
	openedMasks     = "output masks"
	openedDisclosed = "masks of conditional outputs"
)

// released is what the functions that hand out s_w, active labels and shares of
// λ_out ask for. Only open makes one.
type released struct{ sid *[32]byte }

var errGate = errors.New("mpc: release gate: a check is missing")

func (c *clearance) open(sid [32]byte) (released, error) {
	ok := c.extended.Of(sid) && c.rows.Of(sid) && c.coin.of(sid) && c.sameDelta.Of(sid) && c.verified.Of(sid) && c.opened.Of(sid, openedTriples)
	for f := firstEchoed; f <= lastEchoed; f++ {
		ok = ok && c.echoes[f].of(sid, f)
	}
	if !ok {
		return released{}, errGate
	}
	return released{&sid}, nil
}

// resultReleased is what party 0 needs beside to hand out its part of F9: its
// evaluation was right, and so were the MACs of its own outputs.
type resultReleased struct{ sid *[32]byte }

func (r released) result(sid [32]byte, held inputsHeld, e *garble.Evaluation, outputs auth.Opened) (resultReleased, error) {
	if r.sid == nil || *r.sid != sid || !held.of(sid) || !e.Of(sid) || !outputs.Of(sid, openedMasks) {
		return resultReleased{}, errGate
	}
	return resultReleased{&sid}, nil
}

func (e echoed) of(sid [32]byte, flight int) bool {
	return e.sid != nil && *e.sid == sid && e.flight == flight
}

func (c coinTossed) of(sid [32]byte) bool { return c.sid != nil && *c.sid == sid }

// echo hashes everything that was broadcast in a flight, in party order, the
// own part included.
func (p *Party) echo(flight int) [digest]byte {
	parts := [][]byte{p.sid[:], {byte(flight)}}
	for _, fr := range p.seen[flight] {
		for _, e := range layout[flight] {
			if e.broadcast {
				parts = append(parts, fr[e.field])
			}
		}
	}
	return oracle.Sum("echo", parts...)
}

// checkEchoes compares what every peer says of the last flight's broadcasts
// with what arrived here. If they differ, somebody told two parties two things,
// or lies about it: nobody can be blamed.
func (p *Party) checkEchoes(flight int) error {
	last := flight - 1
	for j, fr := range p.seen[flight] {
		if j != p.self && [digest]byte(fr[fEcho]) != p.echoes[last] {
			return p.abortf(unknown, "parties saw different broadcasts in flight %d", last)
		}
	}
	p.clear.echoes[last] = echoed{&p.sid, last}
	return nil
}

// openings checks that every peer's opening, in the last flight, fits its
// commitment of an earlier one.
func (p *Party) openings(label string, commitment field, committed int, opening field) error {
	for j := range p.n {
		if j == p.self {
			continue
		}
		if !oracle.Opens(p.seen[committed][j][commitment], p.sid, committed, j, label, p.seen[p.received][j][opening]) {
			return p.abortf(j, "the opening of %s does not fit its commitment", label)
		}
	}
	return nil
}

// commit commits to a salted value in the flight that is being made.
func (p *Party) commit(label string, salted []byte) []byte {
	c := oracle.Commit(p.sid, p.flight, p.self, label, salted)
	return c[:]
}
