package market

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLifeOfALease(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 5)
	id := b.win(1, small, 4).ID
	start := b.clock.read()

	b.clock.pass(time.Second)
	lease, err := b.Advance(id, Provisioning, func(l *Lease) { l.Namespace = "angler-x" })
	if err != nil || lease.Namespace != "angler-x" || lease.Started != b.clock.read() || !lease.Expires.Equal(start.Wall.Add(time.Hour+time.Second)) {
		t.Fatalf("%+v, %v", lease, err)
	}
	b.clock.pass(time.Second)
	granted := b.clock.read()
	if _, err = b.Advance(id, Provisional, func(l *Lease) { l.Grant, l.Manifest = []byte("token"), [32]byte{7} }); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(time.Second)
	if lease = b.advance(id, Active); lease.Granted != granted || lease.Confirmed != b.clock.read() || !lease.Expires.Equal(granted.Wall.Add(time.Hour)) {
		t.Fatalf("%+v", lease)
	}
	// Renewed by an hour.
	b.promise(id, 2*time.Hour)
	if lease, err = b.Renew(id, 2*time.Hour, nil); err != nil || !lease.Expires.Equal(granted.Wall.Add(2*time.Hour)) {
		t.Fatalf("%+v, %v", lease, err)
	}
	b.reopen()
	if again, ok := b.Lease(id); !ok || !equalLease(again, lease) || string(again.Grant) != "token" {
		t.Errorf("after a restart: %+v, want %+v", again, lease)
	}
	b.checkUsage("cpu=10,memory=10Gi", "cpu=4,memory=4Gi", "", "cpu=6,memory=6Gi")

	if lease = b.advance(id, Expiring); lease.End() != Released {
		t.Errorf("a granted lease ends as %s", lease.End())
	}
	b.checkUsage("cpu=10,memory=10Gi", "cpu=4,memory=4Gi", "", "cpu=6,memory=6Gi") // until its objects are gone
	lease, err = b.Advance(id, Released, func(l *Lease) { l.Reason = Expired.String() })
	if err != nil || lease.Grant != nil || lease.Reason != "expired" || lease.Ended != b.clock.read() {
		t.Errorf("%+v, %v", lease, err)
	}
	b.checkUsage("cpu=10,memory=10Gi", "", "", "cpu=10,memory=10Gi")
}

func TestAdvanceRefuses(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 5)
	before := b.win(1, small, 4)
	if _, err := b.Advance(LeaseID{1}, Released, nil); !errors.Is(err, ErrNoLease) {
		t.Errorf("unknown: %v", err)
	}
	if _, err := b.Advance(before.ID, Active, nil); !errors.As(err, new(*TransitionError)) {
		t.Errorf("out of order: %v", err)
	}
	for name, edit := range map[string]func(*Lease){
		"quantity":  func(l *Lease) { l.Quantity = 3 },
		"price":     func(l *Lease) { l.Price = 3 },
		"requester": func(l *Lease) { l.Requester = bob },
		"class":     func(l *Lease) { l.Class.CPU = 2000 },
		"id":        func(l *Lease) { l.ID = LeaseID{} },
		"sid":       func(l *Lease) { l.SID = [32]byte{} },
		"offer":     func(l *Lease) { l.Offer = "" },
		"policy":    func(l *Lease) { l.Policy = "fit" },
		"state":     func(l *Lease) { l.State = Active },
		"granted":   func(l *Lease) { l.Granted = l.Reserved },
		"duration":  func(l *Lease) { l.Duration *= 2 },
		"promise":   func(l *Lease) { l.Promise.Duration = time.Hour },
		"notice":    func(l *Lease) { l.Notice = time.Hour },
		"told":      func(l *Lease) { l.Told.Kind = NoticeExpiry },
		"reclaimed": func(l *Lease) { l.Reclaimed = l.Reserved },
	} {
		if _, err := b.Advance(before.ID, Provisioning, edit); err == nil {
			t.Errorf("an edit of the %s went through", name)
		}
	}
	if after, _ := b.Lease(before.ID); !equalLease(after, before) {
		t.Errorf("refused changes left %+v", after)
	}
	b.reopen()
	if after, _ := b.Lease(before.ID); !equalLease(after, before) {
		t.Errorf("refused changes left %+v on disk", after)
	}
	// What Lease returns is a copy.
	lease, err := b.Edit(before.ID, func(l *Lease) { l.Receipt = []byte("signed") })
	if err != nil {
		t.Fatal(err)
	}
	lease.Receipt[0] = 'X'
	if again, _ := b.Lease(before.ID); string(again.Receipt) != "signed" {
		t.Error("a caller reached into the ledger")
	}
}

