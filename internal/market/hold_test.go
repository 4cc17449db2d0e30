package market

import (
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestHoldWinFree(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 31_000)
	if bid := b.hold(1, small); !reflect.DeepEqual(bid, Bid{Offer: "a", Quantity: 10, Price: 31_000}) {
		t.Fatalf("bid %+v", bid)
	}
	b.checkUsage("cpu=10,memory=10Gi", "", "cpu=10,memory=10Gi", "")
	if bid := b.hold(2, small); bid.Quantity != 0 {
		t.Fatalf("everything is held, and %d more are bid", bid.Quantity)
	}
	// "A win of q keeps q units and frees the rest in the same transaction."
	lease, err := b.Win([32]byte{1}, 4, 31_000)
	if err != nil {
		t.Fatal(err)
	}
	b.checkUsage("cpu=10,memory=10Gi", "cpu=4,memory=4Gi", "", "cpu=6,memory=6Gi")
	want := Lease{
		ID: NewLeaseID([32]byte{1}, provider), SID: [32]byte{1}, Requester: alice, Offer: "a", Class: mustClass(t, small), Policy: DefaultPolicy,
		Quantity: 4, Price: 31_000, State: Reserved, Duration: time.Hour, Reserved: b.clock.read(),
	}
	if !equalLease(lease, want) {
		t.Errorf("lease %+v, want %+v", lease, want)
	}
	if bid := b.hold(3, small); bid.Quantity != 6 {
		t.Errorf("6 are free, and %d are bid", bid.Quantity)
	}
	b.Free([32]byte{3})
	b.Free([32]byte{3})
	b.Free([32]byte{1}) // a lease is not a hold
	b.checkUsage("cpu=10,memory=10Gi", "cpu=4,memory=4Gi", "", "cpu=6,memory=6Gi")
	if n := b.CountActive(alice); n != 1 || b.CountActive(bob) != 0 {
		t.Errorf("%d active leases", n)
	}
}

func equalLease(a, b Lease) bool {
	return a.unchanged(b) == nil && a.Duration == b.Duration && a.Namespace == b.Namespace && a.Manifest == b.Manifest &&
		string(a.Grant) == string(b.Grant) && string(a.Receipt) == string(b.Receipt) && a.Reason == b.Reason && a.Expires.Equal(b.Expires)
}

func TestWinRefuses(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 31_000)
	b.hold(1, small)
	for name, tc := range map[string]struct {
		sid   byte
		q     Quantity
		price Price
		want  error
	}{
		"unknown":        {9, 1, 31_000, ErrNoHold},
		"more than held": {1, 11, 31_000, ErrNotHeld},
		"nothing":        {1, 0, 31_000, ErrNotHeld},
		"underpaid":      {1, 1, 30_999, ErrUnderpaid},
	} {
		if _, err := b.Win([32]byte{tc.sid}, tc.q, tc.price); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	b.clock.pass(HoldTime - 1)
	if _, err := b.Win([32]byte{1}, 10, 40_000); err != nil { // a second price is more than was asked
		t.Errorf("in the last nanosecond: %v", err)
	}
	b.offer("b", "cpu=1,memory=2Gi", 5, 1)
	b.hold(2, "cpu=1,memory=2Gi")
	b.clock.pass(HoldTime)
	// "F9 after the hold has expired is refused."
	if _, err := b.Win([32]byte{2}, 1, 1); !errors.Is(err, ErrHoldOver) {
		t.Errorf("after the hold: %v", err)
	}
	if _, err := b.Hold([32]byte{2}, b.ask("cpu=1,memory=2Gi"), HoldTime); !errors.Is(err, ErrHoldOver) {
		t.Errorf("a second hold after the first: %v", err)
	}
	b.checkUsage("cpu=15,memory=20Gi", "cpu=10,memory=10Gi", "", "cpu=5,memory=10Gi")
	if n := b.ExpireHolds(); n != 1 || b.ExpireHolds() != 0 {
		t.Errorf("%d holds expired", n)
	}
	if _, err := b.Win([32]byte{2}, 1, 1); !errors.Is(err, ErrNoHold) {
		t.Errorf("after it was forgotten: %v", err)
	}
}

func TestWinIsIdempotent(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 31_000)
	lease := b.win(1, small, 4)
	for range 2 {
		again, err := b.Win([32]byte{1}, 4, 31_000)
		if err != nil || !equalLease(again, lease) {
			t.Fatalf("again: %+v, %v", again, err)
		}
		b.checkUsage("cpu=10,memory=10Gi", "cpu=4,memory=4Gi", "", "cpu=6,memory=6Gi")
		b.reopen()
	}
	for _, tc := range []struct {
		q     Quantity
		price Price
	}{{5, 31_000}, {4, 31_001}} {
		if _, err := b.Win([32]byte{1}, tc.q, tc.price); !errors.Is(err, ErrConflict) {
			t.Errorf("another outcome: %v", err)
		}
	}
	if _, err := b.Hold([32]byte{1}, b.ask(small), HoldTime); !errors.Is(err, ErrConflict) {
		t.Errorf("a hold for a session that won: %v", err)
	}
	b.advance(lease.ID, Released)
	if again, err := b.Win([32]byte{1}, 4, 31_000); err != nil || again.State != Released {
		t.Errorf("after its end: %+v, %v", again, err)
	}
}

func TestHoldIsIdempotent(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 31_000)
	first := b.hold(1, small)
	b.clock.pass(HoldTime / 2)
	b.offer("a", small, 20, 5)
	if again := b.hold(1, small); !reflect.DeepEqual(again, first) {
		t.Errorf("another bid: %+v, then %+v", first, again)
	}
	other := b.ask(small)
	other.Requester = bob
	if _, err := b.Hold([32]byte{1}, other, HoldTime); !errors.Is(err, ErrConflict) {
		t.Errorf("another ask: %v", err)
	}
	b.clock.pass(HoldTime / 2) // not prolonged
	if _, err := b.Win([32]byte{1}, 1, 31_000); !errors.Is(err, ErrHoldOver) {
		t.Errorf("the second call prolonged the hold: %v", err)
	}
}

