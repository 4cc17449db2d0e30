package market

import (
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// testClock stands until it is moved.
type testClock struct {
	mu  sync.Mutex
	now Moment
}

func newTestClock() *testClock {
	return &testClock{now: Moment{Wall: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Boot: "first", Since: time.Hour}}
}

func (c *testClock) read() Moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Wall, c.now.Since = c.now.Wall.Add(d), c.now.Since+d
}

func (c *testClock) reboot(down time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = Moment{Wall: c.now.Wall.Add(down), Boot: c.now.Boot + "+", Since: 0}
}

var provider = [32]byte{0xaa}

// bench is a ledger on a file with a clock, for tests.
type bench struct {
	*Ledger
	t     testing.TB
	clock *testClock
	cfg   Config
}

func open(t testing.TB) *bench {
	t.Helper()
	clock := newTestClock()
	b := &bench{t: t, clock: clock, cfg: Config{Path: filepath.Join(t.TempDir(), "state", "ledger.db"), Provider: provider, Clock: clock.read}}
	b.open()
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	l, err := Open(b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Ledger = l
}

func (b *bench) reopen() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

func (b *bench) offer(name, unit string, ceiling Quantity, price Price) Offer {
	b.t.Helper()
	o := Offer{Name: name, Unit: mustClass(b.t, unit), Ceiling: ceiling, Price: price}
	if err := b.PutOffer(o); err != nil {
		b.t.Fatal(err)
	}
	return o.Normalize()
}

func (b *bench) ask(class string) Ask {
	return Ask{Requester: alice, Member: true, Class: mustClass(b.t, class), Policy: DefaultPolicy, Duration: time.Hour}
}

func (b *bench) hold(sid byte, class string) Bid {
	b.t.Helper()
	bid, err := b.Hold([32]byte{sid}, b.ask(class), HoldTime)
	if err != nil {
		b.t.Fatal(err)
	}
	return bid
}

func (b *bench) win(sid byte, class string, q Quantity) Lease {
	b.t.Helper()
	bid := b.hold(sid, class)
	lease, err := b.Win([32]byte{sid}, q, bid.Price)
	if err != nil {
		b.t.Fatal(err)
	}
	return lease
}

func (b *bench) advance(id LeaseID, states ...State) Lease {
	b.t.Helper()
	var lease Lease
	for _, s := range states {
		var err error
		if lease, err = b.Advance(id, s, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	return lease
}

func (b *bench) checkUsage(total, reserved, held, free string) {
	b.t.Helper()
	u := b.Usage()
	for _, part := range []struct {
		name, want string
		got        Resources
	}{{"total", total, u.Total}, {"reserved", reserved, u.Reserved}, {"held", held, u.Held}, {"free", free, u.Free}} {
		if part.got.String() != part.want {
			b.t.Errorf("%s is %q, want %q", part.name, part.got, part.want)
		}
	}
}

const small = "cpu=1,memory=1Gi"
