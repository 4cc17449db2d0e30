package ot

import (
	"sync"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// room is the memory in which an extension is made and which nobody keeps. The
// next one of the process has it again. Nothing is taken for granted of what it then
// holds: every step writes what it reads.
type room struct {
	seeds   [2 * Base]block.Block
	leaves  []block.Block
	tags    []byte
	columns []byte
	sum     []byte
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// borrow gives the memory for an extension of l.
func borrow(l layout) *room {
	r := rooms.Get().(*room)
	r.leaves = sized(r.leaves, l.leaves())
	r.tags = sized(r.tags, l.leaves()*leafTagSize)
	r.columns = sized(r.columns, Base*l.stride())
	r.sum = sized(r.sum, l.longest())
	return r
}

// giveBack wipes what has been written: seeds and leaves, of which everything else can
// be made, and the columns, which are the rows of the match in another order.
func (r *room) giveBack() {
	clear(r.seeds[:])
	clear(r.leaves)
	clear(r.columns)
	rooms.Put(r)
}

// sized is s with n elements, whatever they are.
func sized[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
