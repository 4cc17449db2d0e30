package mpc

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// auctioned is a match of three providers of which party 1 wins, with two units
// wanted at a price of 5, and the others lose.
func auctioned(name string) *trial {
	fn := mpctest.Auction{Providers: 3, PriceBits: 3, QuantityBits: 2}
	number := func(v, bits int) []bool {
		var w []bool
		for k := range bits {
			w = append(w, v>>k&1 == 1)
		}
		return w
	}
	enter := func(v, bits, u, more int) []bool { return append(number(v, bits), number(u, more)...) }
	return &trial{name: name, fn: fn, sets: dealt(name, 0, 4), inputs: [][]bool{enter(2, 2, 6, 3), enter(5, 3, 3, 2), enter(7, 3, 3, 2), enter(3, 3, 1, 2)}}
}

// told is what the winner of such a match learns, and a loser.
func told(t *testing.T, m *trial, party int) []bool {
	t.Helper()
	c, err := m.fn.Build(identity(3))
	if err != nil {
		t.Fatal(err)
	}
	out := wanted(t, c, m.inputs, party)
	if won := party == 1; out[0] != won || slices.Contains(out[1:], true) != won {
		t.Fatalf("party %d learns %v", party, out)
	}
	return out
}

// swapDisclosed opens the shares of two of party d's conditional outputs in each
// other's place, with the digest of the MACs as they then stand.
func (c *cheat) swapDisclosed(fr *frame, d, x, y int) {
	wires := outputsOf(c.circuit, d, circuit.Conditional)
	wires[x], wires[y] = wires[y], wires[x]
	bits, macs := make(auth.Bits, len(fr[fDisclosed])), make([]block.Block, len(wires))
	for k, o := range wires {
		bits.Flip(k, c.lambda.Bits.Get(int(o.Wire)))
		macs[k] = c.lambda.M[d][o.Wire]
	}
	h := auth.Digest(c.sid, openedDisclosed, c.self, d, macs)
	fr[fDisclosed], fr[fDisclosedMAC] = bits, h[:]
}

