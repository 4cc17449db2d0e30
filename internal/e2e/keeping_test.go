package e2e

import (
	"strings"
	"testing"
)

// A daemon that drains drains on when it is started again, be it killed or
// stopped, until it is told otherwise; one that has left is not gone again at
// once.
func TestDrainOutlivesTheDaemon(t *testing.T) {
	w := newWorld(t)
	ann := w.provider("ann", 8, "0.03")
	w.must("ann", "drain")
	ann.kill()
	ann = w.serve("ann")
	if s := w.must("ann", "status"); !strings.Contains(s, "no new matches until angler drain --undo") {
		t.Errorf("after a crash:\n%s", s)
	}
	if !strings.Contains(ann.log.String(), "told to drain") {
		t.Error("the log does not say so")
	}
	w.must("ann", "drain", "--exit")
	<-ann.done
	ann = w.serve("ann")
	if s := w.must("ann", "status", "-o", "json"); !strings.Contains(s, `"drain": "draining"`) {
		t.Errorf("after it has left:\n%s", s)
	}
	w.must("ann", "drain", "--undo")
	ann.stop()
	w.serve("ann")
	if s := w.must("ann", "status"); strings.Contains(s, "draining") {
		t.Errorf("after it was undone:\n%s", s)
	}
}
