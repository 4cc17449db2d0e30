package block

import (
	"slices"
	"testing"
)

// Every path against the generic one: all lengths up to more than two of the
// widest groups, with guards behind what may be written, into fresh memory and
// over each operand.
func TestHashPathsAgree(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		r := rng(20)
		for n := range 100 {
			start, x := randBlock(r), randBlock(r)
			h, want := NewHash(start), newGenericKey(start)
			xs, tweaks := randBlocks(r, n+1), randBlocks(r, n+1)
			sums, one := make([]Block, n), make([]Block, n)
			want.sumN(sums, tweaks, xs)
			want.sumTweaks(one, tweaks, x)

			guard := randBlock(r)
			fresh := append(make([]Block, n), guard)
			check := func(what string, got, want []Block, behind Block) {
				t.Helper()
				if !slices.Equal(got[:n], want) {
					t.Fatalf("n = %d: %s differs", n, what)
				}
				if got[n] != behind {
					t.Fatalf("n = %d: %s wrote behind its end", n, what)
				}
			}
			h.SumN(fresh[:n], tweaks, xs)
			check("SumN", fresh, sums, guard)
			h.SumTweaks(fresh[:n], tweaks, x)
			check("SumTweaks", fresh, one, guard)

			over := slices.Clone(xs)
			h.SumN(over[:n], tweaks, over)
			check("SumN over its inputs", over, sums, xs[n])
			over = slices.Clone(tweaks)
			h.SumN(over[:n], over, xs)
			check("SumN over its tweaks", over, sums, tweaks[n])
			over = slices.Clone(tweaks)
			h.SumTweaks(over[:n], over, x)
			check("SumTweaks over its tweaks", over, one, tweaks[n])
			if n > 0 && h.Sum(tweaks[0], xs[0]) != sums[0] {
				t.Fatal("Sum differs")
			}
		}
	})
}

func FuzzHashPaths(f *testing.F) {
	f.Add([]byte("start point here"), uint16(1))
	f.Add(make([]byte, 16), uint16(33))
	f.Add([]byte("ffffffffffffffffffff"), uint16(511))
	f.Fuzz(func(t *testing.T, seed []byte, n uint16) {
		var start [Size]byte
		copy(start[:], seed)
		g := NewPRG(FromBytes(start[:]))
		xs, tweaks := make([]Block, n%1024), make([]Block, n%1024)
		g.Blocks(xs)
		g.Blocks(tweaks)
		h, want := NewHash(FromBytes(start[:])), newGenericKey(FromBytes(start[:]))
		got, sums := make([]Block, len(xs)), make([]Block, len(xs))
		h.SumN(got, tweaks, xs)
		want.sumN(sums, tweaks, xs)
		if !slices.Equal(got, sums) {
			t.Fatal("SumN differs")
		}
		h.SumTweaks(got, tweaks, FromBytes(start[:]))
		want.sumTweaks(sums, tweaks, FromBytes(start[:]))
		if !slices.Equal(got, sums) {
			t.Fatal("SumTweaks differs")
		}
	})
}
