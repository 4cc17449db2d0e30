package mesh

import (
	"sync"

	"github.com/quic-go/quic-go"
)

// budget bounds by how much the receive windows of all connections together
// may grow over what they begin with.
type budget struct {
	mu    sync.Mutex
	left  uint64
	given map[*quic.Conn]uint64
}

func newBudget(size uint64) *budget {
	return &budget{left: size, given: make(map[*quic.Conn]uint64)}
}

// grow lets a connection's window grow by delta if that much is left. The
// transport calls it with locks held: it only counts.
func (b *budget) grow(conn *quic.Conn, delta uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if delta > b.left {
		return false
	}
	b.left -= delta
	b.given[conn] += delta
	return true
}

// settle takes back what a connection that has ended was given.
func (b *budget) settle(conn *quic.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += b.given[conn]
	delete(b.given, conn)
}
