package cli

import (
	"io"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/requester"
)

// What a killed command has left half claimed is shown as under way while it may be, and then as lost.
func TestLeasesThatWereNeverClaimed(t *testing.T) {
	t.Parallel()
	store, err := requester.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := newApp(IOStreams{Out: io.Discard, Err: io.Discard})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a.now = func() time.Time { return now }
	for _, c := range []struct {
		state requester.State
		age   time.Duration
		live  bool
		shown string
	}{
		{requester.Claiming, time.Minute, true, "claiming"},
		{requester.Claiming, lapses, true, "claiming"},
		{requester.Claiming, lapses + time.Second, false, "lost"},
		{requester.Active, lapses + time.Second, true, "active"},
		{requester.Granted, lapses + time.Second, true, "granted"}, // it may be active at its provider
	} {
		l := requester.Lease{State: c.state, Created: now.Add(-c.age), Duration: time.Hour}
		l.Parts = []requester.Part{{State: c.state}}
		if c.state != requester.Claiming {
			l.Parts[0].Expires = l.Created.Add(l.Duration)
		}
		if live, info := a.live(l), a.leaseInfo(store, l); live != c.live || info.State != c.shown || (info.Reason != "") != (c.shown == "lost") {
			t.Errorf("%s, %v old: live %v, shown as %q because %q", c.state, c.age, live, info.State, info.Reason)
		}
	}
}