func TestDue(t *testing.T) {
	b := open(t)
	b.offer("a", small, 100, 5)
	ids := map[string]LeaseID{}
	for i, tc := range []struct {
		name   string
		states []State
	}{
		{"reserved", nil}, {"provisioning", []State{Provisioning}}, {"provisional", []State{Provisioning, Provisional}},
		{"active", []State{Provisioning, Provisional, Active}}, {"expiring", []State{Provisioning, Expiring}},
		{"failed", []State{Failed}}, {"released", []State{Released}},
	} {
		lease := b.win(byte(i), small, 1)
		b.advance(lease.ID, tc.states...)
		ids[tc.name] = lease.ID
	}
	check := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, d := range b.Due() {
			for name, id := range ids {
				if id == d.Lease.ID {
					got = append(got, fmt.Sprintf("%s %s → %s", name, d.Reason, next(d)))
				}
			}
			if d.Lease.State.Check(next(d)) != nil {
				t.Errorf("%s: %s cannot become %s", when, d.Lease.State, next(d))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: due %q, want %q", when, got, want)
		}
	}
	const unfinished = "expiring unfinished → failed" // it was never granted
	check("at first", unfinished)
	b.clock.pass(time.Minute - 1)
	check("a nanosecond before a minute", unfinished)
	b.clock.pass(1)
	check("after a minute", unfinished, "reserved unclaimed → released")
	b.clock.pass(time.Minute)
	check("after two", unfinished, "reserved unclaimed → released", "provisional unconfirmed → expiring")
	b.clock.pass(3 * time.Minute)
	check("after five", unfinished, "reserved unclaimed → released", "provisional unconfirmed → expiring", "provisioning stuck → expiring")

	// "On start: finish or undo what was under way."
	b.reopen()
	rest := []string{unfinished, "reserved unclaimed → released", "provisional unconfirmed → expiring", "provisioning interrupted → expiring"}
	check("after a restart", rest...)
	b.clock.pass(55*time.Minute - 1)
	check("a nanosecond before an hour", rest...)
	b.clock.pass(1)
	check("after an hour", append(rest, "active expired → expiring")...)

	for _, d := range b.Due() {
		b.advance(d.Lease.ID, next(d))
	}
	check("when all were moved on", unfinishedAs("provisional", Released), unfinishedAs("provisioning", Failed), unfinishedAs("active", Released))
	for _, d := range b.Due() {
		b.advance(d.Lease.ID, next(d))
	}
	check("when all were undone")
	b.checkUsage("cpu=100,memory=100Gi", "", "", "cpu=100,memory=100Gi")
}

// next is what becomes of a lease that is due: an unclaimed reservation, of which
// the cluster knows nothing, is released at once; an unfinished one comes to its
// end when its objects are gone; all others are being undone first.
func next(d Due) State {
	switch d.Reason {
	case Unclaimed:
		return Released
	case Unfinished:
		return d.Lease.End()
	}
	return Expiring
}

// A claim or a confirmation in the last moment: what Due listed is not due any
// more if it moved on, and is still if it did not.
func TestIsDue(t *testing.T) {
	b := open(t)
	b.offer("a", small, 100, 5)
	claimed, confirmed, left := b.win(1, small, 1).ID, b.win(2, small, 1).ID, b.win(3, small, 1).ID
	b.advance(confirmed, Provisioning, Provisional)
	b.clock.pass(2 * time.Minute)
	if due := b.Due(); len(due) != 3 {
		t.Fatalf("due: %+v", due)
	}
	b.advance(claimed, Provisioning)
	b.advance(confirmed, Active)
	for _, id := range []LeaseID{claimed, confirmed, {9}} {
		if d, ok := b.IsDue(id); ok {
			t.Errorf("due: %+v", d)
		}
	}
	if d, ok := b.IsDue(left); !ok || d.Reason != Unclaimed || d.Lease.ID != left {
		t.Errorf("%+v, %v", d, ok)
	}
}

func unfinishedAs(name string, end State) string {
	return fmt.Sprintf("%s unfinished → %s", name, end)
}

