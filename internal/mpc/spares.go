package mpc

import "sync"

// spares is memory that the steps of a party use again instead of having it made and
// cleared anew: of one kind, for one purpose at a time, any number of goroutines.
type spares[E any] struct {
	mu   sync.Mutex
	free [][]E
}

// with gives f room for n elements, all of them zero, and wipes them after.
func (s *spares[E]) with(n int, f func(room []E)) {
	s.mu.Lock()
	var room []E
	if k := len(s.free); k > 0 {
		room, s.free = s.free[k-1], s.free[:k-1]
	}
	s.mu.Unlock()
	if cap(room) < n {
		room = make([]E, n)
	}
	f(room[:n])
	clear(room[:n])
	s.mu.Lock()
	s.free = append(s.free, room)
	s.mu.Unlock()
}
