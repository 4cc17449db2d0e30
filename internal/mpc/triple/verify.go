package triple

import (
	"crypto/subtle"
	"errors"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
)

// Verified proves that α summed to zero: the leaky ANDs are right, but for what
// bucketing removes.
type Verified struct{ sid *[32]byte }

// Of tells whether the proof is one of session sid.
func (v Verified) Of(sid [32]byte) bool { return v.sid != nil && *v.sid == sid }

// Verify sums all parties' α. A failing sum is an oracle on Δ: the caller
// destroys every secret.
func Verify(sid [32]byte, alphas []block.Block) (Verified, error) {
	var sum block.Block
	for _, a := range alphas {
		sum = sum.Xor(a)
	}
	if !sum.IsZero() {
		return Verified{}, errors.New("a leaky AND is wrong")
	}
	return Verified{&sid}, nil
}

// RowHash is what a party broadcasts of the rows that it sent to another.
func RowHash(sid [32]byte, from, to int, rows []byte) [oracle.Size]byte {
	return oracle.Sum("leaky rows", sid[:], oracle.Party(from), oracle.Party(to), rows)
}

// RowsMatch proves that the rows from every peer were those which it had
// broadcast the hashes of.
type RowsMatch struct{ sid *[32]byte }

// Of tells whether the proof is one of session sid.
func (m RowsMatch) Of(sid [32]byte) bool { return m.sid != nil && *m.sid == sid }

// MatchRows verifies the rows of all peers of self: rows[j] against the part
// for self of hashes[j]. It returns the peer at fault, else −1.
func MatchRows(sid [32]byte, self int, rows, hashes [][]byte) (RowsMatch, int, error) {
	for j := range rows {
		if j == self {
			continue
		}
		want := RowHash(sid, j, self, rows[j])
		if subtle.ConstantTimeCompare(want[:], hashes[j][self*oracle.Size:][:oracle.Size]) != 1 {
			return RowsMatch{}, j, errors.New("rows of leaky ANDs do not match their hash")
		}
		if [oracle.Size]byte(hashes[j][j*oracle.Size:]) != [oracle.Size]byte{} {
			return RowsMatch{}, j, errors.New("a hash of rows to oneself")
		}
	}
	return RowsMatch{&sid}, -1, nil
}
