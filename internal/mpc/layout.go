package mpc

import (
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/ot"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// Flights of a match.
const (
	firstFlight = 1
	lastFlight  = 9
)

// field is one part of a frame.
type field uint8

const (
	fBase field = iota // F1
	fHash              // F2
	fX
	fComCoin
	fU
	fT
	fXB
	fTB
	fXN
	fTN
	fOffset
	fSeed
	fRowHash // F3
	fY
	fRows
	fEcho // F3 … F7
	fS    // F4
	fCoin
	fComZ
	fComAlpha // F5
	fZ
	fD
	fAlpha // F6
	fOpened
	fOpenedMAC
	fGarbled // F7
	fHalves
	fTable // F8
	fInputS
	fInputMAC
	fLabels
	fTags
	fLambda // F8, F9
	fLambdaMAC
	fDisclosed // F9
	fDisclosedMAC
	fMasked
	fOutLabels
	fSignature
	fieldCount
)

const (
	coinBytes = 16
	digest    = oracle.Size
	salt      = oracle.SaltSize
)

// pairs says between whom a field travels.
type pairs uint8

const (
	everyone      pairs = iota
	garblers            // provider to provider
	toEvaluator         // provider to party 0
	toProvider          // anybody to a provider
	fromEvaluator       // party 0 to a provider
)

func (p pairs) include(from, to int) bool {
	switch p {
	case garblers:
		return from > 0 && to > 0
	case toEvaluator:
		return to == 0
	case toProvider:
		return to > 0
	case fromEvaluator:
		return from == 0 && to > 0
	default:
		return true
	}
}

// entry is a line of the table of flights. size is in bytes, from public
// parameters alone; a broadcast field is the same to everybody, and echoed.
type entry struct {
	field     field
	name      string
	broadcast bool
	on        pairs
	size      func(m *params, from, to int) int
}

func fixed(n int) func(*params, int, int) int { return func(*params, int, int) int { return n } }
func perParty(n, each int) func(*params, int, int) int {
	return func(m *params, _, _ int) int { return n + each*m.n }
}
func perAND(each int) func(*params, int, int) int {
	return func(m *params, _, _ int) int { return each * m.ands }
}

// packed is the number of bytes of n bits.
func packed(n int) int { return (n + 7) / 8 }

// layout is the table of flights: the body of a frame is its fields in this
// order. A frame without fields is not sent. What is large and ready early stands
// first: see ahead.
var layout = [lastFlight + 1][]entry{
	1: {
		{fBase, "base", false, everyone, func(m *params, from, to int) int {
			if m.fresh[m.other(from, to)] {
				return ot.BaseMessageSize
			}
			return 0
		}},
	},
	2: {
		{fU, "u", false, everyone, func(m *params, from, _ int) int {
			return ot.MessageSize(m.k, m.shapes[from].Rows(), m.shapes[from].Pairs())
		}},
		{fHash, "h", true, everyone, perParty(0, digest)},
		{fX, "x~", true, everyone, fixed(block.Size)},
		{fXN, "x~ narrow", true, everyone, fixed(2 * block.Size)},
		{fComCoin, "com coin", true, everyone, fixed(digest)},
		{fT, "t~", false, everyone, fixed(digest)},
		{fTN, "t~ narrow", false, everyone, fixed(digest)},
		{fXB, "x~'", false, everyone, fixed(block.Size)},
		{fTB, "t~'", false, everyone, fixed(digest)},
		{fOffset, "delta", false, everyone, func(m *params, from, to int) int {
			if from == m.self && m.offsetTo[to] || to == m.self && m.offsetFrom[from] {
				return block.Size
			}
			return 0
		}},
		{fSeed, "seed", false, everyone, fixed(block.Size)},
	},
	3: {
		{fRows, "rows", false, everyone, func(m *params, _, _ int) int { return triple.WindowBytes * m.leakyANDs() }},
		{fRowHash, "row hash", true, everyone, perParty(0, digest)},
		{fY, "y", true, everyone, perParty(0, block.Size)},
		{fEcho, "echo", false, everyone, fixed(digest)},
	},
	4: {
		{fS, "s", true, everyone, func(m *params, _, _ int) int { return packed(m.leakyANDs()) }},
		{fCoin, "coin", true, everyone, fixed(salt + coinBytes)},
		{fComZ, "com z", true, everyone, fixed(digest)},
		{fEcho, "echo", false, everyone, fixed(digest)},
	},
	5: {
		{fComAlpha, "com alpha", true, everyone, fixed(digest)},
		{fZ, "z", true, everyone, perParty(salt, block.Size)},
		{fD, "d_w", true, everyone, func(m *params, from, _ int) int { return packed(len(m.inputWires[from])) }},
		{fEcho, "echo", false, everyone, fixed(digest)},
	},
	6: {
		{fAlpha, "alpha", true, everyone, fixed(salt + block.Size)},
		{fOpened, "e f g", true, everyone, func(m *params, _, _ int) int { return packed(m.openedBits()) }},
		{fOpenedMAC, "MAC e f g", false, everyone, fixed(digest)},
		{fEcho, "echo", false, everyone, fixed(digest)},
	},
	7: {
		{fEcho, "echo", false, everyone, fixed(digest)},
		{fGarbled, "S", false, garblers, perAND(garble.RowBytes)},
		{fHalves, "S0", false, toEvaluator, perAND(garble.HalfBytes)},
	},
	8: {
		{fTable, "table", false, toEvaluator, perAND(garble.RowBytes)},
		{fInputS, "s_w", false, toEvaluator, func(m *params, from, _ int) int { return packed(len(m.inputWires[from])) }},
		{fInputMAC, "M_0[s_w]", false, toEvaluator, func(m *params, from, _ int) int { return block.Size * len(m.inputWires[from]) }},
		{fLabels, "labels", false, toEvaluator, func(m *params, from, _ int) int { return block.Size * (m.n - 1) * len(m.inputWires[from]) }},
		{fTags, "output tags", false, toEvaluator, func(m *params, from, _ int) int { return garble.TagBytes * m.outputCounts[from] }},
		{fLambda, "lambda", false, toEvaluator, func(m *params, _, _ int) int { return packed(m.ownOutputs) }},
		{fLambdaMAC, "MAC lambda", false, toEvaluator, fixed(digest)},
	},
	9: {
		{fLambda, "lambda", false, toProvider, func(m *params, _, _ int) int { return packed(m.mostPrivate) }},
		{fLambdaMAC, "MAC lambda", false, toProvider, fixed(digest)},
		{fDisclosed, "disclosed lambda", false, toProvider, func(m *params, _, _ int) int { return packed(m.mostDisclosed) }},
		{fDisclosedMAC, "MAC disclosed", false, toProvider, func(m *params, _, _ int) int { return digest * min(m.mostDisclosed, 1) }},
		{fMasked, "masked outputs", false, fromEvaluator, func(m *params, _, _ int) int { return packed(m.mostOutputs) }},
		{fOutLabels, "output labels", false, fromEvaluator, func(m *params, _, _ int) int { return block.Size * m.mostOutputs }},
		{fSignature, "signature", false, fromEvaluator, fixed(SignatureSize)},
	},
}

// other is the peer of a pair that this party is one of.
func (m *params) other(from, to int) int {
	if from == m.self {
		return to
	}
	return from
}

// size is the length of a frame, 0 where none is sent.
func (m *params) size(flight, from, to int) int {
	body := 0
	for _, e := range layout[flight] {
		if e.on.include(from, to) {
			body += e.size(m, from, to)
		}
	}
	if body == 0 || from == to {
		return 0
	}
	return headerSize + body
}
