package auth

import (
	"encoding/binary"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// Window is the bits of Δ that authenticate a narrow bit: the low 48. The
// lowest of them is public, so a bit that was opened with such a MAC is another than it
// is with 2^-47, once a match.
type Window uint64

// NarrowBytes is the length of a narrow MAC.
const NarrowBytes = ot.NarrowColumns / 8

// windowMask has the bits of a window.
const windowMask = 1<<ot.NarrowColumns - 1

// Narrow is the window of a block.
func Narrow(b block.Block) Window { return Window(b.Lo & windowMask) }

// Both is what a pair of narrow bits y and r adds to a pair of MACs.
func (w Window) Both(y, r uint64) block.Block {
	return block.Block{Lo: uint64(w) & -(y & 1), Hi: uint64(w) & -(r & 1)}
}

// PutNarrow writes the low 48 bits of v.
func PutNarrow(b []byte, v uint64) {
	binary.LittleEndian.PutUint32(b, uint32(v))
	binary.LittleEndian.PutUint16(b[4:], uint16(v>>32))
}

// GetNarrow reads 48 bits.
func GetNarrow(b []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
}
