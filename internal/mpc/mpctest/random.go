package mpctest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// Rand is the randomness of one party in one run: all of it follows from name,
// seed and party.
func Rand(name string, seed uint64, party int) io.Reader {
	b := binary.LittleEndian.AppendUint64([]byte(name), seed)
	return rand.NewChaCha8(sha256.Sum256(binary.LittleEndian.AppendUint64(b, uint64(party))))
}

// Key is party 0's signing key in the tests.
func Key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
}

// Deal makes a set of base OTs for every pair and direction, as an earlier
// match would have minted them: sets[i][j] is what party i holds for party j.
func Deal(rnd io.Reader, parties int) []map[int]auth.Base {
	draw := func() block.Block {
		var b [block.Size]byte
		if _, err := io.ReadFull(rnd, b[:]); err != nil {
			panic(err) // the readers of this package do not fail
		}
		return block.FromBytes(b[:])
	}
	sets := make([]map[int]auth.Base, parties)
	for i := range sets {
		sets[i] = map[int]auth.Base{}
	}
	for i := range parties { // i holds the choice, j the pairs
		for j := range parties {
			if i == j {
				continue
			}
			r := &ot.BaseReceiver{Choice: draw()}
			s := &ot.BaseSender{}
			id := draw().Bytes()
			copy(r.ID[:], id[:])
			s.ID = r.ID
			for k := range s.Pairs {
				s.Pairs[k] = [2]block.Block{draw(), draw()}
				r.Seeds[k] = s.Pairs[k][r.Choice.Bit(k)]
			}
			mine, theirs := sets[i][j], sets[j][i]
			mine.Receiver, theirs.Sender = r, s
			sets[i][j], sets[j][i] = mine, theirs
		}
	}
	return sets
}
