package mpc

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// The attacks that earlier designs fell to, each against the flaw and against
// the protocol as it is. "Flawed" parties are honest ones with that flaw.

// oneBits makes a party use one set of region B bits towards everybody.
func oneBits(c *cheat) {
	own := c.shapes[c.self].RowsA() / 8
	for _, row := range c.choices {
		if row != nil {
			copy(row[own:], c.choices[(c.self+1)%c.n][own:])
		}
	}
}

// TestOnePoolForBothRegions: with bits common to all peers in the Δ check, a
// cheat with another Δ for everybody learns the others' column sums in time to
// cancel them. With bits of a pair it is caught.
func TestOnePoolForBothRegions(t *testing.T) {
	for _, common := range []bool{true, false} {
		for seed := range uint64(3) {
			if caught := cancelColumns(t, common, seed); caught == common {
				t.Errorf("seed %d: one pool %v: stopped by the Δ check: %v", seed, common, caught)
			}
		}
	}
}

func cancelColumns(t *testing.T, common bool, seed uint64) (caught bool) {
	t.Helper()
	flaw := func(c *cheat) {
		if common {
			oneBits(c)
		}
	}
	errs := func(j int) block.Block { return errorBlock(100*seed + uint64(j)) }
	m := &trial{name: "one pool", seed: seed, fn: mpctest.RandomFunction(seed, 3, 9, 8, 2), sets: dealt("one pool", seed, 3)}
	m.cheats = map[int]*cheat{0: before(2, flaw), 1: before(2, flaw), 2: {
		pre: map[int]func(*cheat){2: flaw},
		post: map[int]func(*cheat, outgoing){
			2: func(c *cheat, out outgoing) { // Δ ⊕ e_j towards j
				for j := range 2 {
					out[j][fOffset] = encode([]block.Block{block.FromBytes(out[j][fOffset]).Xor(errs(j))})
				}
			},
			4: func(c *cheat, out outgoing) {
				y := make([]block.Block, 3) // Y_k
				for _, fr := range c.seen[3] {
					block.XorInto(y, decode(fr[fY]))
				}
				mine := block.FromBytes(c.b.X[0])
				z := decode(c.z[salt:])
				z[2] = block.Block{}
				for j := range 2 {
					x := y[2].Xor(y[j]).Xor(mine) // party j's bits, if it has one set of them
					z[2] = z[2].Xor(block.Pack(c.b.K[j][:128])).Xor(block.Mul(x, c.delta.Xor(errs(j))))
				}
				copy(c.z[salt:], encode(z))
				out.broadcast(fComZ, c.commit("z", c.z))
			},
		}}}
	m.run(t)
	const verdict = "a party's global key is not the same towards everybody"
	for i := range 2 {
		if err := m.cheats[i].failed; err != nil {
			var abort *AbortError
			if !asAbort(err, &abort) || abort.Flight > 5 && abort.Err.Error() == verdict {
				t.Fatal(err)
			}
			caught = caught || abort.Err.Error() == verdict
		}
	}
	return caught
}

// TestMintedSetsOfPairs: if a party minted the same choice bits for all peers,
// what the failure of one match tells about them breaks another. With bits of a
// pair it tells nothing.
func TestMintedSetsOfPairs(t *testing.T) {
	broken := map[bool]int{}
	for _, common := range []bool{true, false} {
		for seed := range uint64(3) {
			if breakMinted(t, common, seed) {
				broken[common]++
			}
		}
	}
	if broken[true] == 0 || broken[false] > 0 {
		t.Errorf("wrong outputs accepted: %d with common bits, %d with a pair's", broken[true], broken[false])
	}
}

