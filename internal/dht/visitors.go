package dht

import (
	"sync"
	"time"
)

const (
	visitRate  = 100  // questions a second that are answered to one network
	visitBurst = 300  // after a silence
	visitors   = 4096 // networks that are remembered; beyond that any one is forgotten
)

// visits limits how much of this node's time and bandwidth one network gets.
type visits struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[network]visit
}

type visit struct {
	left float64
	at   time.Time
}

func newVisits(now func() time.Time) *visits {
	return &visits{now: now, seen: make(map[network]visit)}
}

// allow counts a question and reports whether it is to be answered.
func (v *visits) allow(from network) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.now()
	last, known := v.seen[from]
	if !known {
		last = visit{left: visitBurst, at: now}
		if len(v.seen) >= visitors {
			for other := range v.seen {
				delete(v.seen, other)
				break
			}
		}
	}
	last.left = min(last.left+visitRate*now.Sub(last.at).Seconds(), visitBurst)
	last.at = now
	ok := last.left >= 1
	if ok {
		last.left--
	}
	v.seen[from] = last
	return ok
}