// "A lease never expires before its duration of boot-time clock within one
// boot; across boots wall clock plus five minutes of grace."
func TestClockJumpsDoNotExpire(t *testing.T) {
	b := open(t)
	b.offer("a", small, 100, 5)
	b.advance(b.win(1, small, 1).ID, Provisioning, Provisional, Active)
	b.clock.mu.Lock()
	b.clock.now.Wall = b.clock.now.Wall.Add(1000 * time.Hour)
	b.clock.mu.Unlock()
	if due := b.Due(); len(due) != 0 {
		t.Errorf("a wall clock that jumped ahead ended %+v", due)
	}
	b.clock.mu.Lock()
	b.clock.now.Wall = b.clock.now.Wall.Add(-1000 * time.Hour)
	b.clock.mu.Unlock()
	b.clock.reboot(time.Hour)
	b.reopen()
	if due := b.Due(); len(due) != 0 {
		t.Errorf("no grace over a reboot: %+v", due)
	}
	b.clock.pass(Grace)
	if due := b.Due(); len(due) != 1 || due[0].Reason != Expired {
		t.Errorf("an hour and the grace over a reboot: %+v", due)
	}
}

func TestPrune(t *testing.T) {
	b := open(t)
	b.cfg.Limits = Limits{RetainRows: 3}
	b.reopen()
	b.offer("a", small, 100, 5)
	live := b.win(0, small, 1)
	var ended []LeaseID
	for i := range 6 {
		b.clock.pass(time.Second)
		id := b.win(byte(i+1), small, 1).ID
		b.advance(id, Failed)
		ended = append(ended, id)
	}
	check := func(when string, want ...LeaseID) {
		t.Helper()
		var got []LeaseID
		for _, l := range b.Leases() {
			got = append(got, l.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d rows %v, want %v", when, len(got), got, want)
		}
	}
	if _, err := b.Ledger.Prune(); err != nil {
		t.Fatal(err)
	}
	check("the three last", live.ID, ended[3], ended[4], ended[5])
	b.clock.pass(24*time.Hour - 3*time.Second)
	if n, err := b.Ledger.Prune(); n != 0 || err != nil {
		t.Errorf("%d pruned early, %v", n, err)
	}
	b.clock.pass(time.Second)
	if n, err := b.Ledger.Prune(); n != 1 || err != nil {
		t.Errorf("%d pruned, %v", n, err)
	}
	b.reopen()
	check("a day after", live.ID, ended[4], ended[5])
	b.clock.pass(time.Hour)
	b.advance(live.ID, Released) // ending one prunes others in the same step
	check("after one more end", live.ID)
}

func TestMatchCounts(t *testing.T) {
	b := open(t)
	start := b.clock.read().Wall
	record := func(peer [32]byte, n int) {
		t.Helper()
		for range n {
			if err := b.RecordMatch(peer); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(when string, peer [32]byte, since time.Time, want int) {
		t.Helper()
		if got := b.MatchesSince(peer, since); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	check("at first", alice, start.Add(-time.Hour), 0)
	record(alice, 3)
	b.clock.pass(10 * time.Minute)
	record(alice, 2)
	record(bob, 1)
	b.reopen() // they outlive restarts
	check("all", alice, start, 5)
	check("since later", alice, start.Add(time.Minute), 2)
	check("a minute that has begun", alice, start.Add(10*time.Minute+59*time.Second), 2)
	check("none since", alice, start.Add(11*time.Minute), 0)
	check("another's", bob, start, 1)

	b.clock.pass(-time.Hour) // a clock that is set back does not open the budget
	record(alice, 1)
	check("set back", alice, start, 6)
	b.clock.pass(time.Hour + MatchWindow - 5*time.Minute)
	record(alice, 1)
	check("out of the window", alice, start, 4)
	b.clock.pass(2 * time.Hour)
	record(alice, 1) // and bob's row goes
	b.reopen()
	if n := len(b.matches); n != 1 {
		t.Errorf("%d peers are kept", n)
	}
}

// No error of a ledger tells a quantity or a price.
func TestErrorsCarryNoSecret(t *testing.T) {
	b := open(t)
	b.offer("a", small, 54321, 54321)
	b.hold(1, small)
	b.hold(2, small)
	var errs []error
	for _, q := range []Quantity{54322, 0} {
		_, err := b.Win([32]byte{1}, q, 54321)
		errs = append(errs, err)
	}
	_, err := b.Win([32]byte{1}, 54321, 54320)
	errs = append(errs, err)
	lease, err := b.Win([32]byte{1}, 54321, 54321)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Win([32]byte{1}, 54320, 54321)
	errs = append(errs, err)
	_, err = b.Edit(lease.ID, func(l *Lease) { l.Quantity-- })
	errs = append(errs, err)
	_, err = b.Advance(lease.ID, Active, nil)
	errs = append(errs, err)
	errs = append(errs, b.PutOffer(Offer{Name: "a b", Unit: lease.Class, Ceiling: 54321, Price: 54321}))
	for _, err := range errs {
		if err == nil || strings.Contains(err.Error(), "5432") {
			t.Errorf("error %q", err)
		}
	}
}
