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
func (b *B) Mint(sid [32]byte, j int, delta block.Block) Base {
	r := &ot.BaseReceiver{ID: setID(sid, b.Self, j), Choice: block.FromBytes(b.X[j][mintedStart/8:])}
	s := &ot.BaseSender{ID: setID(sid, j, b.Self)}
	for k := range 128 {
		r.Seeds[k] = mintSeed(sid, b.Self, j, k, b.M[j][mintedStart+k])
		key := b.K[j][mintedStart+k]
		s.Pairs[k] = [2]block.Block{mintSeed(sid, j, b.Self, k, key), mintSeed(sid, j, b.Self, k, key.Xor(delta))}
	}
	return Base{Sender: s, Receiver: r}
}

// setID names the set in which party i holds the choice bits, party j the
// pairs.
func setID(sid [32]byte, i, j int) [32]byte {
	return oracle.Sum("minted set", sid[:], oracle.Party(i), oracle.Party(j))
}

func mintSeed(sid [32]byte, i, j, k int, v block.Block) block.Block {
	b := v.Bytes()
	return oracle.Seed("minted seed", sid[:], oracle.Party(i), oracle.Party(j), []byte{byte(k)}, b[:])
}