// TestDisclosureIsRightOrNothing: whatever party 0 or a provider sends in place of
// what opens a conditional output, the winner has the right value, or none and
// names the sender; losers are through with "not selected" where party 0 alone
// lies, for they do not look at its share.
func TestDisclosureIsRightOrNothing(t *testing.T) {
	var earlier frame // what party 0 told the winner in another session, of the same shares
	m := auctioned("earlier session")
	m.cheats = map[int]*cheat{0: after(9, func(_ *cheat, out outgoing) { earlier = out[1] })}
	m.run(t)
	toWinner := func(f func(c *cheat, fr *frame)) func(c *cheat, out outgoing) {
		return func(c *cheat, out outgoing) { f(c, &out[1]) }
	}
	for _, tc := range []struct {
		name   string
		cheat  int
		change func(c *cheat, out outgoing)
		losers bool // they fail too, whoever wins
	}{
		{"a flipped share", 0, toWinner(func(_ *cheat, fr *frame) { fr[fDisclosed] = flipped(fr[fDisclosed], 3) }), false},
		{"a flipped share of an input", 0, toWinner(func(_ *cheat, fr *frame) { fr[fDisclosed] = flipped(fr[fDisclosed], 0) }), false},
		{"a wrong digest", 0, toWinner(func(_ *cheat, fr *frame) { fr[fDisclosedMAC] = flipped(fr[fDisclosedMAC], 9) }), false},
		{"shares and MACs of two wires swapped", 0, toWinner(func(c *cheat, fr *frame) { c.swapDisclosed(fr, 1, 2, 4) }), false},
		{"shares for another party", 0, toWinner(func(c *cheat, fr *frame) {
			var other frame
			c.open(&other, 2, conditional)
			fr[fDisclosed], fr[fDisclosedMAC] = other[fDisclosed], other[fDisclosedMAC]
		}), false},
		{"opened as private outputs", 0, toWinner(func(c *cheat, fr *frame) {
			as := conditional
			as.what = openedMasks
			c.open(fr, 1, as)
		}), false},
		{"replayed from another session", 0, toWinner(func(_ *cheat, fr *frame) {
			if bytes.Equal(fr[fDisclosedMAC], earlier[fDisclosedMAC]) {
				t.Error("two sessions have one digest")
			}
			fr[fDisclosed], fr[fDisclosedMAC] = earlier[fDisclosed], earlier[fDisclosedMAC]
		}), false},
		{"all of the frame replayed", 0, toWinner(func(_ *cheat, fr *frame) { *fr = earlier }), false},
		{"withheld, noise in its place", 0, toWinner(func(_ *cheat, fr *frame) {
			fr[fDisclosed], fr[fDisclosedMAC] = make([]byte, len(fr[fDisclosed])), make([]byte, digest)
		}), false},
		{"the other masked value", 0, func(_ *cheat, out outgoing) {
			for d := 1; d < 4; d++ {
				out[d][fMasked] = flipped(out[d][fMasked], 2)
			}
		}, true},
		{"another label", 0, func(_ *cheat, out outgoing) {
			for d := 1; d < 4; d++ {
				out[d][fOutLabels] = flipped(out[d][fOutLabels], 128*2+5)
			}
		}, true},
		{"the label of another wire, with its masked value", 0, func(_ *cheat, out outgoing) {
			for d := 1; d < 4; d++ {
				b := slices.Clone(out[d][fOutLabels])
				copy(b[16:32], out[d][fOutLabels][32:48])
				masked := auth.Bits(slices.Clone(out[d][fMasked]))
				masked.Flip(1, masked.Get(1)^masked.Get(2))
				out[d][fOutLabels], out[d][fMasked] = b, masked
			}
		}, true},
		{"a provider's flipped share", 2, func(_ *cheat, out outgoing) {
			for d := 1; d < 4; d++ {
				if len(out[d][fDisclosed]) > 0 {
					out[d][fDisclosed] = flipped(out[d][fDisclosed], 4)
				}
			}
		}, true},
		{"a provider's shares and MACs of two wires swapped", 3, func(c *cheat, out outgoing) {
			for d := 1; d < 3; d++ {
				c.swapDisclosed(&out[d], d, 2, 4)
			}
		}, true},
		{"a provider's own win, told to all", 3, func(c *cheat, out outgoing) {
			for d := 1; d < 3; d++ { // the share of the winner's wire in the place of theirs
				as := conditional
				as.bits, as.mac = fLambda, fLambdaMAC
				c.open(&out[d], d, as)
				out[d][fLambda] = out[d][fLambda][:packed(c.mostPrivate)]
			}
		}, true},
	} {
		m := auctioned("disclosure")
		m.cheats = map[int]*cheat{tc.cheat: after(9, tc.change)}
		parties, res := m.run(t)
		for party := 1; party < 4; party++ {
			if party == tc.cheat {
				continue
			}
			out, ok := parties[party].Outputs()
			var abort *AbortError
			switch fails := party == 1 || tc.losers; {
			case fails && (ok || !asAbort(res.Errors[party], &abort) || abort.Peer != tc.cheat):
				t.Errorf("%s: party %d has %v, error %v", tc.name, party, out, res.Errors[party])
			case !fails && (!ok || !slices.Equal(out, told(t, m, party))):
				t.Errorf("%s: party %d has %v, error %v", tc.name, party, out, res.Errors[party])
			}
			requireWiped(t, parties[party])
		}
	}
}

// TestToldAlthoughItLost: a loser does not take what a malicious party 0 tells it.
func TestToldAlthoughItLost(t *testing.T) {
	m := auctioned("told")
	m.cheats = map[int]*cheat{0: after(9, tellAll)}
	parties, res := m.run(t)
	for party := 1; party < 4; party++ {
		if out, ok := parties[party].Outputs(); !ok || !slices.Equal(out, told(t, m, party)) {
			t.Errorf("party %d has %v, error %v", party, out, res.Errors[party])
		}
	}
}

