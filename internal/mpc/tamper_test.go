package mpc

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// kind is one kind of cheating. cheats are the deviating parties for a seed;
// their inputs are the same for all assignments of the honest ones.
type kind struct {
	name   string
	n      int // 3 unless said
	runs   int // how many times as often as others, 1 unless said
	cheats func(seed uint64) map[int]*cheat
	wire   mpctest.Wire
	cold   bool // F1 runs, else base OTs are dealt
	sure   bool // deterministic: aborts always
	signed bool // needs a function with a claim

	seen map[string]bool // what honest parties failed with, a missing message apart
}

func (k *kind) reasons() []string { return slices.Sorted(maps.Keys(k.seen)) }

// tamperRuns is how often each kind is tried with each of two assignments of
// the honest inputs: few by default, more where the environment asks for it.
func tamperRuns(t *testing.T) int {
	v := os.Getenv("ANGLER_MPC_TAMPER_RUNS")
	if v == "" && underRace {
		return 1
	} else if v == "" {
		return 2
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("ANGLER_MPC_TAMPER_RUNS=%q is not a positive number", v)
	}
	return n
}

// TestTamper: for every kind of message, mutated, no honest party ever gives a
// wrong output; a party that fails keeps nothing; and whether it fails does
// not depend on the honest parties' inputs.
func TestTamper(t *testing.T) {
	runs := tamperRuns(t)
	kinds := deepKinds()
	if !underRace { // no goroutine takes part in those
		kinds = slices.Concat(kinds, fieldKinds(), wireKinds())
	}
	for _, k := range kinds {
		k.seen = map[string]bool{}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			count := runs * max(k.runs, 1)
			defer func() { t.Logf("%d runs; honest parties saw: %q", count, k.reasons()) }()
			if k.sure {
				count = 1
			}
			aborts := k.try(t, count)
			if a := aborts[0]; a > 0 && a < count { // a matter of chance: look closer
				count *= 5
				aborts = k.try(t, count)
			}
			if k.wire != nil || underRace {
				aborts[1] = aborts[0]
			}
			if k.sure && (aborts[0] < count || aborts[1] < count) {
				t.Errorf("passed unnoticed: %v aborts of %d", aborts, count)
			}
			if diff := math.Abs(float64(aborts[0] - aborts[1])); diff > 4*math.Sqrt(float64(count)/2) {
				t.Errorf("the rate of aborts depends on inputs: %v of %d", aborts, count)
			}
		})
	}
}

// try runs the kind count times with each of two assignments of the honest
// inputs and the same randomness, and counts the aborts.
func (k *kind) try(t *testing.T, count int) (aborts [2]int) {
	t.Helper()
	assignments := uint64(2)
	if k.wire != nil || underRace {
		assignments = 1
	}
	for assignment := range assignments {
		for seed := range uint64(count) {
			if k.one(t, seed, assignment) {
				aborts[assignment]++
			}
		}
	}
	return aborts
}

// one runs one match and tells whether an honest party aborted.
func (k *kind) one(t *testing.T, seed, assignment uint64) bool {
	t.Helper()
	n := k.n
	if n == 0 {
		n = 3
	}
	var fn Function = mpctest.Auction{Providers: n - 1, PriceBits: 3, QuantityBits: 2}
	if seed%4 != 1 && !k.signed {
		fn = mpctest.RandomFunction(7000+seed%5, n, 9, 8, 2)
	}
	m := &trial{name: "tamper", seed: seed, fn: fn, cheats: map[int]*cheat{}, wire: k.wire}
	if k.cheats != nil {
		m.cheats = k.cheats(seed)
	}
	if !k.cold {
		m.sets = dealt("tamper", seed, n)
	}
	m.inputs = drawInputs(t, fn, seed)
	if assignment > 0 {
		for i, x := range drawInputs(t, fn, 1000*assignment+seed) {
			if m.cheats[i] == nil {
				m.inputs[i] = x
			}
		}
	}
	parties, res := m.run(t)
	return k.judge(t, m, parties, res, seed)
}

// judge asserts what must hold for the honest parties after any match.
func (k *kind) judge(t *testing.T, m *trial, parties []*Party, res *mpctest.Result, seed uint64) (aborted bool) {
	t.Helper()
	effective := slices.Clone(m.inputs)
	for i, c := range m.cheats {
		if c.inputs != nil {
			effective[i] = c.inputs
		}
	}
	for i, p := range parties {
		if m.cheats[i] != nil {
			continue
		}
		out, ok := p.Outputs()
		if !ok {
			aborted = true
			if err := res.Errors[i]; err != nil && !errors.Is(err, errMissing) {
				k.seen[err.Error()] = true
			}
			if !p.done && res.Errors[i] == nil {
				t.Errorf("seed %d: party %d neither ended nor failed", seed, i)
			}
			if p.Minted() != nil {
				t.Errorf("seed %d: party %d keeps minted sets after a failure", seed, i)
			}
		} else if want := wanted(t, p.circuit, effective, i); !slices.Equal(out, want) {
			t.Errorf("seed %d: party %d has the wrong outputs %v, want %v", seed, i, out, want)
		}
		requireWiped(t, p)
		if m.sets != nil {
			requireBurnt(t, m.sets[i])
		}
	}
	return aborted
}