// breakMinted: a match mints sets among 0, 1, 2. In a match of 0 with 1, a lie
// in s makes α fail by χ_0·(Δ_0 ⊕ Δ_1): party 0's choice is known in the
// window. In a match of 0 with 2, the cheat lies in many s and corrects α.
func breakMinted(t *testing.T, common bool, seed uint64) (wrong bool) {
	t.Helper()
	first := &trial{name: "mint", seed: seed, fn: mpctest.RandomFunction(seed, 3, 9, 8, 2), sets: dealt("mint", seed, 3), cheats: map[int]*cheat{}}
	if common {
		for i := range 3 {
			first.cheats[i] = before(2, oneBits)
		}
	}
	parties, _ := first.run(t)
	for i, p := range parties {
		if first.cheats[i] != nil && first.cheats[i].failed != nil {
			t.Fatal(first.cheats[i].failed)
		}
		p.done = true // a wrapped party 0 does not note it
	}
	sets := mintedSets(parties)
	pair := func(j int) []map[int]WarmPair {
		return []map[int]WarmPair{{1: sets[0][j]}, {0: sets[j][0]}}
	}

	fn := mpctest.RandomFunction(seed+50, 2, 20, 60, 8)
	var choice uint64 // of party 0, in the window
	learn := &trial{name: "learn", seed: seed, fn: fn, sets: pair(1)}
	learn.cheats = map[int]*cheat{1: {post: map[int]func(*cheat, outgoing){
		4: func(c *cheat, out outgoing) { out.broadcast(fS, flipped(out[0][fS], 0)) },
		6: func(c *cheat, out outgoing) {
			sum := block.FromBytes(c.peekField(6, 0, fAlpha)[salt:]).Xor(block.FromBytes(c.alpha[salt:]))
			deltas := block.Mul(sum, inverse(chiAlpha(c)[0]))
			offset := block.FromBytes(c.seen[2][0][fOffset])
			choice = window(deltas.Xor(c.delta).Xor(offset))
		},
	}}}
	learn.run(t)

	rng := rand.New(rand.NewPCG(seed, 'l'))
	lies := auth.NewBits(1600)
	for k := range 1600 {
		lies.Flip(k, uint64(rng.IntN(4)/3))
	}
	use := &trial{name: "use", seed: seed, fn: fn, sets: pair(2)}
	use.cheats = map[int]*cheat{1: {post: map[int]func(*cheat, outgoing){
		4: func(c *cheat, out outgoing) {
			s := slices.Clone(out[0][fS])
			block.XorBytes(s, s, lies)
			out.broadcast(fS, s)
		},
		5: func(c *cheat, out outgoing) {
			offset := block.FromBytes(c.seen[2][0][fOffset])
			deltas := block.Block{Lo: choice ^ window(offset.Xor(c.delta))}
			alpha := block.FromBytes(c.alpha[salt:])
			for k, chi := range chiAlpha(c) {
				alpha = alpha.Xor(block.Mul(chi, deltas).Mask(lies.Get(k)))
			}
			alpha.Put(c.alpha[salt:])
			out.broadcast(fComAlpha, c.commit("alpha", c.alpha))
		},
	}}}
	parties, _ = use.run(t)
	out, ok := parties[0].Outputs()
	return ok && !slices.Equal(out, wanted(t, parties[0].circuit, use.inputs, 0))
}

func window(b block.Block) uint64 { return b.Lo & (1<<48 - 1) }

// chiAlpha is χ of α as the cheat knows it once all s are there.
func chiAlpha(c *cheat) []block.Block {
	chi := make([]block.Block, c.leakyANDs())
	block.NewPRG(triple.Coefficients(c.sid, c.joint, c.column(3, fRowHash), c.column(4, fS))).Blocks(chi)
	return chi
}

// inverse is 1/a = a^(2^128 − 2).
func inverse(a block.Block) block.Block {
	r := block.Block{Lo: 1}
	for range 127 {
		a = block.Mul(a, a)
		r = block.Mul(r, a)
	}
	return r
}

// TestFailedCheckShowsDelta is why everything is destroyed on failure: a lie e
// in y opens e·Δ of an honest party, all of it, when z is opened.
func TestFailedCheckShowsDelta(t *testing.T) {
	e := errorBlock(1)
	m := &trial{name: "shows", fn: mpctest.RandomFunction(1, 3, 9, 8, 2), sets: dealt("shows", 0, 3)}
	var parties []*Party
	var learnt, delta block.Block
	m.cheats = map[int]*cheat{2: {post: map[int]func(*cheat, outgoing){
		3: func(c *cheat, out outgoing) {
			y := decode(out[0][fY])
			y[0] = y[0].Xor(e)
			out.broadcast(fY, encode(y))
		},
		5: func(c *cheat, out outgoing) {
			sum := decode(c.z[salt:])[0]
			for j := range 2 {
				sum = sum.Xor(decode(c.peekField(5, j, fZ)[salt:])[0])
			}
			learnt, delta = block.Mul(sum, inverse(e)), parties[0].delta
		},
	}}}
	parties = m.start(t)
	m.cheats[2].Party = parties[2]
	mpctest.Drive([]mpctest.Machine{parties[0], parties[1], m.cheats[2]}, nil)
	if learnt != delta || delta.IsZero() {
		t.Errorf("the cheat learnt %v, party 0 had %v", learnt, delta)
	}
	for _, p := range parties[:2] {
		if p.failed == nil {
			t.Error("the match went on")
		}
		requireWiped(t, p)
		requireBurnt(t, m.sets[p.self])
	}
}

