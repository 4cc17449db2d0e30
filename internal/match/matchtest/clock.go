package matchtest

import (
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/market"
)

// Clock goes as the machine's does, and can be put forward.
type Clock struct {
	mu    sync.Mutex
	start time.Time
	ahead time.Duration
}

// NewClock returns a clock that shows the right time.
func NewClock() *Clock { return &Clock{start: time.Now()} }

// Pass puts the clock forward.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Read is a market.Clock.
func (c *Clock) Read() market.Moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().Add(c.ahead)
	return market.Moment{Wall: now.UTC().Round(0), Boot: "test", Since: now.Sub(c.start)}
}

// Now is the wall clock.
func (c *Clock) Now() time.Time { return c.Read().Wall }
