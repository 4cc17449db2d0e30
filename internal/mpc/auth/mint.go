package auth

import (
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// Mint makes, of 128 bits of region B a direction, the one-time base OTs of a
// later match with party j: hashed, the MACs are the chosen seeds (j's later
// bits are held under this party's choice), and the keys, with and without Δ,
// both seeds.
//
// The hash is block.Hash with a start point for the direction and the index as its
// tweak. Correlation robustness is what is asked of it: the holder of the choice
// has H(M) and lacks H(M ⊕ Δ). With 128 hashes under one start point and Δ a guess
// costs an evaluation of AES, and p of them tell with 128·p/2^128.
func (b *B) Mint(sid [32]byte, j int, delta block.Block) Base {
	r := &ot.BaseReceiver{ID: setID(sid, b.Self, j), Choice: block.FromBytes(b.X[j][mintedStart/8:])}
	s := &ot.BaseSender{ID: setID(sid, j, b.Self)}
	var tweaks, seeds [128]block.Block
	for k := range tweaks {
		tweaks[k].Lo = uint64(k)
	}
	mintHash(sid, b.Self, j).SumN(r.Seeds[:], tweaks[:], b.M[j][mintedStart:])
	h, keys := mintHash(sid, j, b.Self), b.K[j][mintedStart:][:128]
	for v := range 2 {
		for k := range seeds {
			seeds[k] = keys[k].Xor(delta.Mask(uint64(v)))
		}
		h.SumN(seeds[:], tweaks[:], seeds[:])
		for k := range seeds {
			s.Pairs[k][v] = seeds[k]
		}
	}
	clear(seeds[:])
	return Base{Sender: s, Receiver: r}
}

// setID names the set in which party i holds the choice bits, party j the
// pairs.
func setID(sid [32]byte, i, j int) [32]byte {
	return oracle.Sum("minted set", sid[:], oracle.Party(i), oracle.Party(j))
}

func mintHash(sid [32]byte, i, j int) *block.Hash {
	return block.NewHash(oracle.Seed("minted seed", sid[:], oracle.Party(i), oracle.Party(j)))
}