// tellAll is a party 0 that opens conditional outputs to everybody.
func tellAll(c *cheat, out outgoing) {
	for d := 1; d < c.n; d++ {
		c.open(&out[d], d, conditional)
	}
}

// TestDisclosedWithheldFrame: a winner that is sent nothing has nothing, and losers
// that are served are through.
func TestDisclosedWithheldFrame(t *testing.T) {
	m := auctioned("withheld")
	m.wire = func(flight, from, to int, frame []byte) []mpctest.Delivery {
		if flight == lastFlight && from == 0 && to == 1 {
			return nil
		}
		return []mpctest.Delivery{{Frame: frame}}
	}
	parties, res := m.run(t)
	var abort *AbortError
	if !asAbort(res.Errors[1], &abort) || abort.Peer != 0 {
		t.Errorf("the winner: %v", res.Errors[1])
	}
	for party := 2; party < 4; party++ {
		if out, ok := parties[party].Outputs(); !ok || !slices.Equal(out, told(t, m, party)) {
			t.Errorf("party %d has %v, error %v", party, out, res.Errors[party])
		}
	}
}

// guess is what a losing provider, with all that it is sent and holds, makes of
// its conditional outputs; and whether the digest of party 0's MACs is that of the
// shares with which they would have the given values. If it were, the loser could
// try them all.
func (c *cheat) guess(values []bool) (guessed []bool, told bool) {
	wires := outputsOf(c.circuit, c.self, circuit.Conditional)
	masked := auth.Bits(c.seen[9][0][fMasked])
	macs := make([]block.Block, len(wires))
	for k, o := range wires {
		rest := masked.Get(o.at) ^ c.lambda.Bits.Get(int(o.Wire)) // but for party 0's share
		for j := 1; j < c.n; j++ {
			if j != c.self {
				rest ^= auth.Bits(c.seen[9][j][fDisclosed]).Get(k)
			}
		}
		guessed = append(guessed, rest^auth.Bits(c.seen[9][0][fDisclosed]).Get(k) == 1)
		macs[k] = c.outputKeys[0][o.at].Xor(c.delta.Mask(rest ^ bit(values[k])))
	}
	h := auth.Digest(c.sid, openedDisclosed, 0, c.self, macs)
	return guessed, bytes.Equal(h[:], c.seen[9][0][fDisclosedMAC])
}

// TestLosersAreNotTold: what a losing provider makes of all that it is sent,
// together with all other losers (who add nothing to the shares that it has), is no
// better than a guess, and it cannot check a guess; of a party 0 that keeps nothing
// back it is the value.
func TestLosersAreNotTold(t *testing.T) {
	for _, leaking := range []bool{false, true} {
		right, all, runs := 0, 0, uint64(60)
		if underRace {
			runs = 10
		}
		for seed := range runs {
			m := auctioned(fmt.Sprint("losers ", leaking))
			m.seed = seed
			values := told(t, m, 1)[1:]
			sizes := make(map[int]bool)
			look := before(lastFlight+1, func(c *cheat) {
				guessed, checked := c.guess(values)
				if checked != leaking {
					t.Errorf("party %d can check a guess: %v", c.self, checked)
				}
				for k, v := range guessed {
					all++
					if v == values[k] {
						right++
					}
				}
			})
			m.cheats = map[int]*cheat{2: look, 3: {pre: look.pre}}
			if leaking {
				m.cheats[0] = after(9, tellAll)
			}
			m.wire = func(flight, from, to int, frame []byte) []mpctest.Delivery {
				if flight == lastFlight && from == 0 {
					sizes[len(frame)] = true
				}
				return []mpctest.Delivery{{Frame: frame}}
			}
			m.run(t)
			if len(sizes) != 1 {
				t.Errorf("party 0 sends winner and losers %d sizes", len(sizes))
			}
		}
		if leaking && right != all || !leaking && (right < all/2-all/6 || right > all/2+all/6) || all != 10*int(runs) {
			t.Errorf("everything told: %v, right: %d of %d", leaking, right, all)
		}
	}
}