// TestChiDependsOnS: if χ of α did not depend on the s bits, a rushing cheat,
// who sees everybody's coin before it sends its s, could lie in s where Σχ = 0.
// As it is it is caught.
func TestChiDependsOnS(t *testing.T) {
	passed := 0
	for seed := range uint64(4) {
		if wrong, _ := lieInS(t, seed, true); wrong { // a wrong product need not show in the outputs
			passed++
		}
		if wrong, caught := lieInS(t, seed, false); wrong || !caught {
			t.Errorf("seed %d: wrong output accepted: %v, caught by α: %v", seed, wrong, caught)
		}
	}
	if passed < 2 {
		t.Errorf("without s in χ the lies should pass, but did in %d of 4: the test has lost its point", passed)
	}
}

func lieInS(t *testing.T, seed uint64, flawed bool) (wrong, caught bool) {
	t.Helper()
	withoutS := func(c *cheat, out outgoing) {
		if flawed {
			alpha := c.leaky.Alpha(triple.Coefficients(c.sid, c.joint, c.column(3, fRowHash), nil), c.sumS, c.zero.Blocks(1, "alpha", 0)[0])
			alpha.Put(c.alpha[salt:])
			out.broadcast(fComAlpha, c.commit("alpha", c.alpha))
		}
	}
	m := &trial{name: "chi", seed: seed, fn: mpctest.RandomFunction(seed, 3, 30, 100, 8), sets: dealt("chi", seed, 3)}
	m.cheats = map[int]*cheat{0: after(5, withoutS), 1: after(5, withoutS), 2: {post: map[int]func(*cheat, outgoing){
		5: withoutS,
		4: func(c *cheat, out outgoing) {
			parts := [][]byte{c.sid[:]}
			for j := range 2 {
				parts = append(parts, c.peekField(4, j, fCoin)[salt:])
			}
			joint := oracle.Sum("joint coin", append(parts, c.coin[salt:])...)
			chi := make([]block.Block, 200)
			block.NewPRG(triple.Coefficients(c.sid, joint, c.column(3, fRowHash), nil)).Blocks(chi)
			s := slices.Clone(out[0][fS])
			for _, k := range dependent(chi) {
				s[k/8] ^= 1 << (k % 8)
			}
			out.broadcast(fS, s)
		},
	}}}
	parties, _ := m.run(t)
	for i, p := range parties[:2] {
		if err := m.cheats[i].failed; err != nil {
			var abort *AbortError
			caught = caught || asAbort(err, &abort) && abort.Flight == 6
		} else if p.outputs != nil {
			wrong = wrong || !slices.Equal(p.outputs, wanted(t, p.circuit, m.inputs, i))
		}
	}
	return wrong, caught
}

// dependent returns indices of blocks that sum to zero.
func dependent(v []block.Block) []int {
	type row struct {
		value block.Block
		of    map[int]bool
	}
	pivots := map[int]row{}
	for k, b := range v {
		r := row{b, map[int]bool{k: true}}
		for at := 127; at >= 0; at-- {
			if r.value.Bit(at) == 0 {
				continue
			}
			p, ok := pivots[at]
			if !ok {
				pivots[at] = r
				break
			}
			r.value = r.value.Xor(p.value)
			for i := range p.of {
				if r.of[i] = !r.of[i]; !r.of[i] {
					delete(r.of, i)
				}
			}
		}
		if r.value.IsZero() {
			var set []int
			for i := range r.of {
				set = append(set, i)
			}
			return set
		}
	}
	return nil
}
