package market

import "testing"

// Who asks about a lease that ended since its namespace was deleted is told so.
func TestNoticeOfDeletion(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	for _, to := range []State{Expiring, Released} {
		l, err := b.Advance(id, to, func(l *Lease) { l.Reason = Deleted.String() })
		must1(t, err)
		if n := l.NoticeAt(b.clock.read()); n.Kind != NoticeDeleted || n.Kind.String() != "deleted" {
			t.Errorf("%s: %s", to, n.Kind)
		}
	}
	if list := b.Tellings(); len(list) != 0 {
		t.Errorf("%d tellings: there is no namespace to tell", len(list))
	}
}