// requireBurnt asserts that cached sets are gone once a match has used them.
func requireBurnt(t *testing.T, sets map[int]WarmPair) {
	t.Helper()
	for j, s := range sets {
		for c := range 128 {
			if !s.Receiver.Seeds[c].IsZero() || !s.Sender.Pairs[c][0].IsZero() || !s.Sender.Pairs[c][1].IsZero() {
				t.Fatalf("the cached set for party %d is still there", j)
			}
		}
	}
}

// fieldKinds flips one bit of each field of each flight, to one peer and, of
// what is broadcast, consistently to all.
func fieldKinds() []kind {
	var kinds []kind
	for f := firstFlight; f <= lastFlight; f++ {
		for _, e := range layout[f] {
			for _, pair := range [][2]int{{0, 1}, {2, 1}, {2, 0}} {
				who, victim := pair[0], pair[1]
				if !e.on.include(who, victim) || e.field == fSignature { // only a winner looks at it: see onlineKinds
					continue
				}
				if disclosed := e.field == fDisclosed || e.field == fDisclosedMAC; disclosed && who == 0 {
					continue // likewise: see TestDisclosureIsRightOrNothing
				}
				kinds = append(kinds, flipKind(f, e, who, victim, false))
				if e.broadcast && victim == 1 {
					kinds = append(kinds, flipKind(f, e, who, victim, true))
				}
			}
		}
	}
	return kinds
}

func flipKind(f int, e entry, who, victim int, all bool) kind {
	to := fmt.Sprint(victim)
	if all {
		to = "all"
	}
	return kind{
		name: fmt.Sprintf("F%d %s bit, %d to %s", f, e.name, who, to), cold: f == 1,
		signed: e.field == fDisclosed || e.field == fDisclosedMAC, sure: e.field == fDisclosed || e.field == fDisclosedMAC,
		cheats: func(seed uint64) map[int]*cheat {
			rng := rand.New(rand.NewPCG(seed, uint64(f)<<8|uint64(e.field)))
			at := []int{0, 1, int(rng.Uint32() >> 2)}[rng.IntN(3)]
			return map[int]*cheat{who: {post: map[int]func(*cheat, outgoing){f: func(c *cheat, out outgoing) {
				for j := range out {
					if b := out[j][e.field]; len(b) > 0 && j != who && (all || j == victim) {
						out[j][e.field] = flipped(b, at)
					}
				}
			}}}}
		},
	}
}

// flipped is a copy of b with one bit changed.
func flipped(b []byte, at int) []byte {
	b = slices.Clone(b)
	at %= 8 * len(b)
	b[at/8] ^= 1 << (at % 8)
	return b
}

// wireKinds is what a stream can do to a frame, of every flight.
func wireKinds() []kind {
	changes := []struct {
		name   string
		change func(frame []byte) []mpctest.Delivery
	}{
		{"truncated", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: fr[:len(fr)-1]}} }},
		{"oversized", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: append(slices.Clone(fr), 0)}} }},
		{"repeated", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: fr}, {Frame: fr}} }},
		{"late", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Delay: 1, Frame: fr}} }},
		{"missing", func([]byte) []mpctest.Delivery { return nil }},
		{"of another sid", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: flipped(fr, 3)}} }},
		{"of another flight", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: flipped(fr, 8*32)}} }},
		{"from another", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: flipped(fr, 8*33)}} }},
		{"to another", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: flipped(fr, 8*34)}} }},
		{"of another roster", func(fr []byte) []mpctest.Delivery { return []mpctest.Delivery{{Frame: flipped(fr, 8*35)}} }},
	}
	var kinds []kind
	for f := firstFlight; f <= lastFlight; f++ {
		n, who, victim := 3, 2, 0
		switch f {
		case 1:
			n, who = 2, 1 // base OTs take long
		case lastFlight:
			who, victim = 0, 1
		}
		for _, c := range changes {
			// what follows the last frame of a stream is nobody's
			last := f == 8 || f == lastFlight
			kinds = append(kinds, kind{
				name: fmt.Sprintf("F%d %s, %d to %d", f, c.name, who, victim), n: n, cold: f == 1,
				sure:   !last || c.name != "oversized" && c.name != "repeated",
				cheats: func(uint64) map[int]*cheat { return map[int]*cheat{who: {}} },
				wire: func(flight, from, to int, frame []byte) []mpctest.Delivery {
					if flight == f && from == who && to == victim {
						return c.change(frame)
					}
					return []mpctest.Delivery{{Frame: frame}}
				},
			})
		}
	}
	return kinds
}
