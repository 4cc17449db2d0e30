package dht

import (
	"testing"
	"time"
)

// A network gets its burst and then its rate; others are not touched; what is
// remembered is bounded.
func TestVisitsAreLimitedByNetwork(t *testing.T) {
	clock := newHandClock()
	v := newVisits(clock.now)
	limits := StoreLimits{}
	count := func(host byte, tries int) (allowed int) {
		for range tries {
			if v.allow(limits.networkOf(at(1, host, 1))) {
				allowed++
			}
		}
		return allowed
	}
	if got := count(1, 1000) + count(2, 1000); got != visitBurst {
		t.Errorf("%d questions of one network at once", got)
	}
	if !v.allow(limits.networkOf(at(2, 1, 1))) {
		t.Error("another network is refused")
	}
	clock.advance(time.Second)
	if got := count(1, 1000); got != visitRate {
		t.Errorf("%d questions in the next second", got)
	}
	for i := range 3 * visitors {
		v.allow(limits.networkOf(public(i, 1)))
	}
	if len(v.seen) > visitors {
		t.Errorf("%d networks are remembered", len(v.seen))
	}
}
