package market

import (
	"errors"
	"testing"
	"time"
)

// promise prepares a renewal that must succeed.
func (b *bench) promise(id LeaseID, total time.Duration) Lease {
	b.t.Helper()
	lease, err := b.Promise(id, total, func(l Lease) []byte { return []byte(l.Duration.String()) })
	if err != nil {
		b.t.Fatal(err)
	}
	return lease
}

// active brings a lease of an hour to life, under an offer with a notice.
func (b *bench) active(n byte) LeaseID {
	b.t.Helper()
	id := b.win(n, small, 1).ID
	b.advance(id, Provisioning, Provisional, Active)
	return id
}

func termBench(t *testing.T) *bench {
	t.Helper()
	b := open(t)
	if err := b.PutOffer(Offer{
		Name: "a", Unit: mustClass(t, small), Ceiling: 100, Price: 5, MaxDuration: 3 * time.Hour, Notice: 10 * time.Minute,
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRenewal(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	granted := b.clock.read()
	p := b.promise(id, 2*time.Hour)
	if p.Duration != time.Hour || p.Promise.Duration != 2*time.Hour || string(p.Promise.Receipt) != "2h0m0s" {
		t.Errorf("%+v", p.Promise)
	}
	// "idempotent by (lease, new end)"
	b.clock.pass(time.Minute)
	if again := b.promise(id, 2*time.Hour); again.Promise.Made != p.Promise.Made || string(again.Promise.Receipt) != "2h0m0s" {
		t.Errorf("prepared again: %+v", again.Promise)
	}
	b.reopen() // durable
	for range 2 {
		l, err := b.Renew(id, 2*time.Hour, nil)
		if err != nil || l.Duration != 2*time.Hour || l.Promise.Duration != 0 || !l.Expires.Equal(granted.Wall.Add(2*time.Hour)) {
			t.Fatalf("%+v, %v", l, err)
		}
		b.reopen()
	}
	b.clock.pass(2*time.Hour - time.Minute - time.Second)
	b.checkDue()
	b.clock.pass(time.Second)
	b.checkDue(Expired)
}

// checkDue asserts what is due, in order.
func (b *bench) checkDue(want ...Reason) {
	b.t.Helper()
	due := b.Due()
	if len(due) != len(want) {
		b.t.Errorf("%d are due, want %v", len(due), want)
		return
	}
	for i, d := range due {
		if d.Reason != want[i] {
			b.t.Errorf("due as %s, want %s", d.Reason, want[i])
		}
	}
}

// A promise binds for two minutes, also beyond the end of the term, and is void
// then.
func TestPromiseIsKept(t *testing.T) {
	for name, tc := range map[string]struct {
		wait time.Duration
		err  error
	}{
		"at once": {0, nil}, "in the last moment": {PromiseTime - 1, nil}, "too late": {PromiseTime, ErrNoPromise},
	} {
		t.Run(name, func(t *testing.T) {
			b := termBench(t)
			id := b.active(1)
			b.clock.pass(time.Hour - time.Second)
			b.promise(id, 2*time.Hour)
			b.clock.pass(tc.wait)
			if tc.err == nil {
				b.checkDue() // though its first hour may be over
			} else {
				b.checkDue(Expired)
			}
			if _, err := b.Renew(id, 2*time.Hour, nil); !errors.Is(err, tc.err) {
				t.Errorf("renew: %v", err)
			}
		})
	}
}

func TestNotRenewable(t *testing.T) {
	for name, spoil := range map[string]func(b *bench, id LeaseID) (total time.Duration){
		"shorter":        func(*bench, LeaseID) time.Duration { return time.Hour - time.Second },
		"equal":          func(*bench, LeaseID) time.Duration { return time.Hour },
		"half a second":  func(*bench, LeaseID) time.Duration { return time.Hour + time.Second/2 },
		"below zero":     func(*bench, LeaseID) time.Duration { return -2 * time.Hour },
		"too long":       func(*bench, LeaseID) time.Duration { return 3*time.Hour + time.Second },
		"beyond measure": func(*bench, LeaseID) time.Duration { return 1<<63 - 1 },
		"offer paused": func(b *bench, _ LeaseID) time.Duration {
			must1(b.t, b.SetPaused("a", true))
			return 2 * time.Hour
		},
		"offer gone": func(b *bench, _ LeaseID) time.Duration {
			must1(b.t, b.RemoveOffer("a"))
			return 2 * time.Hour
		},
		"requester denied": func(b *bench, _ LeaseID) time.Duration {
			o, _ := b.Offer("a")
			o.Deny = []string{peerText(alice)}
			must1(b.t, b.PutOffer(o))
			return 2 * time.Hour
		},
		"over": func(b *bench, _ LeaseID) time.Duration {
			b.clock.pass(time.Hour)
			return 2 * time.Hour
		},
		"taken back": func(b *bench, id LeaseID) time.Duration {
			_, err := b.Reclaim(id)
			must1(b.t, err)
			return 2 * time.Hour
		},
		"expiring": func(b *bench, id LeaseID) time.Duration {
			b.advance(id, Expiring)
			return 2 * time.Hour
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := termBench(t)
			id := b.active(1)
			total := spoil(b, id)
			before, _ := b.Lease(id)
			never := func(Lease) []byte { t.Error("a receipt was made"); return nil }
			if _, err := b.Promise(id, total, never); !errors.Is(err, ErrNotRenewable) {
				t.Errorf("promised: %v", err)
			}
			if after, _ := b.Lease(id); !equalLease(after, before) || after.Promise.Duration != 0 {
				t.Errorf("%+v", after)
			}
			if _, err := b.Renew(id, 2*time.Hour, nil); err == nil {
				t.Error("renewed without a promise")
			}
		})
	}
	b := termBench(t)
	if _, err := b.Promise(LeaseID{1}, time.Hour, nil); !errors.Is(err, ErrNoLease) {
		t.Errorf("no lease: %v", err)
	}
	if _, err := b.Renew(LeaseID{1}, time.Hour, nil); !errors.Is(err, ErrNoLease) {
		t.Errorf("no lease: %v", err)
	}
	id := b.win(1, small, 1).ID
	b.advance(id, Provisioning, Provisional)
	if _, err := b.Promise(id, 2*time.Hour, nil); !errors.Is(err, ErrNotRenewable) {
		t.Errorf("not confirmed: %v", err)
	}
}

func must1(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The last word counts: another term takes the place of the one that was
// prepared, but cannot be used to stretch a lease whose time is over.
func TestAnotherPromise(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	b.promise(id, 2*time.Hour)
	b.promise(id, 3*time.Hour)
	if _, err := b.Renew(id, 2*time.Hour, nil); !errors.Is(err, ErrNoPromise) {
		t.Errorf("the first promise: %v", err)
	}
	b.clock.pass(time.Hour - time.Second)
	b.promise(id, 2*time.Hour)
	b.clock.pass(time.Minute)
	if _, err := b.Promise(id, 3*time.Hour, nil); !errors.Is(err, ErrNotRenewable) {
		t.Errorf("after its time: %v", err)
	}
	if _, err := b.Renew(id, 2*time.Hour, func(l *Lease) { l.Quantity++ }); err == nil {
		t.Error("renewed at another quantity")
	}
	if l, err := b.Renew(id, 2*time.Hour, func(l *Lease) { l.Receipt = []byte("two") }); err != nil || string(l.Receipt) != "two" {
		t.Errorf("%+v, %v", l, err)
	}
}

// A renewal that was confirmed is no promise of capacity twice over: the pool is
// as before.
func TestRenewalTakesNothingMore(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	before := b.Usage()
	b.promise(id, 2*time.Hour)
	_, err := b.Renew(id, 2*time.Hour, nil)
	must1(t, err)
	if after := b.Usage(); !after.Reserved.Equal(before.Reserved) || !after.Free.Equal(before.Free) {
		t.Errorf("%+v, before %+v", after, before)
	}
}

func TestReclaim(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	b.clock.pass(5 * time.Minute)
	at := b.clock.read()
	for range 2 {
		l, err := b.Reclaim(id)
		if err != nil || l.Reclaimed != at || !l.Expires.Equal(at.Wall.Add(10*time.Minute)) {
			t.Fatalf("%+v, %v", l, err)
		}
		b.clock.pass(time.Minute)
		b.reopen()
	}
	l, _ := b.Lease(id)
	if left := l.Left(b.clock.read()); left != 8*time.Minute {
		t.Errorf("%s are left", left)
	}
	b.clock.pass(8*time.Minute - time.Nanosecond)
	b.checkDue()
	b.clock.pass(time.Nanosecond)
	b.checkDue(TakenBack)
	// One that ends anyway ends then, not later.
	id = b.active(2)
	b.clock.pass(55 * time.Minute)
	l, err := b.Reclaim(id)
	if err != nil || l.Left(b.clock.read()) != 5*time.Minute || !l.Expires.Equal(l.Granted.Wall.Add(time.Hour)) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestNotReclaimable(t *testing.T) {
	b := termBench(t)
	if _, err := b.Reclaim(LeaseID{1}); !errors.Is(err, ErrNoLease) {
		t.Errorf("no lease: %v", err)
	}
	reserved := b.win(1, small, 1).ID
	over := b.active(2)
	b.advance(over, Expiring, Released)
	b.offer("b", "cpu=1,memory=8Gi", 4, 5) // without a notice
	firm := b.win(3, "cpu=1,memory=8Gi", 1).ID
	b.advance(firm, Provisioning, Provisional, Active)
	// An offer that is changed afterwards changes no lease.
	o, _ := b.Offer("b")
	o.Notice = time.Minute
	must1(t, b.PutOffer(o))
	for name, id := range map[string]LeaseID{"reserved": reserved, "over": over, "firm": firm} {
		if _, err := b.Reclaim(id); !errors.Is(err, ErrNotReclaimable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// "Clock jumps don't expire leases early": neither a renewed lease nor one that
// is taken back, nor is a promise void before its time; notice is not given
// early either.
func TestClockJumps(t *testing.T) {
	jumps := map[string]func(*bench){
		"ahead":            func(b *bench) { b.clock.now.Wall = b.clock.now.Wall.Add(1000 * time.Hour) },
		"back":             func(b *bench) { b.clock.now.Wall = b.clock.now.Wall.Add(-1000 * time.Hour) },
		"reboot":           func(b *bench) { b.clock.now.Boot, b.clock.now.Since = "other", 0; b.reopen() },
		"reboot and grace": func(b *bench) { b.clock.now.Boot, b.clock.now.Since = "other", 0; b.clock.pass(Grace); b.reopen() },
	}
	for name, jump := range jumps {
		t.Run(name, func(t *testing.T) {
			b := termBench(t)
			renewed, taken, promised := b.active(1), b.active(2), b.active(3)
			b.promise(renewed, 3*time.Hour)
			_, err := b.Renew(renewed, 3*time.Hour, nil)
			must1(t, err)
			must1(t, b.Told(renewed, b.lease(renewed).NoticeAt(b.clock.read())))
			_, err = b.Reclaim(taken)
			must1(t, err)
			must1(t, b.Told(taken, b.lease(taken).NoticeAt(b.clock.read())))
			must1(t, b.Told(promised, b.lease(promised).NoticeAt(b.clock.read())))
			b.promise(promised, 2*time.Hour)
			jump(b)
			b.clock.pass(PromiseTime - time.Second)
			b.checkDue()
			if list := b.Tellings(); len(list) != 0 {
				t.Errorf("%d notices after a jump", len(list))
			}
			if _, err = b.Renew(promised, 2*time.Hour, nil); err != nil {
				t.Errorf("the promise: %v", err)
			}
			b.clock.pass(10*time.Minute - PromiseTime)
			b.checkDue()
			b.clock.pass(time.Second + Grace)
			b.checkDue(TakenBack)
		})
	}
}

func (b *bench) lease(id LeaseID) Lease {
	b.t.Helper()
	l, ok := b.Lease(id)
	if !ok {
		b.t.Fatal("no lease")
	}
	return l
}
