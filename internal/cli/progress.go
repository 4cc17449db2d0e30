package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/requester"
)

// progress turns the events of a request into lines: what is counted is said once, when the next phase begins.
type progress struct {
	talk  talk
	named bool // the user has named whom to ask, so who is of no use is told
	last  requester.Event
}

func (p *progress) event(e requester.Event) {
	switch e.Phase {
	case requester.Unusable:
		if p.named {
			p.talk.warn("%s: %s", e.Addr, unusable(e.Err))
		}
		return
	case requester.Unsearched:
		p.talk.warn("only those who were met before are asked, for the search failed: %v", e.Err)
		return
	}
	if e.Phase != p.last.Phase {
		p.flush()
		switch e.Phase {
		case requester.Chosen:
			if e.Done < e.Of {
				p.talk.step("%d of them fit into the deadline, the nearest ones", e.Done)
			}
		case requester.Drawn:
			who := "all of them"
			if e.Done < e.Of {
				who = fmt.Sprintf("%d of %d, drawn by lot", e.Done, e.Of)
			}
			p.talk.warn("the match failed, and it cannot be told by whom; matching again among %s", who)
		case requester.Timed:
			p.talk.step("a result after %s; %s were predicted", seconds(e.Took.Seconds()), seconds(e.Predicted.Seconds()))
		case requester.Connected:
			p.talk.step("all are connected to each other; matching")
		case requester.Claimed:
			p.talk.step("matched; waiting for the namespace")
		}
	}
	p.last = e
}

// flush says what the last phase counted.
func (p *progress) flush() {
	switch e := p.last; e.Phase {
	case requester.Discovered:
		p.talk.step("found %s", plural(e.Done, "provider"))
	case requester.Invited:
		p.talk.step("%d of %d take part", e.Done, e.Of)
	case requester.Dropped:
		p.talk.warn("left out %s; matching again", plural(e.Done, "provider"))
	}
	p.last = requester.Event{}
}

// unusable says why nobody at an address is of use.
func unusable(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "nobody answers"
	case errors.Is(err, mesh.ErrWrongPeer):
		return "another peer answers there than is named"
	}
	return err.Error()
}