func TestHoldChooses(t *testing.T) {
	b := open(t)
	b.offer("large-cheap", "cpu=4,memory=16Gi", 2, 10)
	b.offer("large", "cpu=4,memory=16Gi", 3, 20)
	b.offer("exact", small, 4, 99)
	b.offer("exact-dear", small, 5, 100)
	paused := b.offer("paused", small, 6, 1)
	if err := b.SetPaused(paused.Name, true); err != nil {
		t.Fatal(err)
	}
	// Exact unit first, then the cheapest that covers; one with room before
	// one without.
	for i, want := range []Bid{
		{Offer: "exact", Quantity: 4, Price: 99}, {Offer: "exact-dear", Quantity: 5, Price: 100}, {Offer: "large-cheap", Quantity: 2, Price: 10},
		{Offer: "large", Quantity: 3, Price: 20}, {Offer: "exact", Quantity: 0, Price: 99},
	} {
		if got := b.hold(byte(i), small); !reflect.DeepEqual(got, want) {
			t.Errorf("bid %d is %+v, want %+v", i, got, want)
		}
	}
	if got := b.hold(50, "cpu=1,memory=1Gi,arch=arm64"); !reflect.DeepEqual(got, Bid{}) {
		t.Errorf("no offer fits, and %+v is bid", got)
	}
	if _, err := b.Hold([32]byte{51}, Ask{}, HoldTime); !errors.As(err, new(*FieldError)) {
		t.Errorf("a malformed ask: %v", err)
	}
	if _, err := b.Hold([32]byte{51}, b.ask(small), 0); err == nil {
		t.Error("a hold of no time")
	}
}

// The last units: two holds at once, exactly one gets them; and never more than
// there are are held and won, whoever comes when.
func TestConcurrentHolds(t *testing.T) {
	b := open(t)
	b.offer("a", small, 20, 1)
	const requests = 50
	asks := make([]Ask, requests)
	for i := range asks {
		asks[i] = b.ask(small)
	}
	var wg sync.WaitGroup
	got := make([]Quantity, 2)
	for i := range got {
		wg.Go(func() {
			bid, err := b.Hold([32]byte{0, byte(i)}, asks[i], HoldTime)
			if err != nil {
				t.Error(err)
			}
			got[i] = bid.Quantity
		})
	}
	wg.Wait()
	slices.Sort(got)
	if !slices.Equal(got, []Quantity{0, 20}) {
		t.Fatalf("two holds on the last 20 units got %v", got)
	}
	b.Free([32]byte{0, 0})
	b.Free([32]byte{0, 1})

	var mu sync.Mutex
	won := 0
	for i := range requests {
		wg.Go(func() {
			for try := range 1 << 14 {
				sid := [32]byte{1, byte(i), byte(try), byte(try >> 8)}
				bid, err := b.Hold(sid, asks[i], HoldTime)
				if err != nil {
					t.Error(err)
					return
				}
				if bid.Quantity > 0 {
					if _, err := b.Win(sid, 1, bid.Price); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					won++
					mu.Unlock()
					return
				}
				b.Free(sid)
				if b.Usage().Reserved["cpu"] == 20_000 {
					return // sold out
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	if u := b.Usage(); won != 20 || u.Reserved["cpu"] != 20_000 || u.Free["cpu"] != 0 || u.Held["cpu"] != 0 {
		t.Errorf("%d of 20 won, usage %+v", won, u)
	}
}

func TestAdmit(t *testing.T) {
	b := open(t)
	a := b.ask(small)
	decline := func(name, reason string) {
		t.Helper()
		var d *DeclineError
		if err := b.Admit(a); !errors.As(err, &d) || !strings.Contains(d.Reason, reason) {
			t.Errorf("%s: %v, want %q", name, err, reason)
		}
	}
	decline("no offers", "no offer")
	o := Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 3, MaxLeases: 2, MaxMatches: 3}
	if err := b.PutOffer(o); err != nil {
		t.Fatal(err)
	}
	if err := b.Admit(a); err != nil {
		t.Error(err)
	}
	if err := b.Admit(Ask{}); !errors.As(err, new(*FieldError)) {
		t.Errorf("malformed: %v", err)
	}
	one := b.win(1, small, 1)
	b.win(2, small, 1)
	decline("two leases of two", "leases")
	// Two matches that were admitted before the last lease was there.
	if bid := b.hold(3, small); !reflect.DeepEqual(bid, Bid{}) {
		t.Errorf("a bid beyond the lease budget: %+v", bid)
	}
	b.advance(one.ID, Released)
	if err := b.Admit(a); err != nil {
		t.Error(err)
	}
	if bid := b.hold(4, small); bid.Quantity != 2 {
		t.Errorf("bid %+v", bid)
	}
	if bid := b.hold(5, small); !reflect.DeepEqual(bid, Bid{}) {
		t.Errorf("holds do not count as leases to come: %+v", bid)
	}
	for range 3 {
		if err := b.RecordMatch(alice); err != nil {
			t.Fatal(err)
		}
	}
	decline("three matches of three", "matches")
	b.clock.pass(MatchWindow + time.Minute)
	if err := b.Admit(a); err != nil {
		t.Error(err)
	}
	// "A full provider accepts and enters 0, so that declining says nothing."
	a.Requester = bob
	b.win(6, small, 2)
	if err := b.Admit(a); err != nil {
		t.Errorf("a full provider declines: %v", err)
	}
}
