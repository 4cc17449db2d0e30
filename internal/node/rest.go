package node

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/angler-dex/angler/internal/match"
)

// restAfter is how long after the last match the daemon counts as idle.
const restAfter = 5 * time.Second

// observe takes what a match has told this node.
func (d *daemon) observe(s match.Seen) {
	d.recent.add(s)
	select {
	case d.matched <- struct{}{}:
	default: // rest is about to look anyway
	}
}

// rest gives memory back to the system once no match has ended for a while. A
// match needs tens of megabytes for a second; the runtime alone would keep them
// for minutes, and a daemon waits most of its life.
func (d *daemon) rest(ctx context.Context) error {
	quiet := time.NewTimer(restAfter) // the start, too, leaves something behind
	defer quiet.Stop()
	for {
		select {
		case <-d.matched:
			quiet.Reset(restAfter)
		case <-quiet.C:
			debug.FreeOSMemory()
		case <-ctx.Done():
			return nil
		}
	}
}
