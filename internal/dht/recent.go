package dht

import (
	"net/netip"
	"sync"
	"time"
)

// recent remembers addresses for a while: those that have answered, those that
// have failed, and those that were pinged back. It holds max of them; beyond that it forgets any one.
type recent struct {
	life time.Duration
	max  int
	now  func() time.Time

	mu    sync.Mutex
	until map[netip.AddrPort]time.Time
}

func newRecent(life time.Duration, limit int, now func() time.Time) *recent {
	return &recent{life: life, max: limit, now: now, until: make(map[netip.AddrPort]time.Time)}
}

// add remembers an address and reports whether it was new.
func (r *recent) add(addr netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if until, ok := r.until[addr]; ok && now.Before(until) {
		return false
	}
	r.put(addr, now)
	return true
}

// renew remembers an address from now on, new or not.
func (r *recent) renew(addr netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(addr, r.now())
}

func (r *recent) put(addr netip.AddrPort, now time.Time) {
	if _, ok := r.until[addr]; !ok && len(r.until) >= r.max {
		for other := range r.until {
			delete(r.until, other)
			break
		}
	}
	r.until[addr] = now.Add(r.life)
}

func (r *recent) has(addr netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[addr]
	return ok && r.now().Before(until)
}

func (r *recent) remove(addr netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.until, addr)
}
