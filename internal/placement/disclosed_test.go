package placement

import (
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// A malicious requester can tell a loser what is disclosed to winners alone. In worlds that look the same to the requester, who
// enters the same in both, that is the same: it has nothing to tell that it does not know. As a control, of what gates compute
// on the way there is something that differs.
func TestRequesterHasNothingToTell(t *testing.T) {
	tried := 0
	for _, p := range pairs() {
		f := mustNew(t, p.policy, len(p.a.offers))
		c := mustBuild(t, f, identity(f.Leaves()))
		a, b := p.a.inputs(t, f), p.b.inputs(t, f)
		if p.party != 0 || !slices.Equal(a[0], b[0]) {
			continue
		}
		of := func(inputs [][]bool) []uint64 {
			return evalWires(c, slices.Grow(sliced(c, [][][]bool{inputs}), c.Wires))
		}
		inA, inB := of(a), of(b)
		for k, o := range c.Outputs {
			if o.Party == 0 || o.Class == circuit.Conditional {
				tried++
				if inA[o.Wire] != inB[o.Wire] {
					t.Errorf("%s, %s: output %d to party %d is %d or %d", p.policy, p.name, k, o.Party, inA[o.Wire], inB[o.Wire])
				}
			}
		}
		if slices.Equal(inA[len(c.Inputs):], inB[len(c.Inputs):]) {
			t.Errorf("%s, %s: the worlds are the same", p.policy, p.name)
		}
	}
	if tried < 400 {
		t.Errorf("%d outputs tried", tried)
	}
}

// What is disclosed to winners: quantity, further dimensions and payment where there is one winner, the further dimensions
// where there may be several. Amounts of a split are masked: requester and loser would learn by them.
func TestWhatIsDisclosed(t *testing.T) {
	for _, policy := range samples() {
		f := mustNew(t, policy, 3)
		p := f.Policy()
		want := QuantityBits * len(p.Further)
		if !p.splits() {
			want += QuantityBits
		}
		if p.Name == SecondPricePolicy {
			want += PriceBits
		}
		disclosed := make([]int, 4)
		for _, o := range mustBuild(t, f, identity(3)).Outputs {
			if o.Class == circuit.Conditional {
				disclosed[o.Party]++
			}
		}
		if !slices.Equal(disclosed, []int{0, want, want, want}) {
			t.Errorf("%s: %d bits by party, want %d", policy, disclosed, want)
		}
	}
}
