package dht

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	walkPaths  = 3                      // independent paths of a walk
	walkAlpha  = 4                      // questions in flight on a path
	walkWidth  = 16                     // nearest nodes that must have answered
	walkReach  = 14                     // all within the distance in which so many are expected, too
	walkExpand = 8                      // nearest nodes asked for their neighbours
	walkBudget = 320                    // nodes asked on a path, at most
	slowFirst  = 300 * time.Millisecond // without an answer: ask another one too, before anybody has answered
	slowMin    = 60 * time.Millisecond  // from then on three times what the others took, and no less than this
	lostAfter  = 700 * time.Millisecond // not waited for any more, if five times what the others took is less
	slowCheck  = 50 * time.Millisecond
)

// answer is a node that a walk has heard.
type answer struct {
	contact
	token    []byte
	hasToken bool
}

// walk is an iterative lookup on several paths. The paths start from disjoint
// sets of nodes and follow only what they heard themselves, so that a lying
// node spoils one of them; but no node is asked the same thing twice: its
// answer is given to each path that comes by. One goroutine, run's, owns all
// of this; questions are goroutines that report by event.
type walk struct {
	n      *Node
	side   *side
	target Key
	method string // get_peers or find_node
	peers  func(netip.AddrPort, []netip.AddrPort)

	paths  []*frontier
	heard  map[netip.AddrPort]*heard
	hoods  map[netip.AddrPort]*hood
	events chan event
	asking sync.WaitGroup

	answers int           // so far
	took    time.Duration // by all of them
}

// heard is a question put to a node, and its answer once over.
type heard struct {
	asked time.Time
	over  bool
	ok    bool
	answer
	nodes []contact
}

// hood is a node's neighbourhood, and the paths that wait for it.
type hood struct {
	over    bool
	nodes   []contact
	waiting []*frontier
}

// event is what a question's goroutine reports.
type event struct {
	peers []netip.AddrPort // non-nil: peers that from tells, more will follow
	hood  bool             // the neighbourhood of from
	from  netip.AddrPort
	heard heard
}

// walk looks for the nodes nearest to the target and returns those that
// answered, nearest first. peers, if not nil, is called with the peers of the
// target as a node tells them, from one goroutine. The error wraps
// ErrNoBootstrap when nobody answers.
func (n *Node) walk(ctx context.Context, s *side, target Key, method string, peers func(from netip.AddrPort, told []netip.AddrPort)) ([]answer, error) {
	seeds := s.table.around(target, walkWidth*walkPaths)
	all := len(seeds) < fewNodes
	if all {
		seeds = append(seeds, n.lastResort(s)...)
	}
	for {
		w := &walk{
			n: n, side: s, target: target, method: method, peers: peers,
			heard:  make(map[netip.AddrPort]*heard),
			hoods:  make(map[netip.AddrPort]*hood),
			events: make(chan event),
		}
		w.start(seeds)
		if err := w.run(ctx); err != nil {
			return nil, err
		}
		if answers := w.result(); len(answers) > 0 {
			return answers, nil
		}
		if all {
			return nil, ErrNoBootstrap
		}
		seeds, all = append(s.table.around(target, walkWidth), n.lastResort(s)...), true
	}
}

// lastResort are the bootstrap nodes and the saved ones.
func (n *Node) lastResort(s *side) []contact {
	n.joining.mu.Lock()
	defer n.joining.mu.Unlock()
	var out []contact
	for _, a := range n.joining.bootstrap {
		if s.reaches(a.Addr()) {
			out = append(out, contact{addr: a})
		}
	}
	for _, c := range n.joining.saved {
		if s.reaches(c.addr.Addr()) {
			out = append(out, c)
		}
	}
	return out
}

// namedNodes are the bootstrap nodes.
func (n *Node) namedNodes() []netip.AddrPort {
	n.joining.mu.Lock()
	defer n.joining.mu.Unlock()
	return slices.Clone(n.joining.bootstrap)
}

// start deals the seeds out to the paths, one path for every four. A walk that
// only looks after the table has one.
func (w *walk) start(seeds []contact) {
	paths, expand := min(max(len(seeds)/4, 1), walkPaths), walkExpand
	if w.method == "find_node" {
		paths, expand = 1, walkExpand/4
	}
	named, words := w.n.namedNodes(), newWords()
	for range paths {
		f := newFrontier(w.target, w.side.ID(), walkWidth, expand, walkBudget)
		f.words = words
		f.density, f.reach, f.liar = w.side.table.density(), w.side.table.reach(walkReach), w.n.liars.has
		f.named = func(a netip.AddrPort) bool { return slices.Contains(named, a) }
		w.paths = append(w.paths, f)
	}
	for i, c := range seeds {
		w.paths[i%len(w.paths)].add(c, w.n.failing.has(c.addr))
	}
}

func (w *walk) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer w.asking.Wait()
	defer cancel()
	defer w.gossip()
	// Before the density of nodes is known the nearest cannot be told from a
	// crowd. Walks of the survey itself do not wait for it.
	surveyed := w.method != "get_peers" || w.paths[0].reach != (Key{})
	tick := time.NewTicker(slowCheck)
	defer tick.Stop()
	for {
		w.pump(ctx)
		var survey <-chan struct{}
		if !slices.ContainsFunc(w.paths, func(f *frontier) bool { return !f.done() }) {
			if surveyed || len(w.heard) == 0 || ctx.Err() != nil {
				return ctx.Err()
			}
			survey = w.n.joining.surveyed
		}
		select {
		case <-survey:
			surveyed = true
			for _, f := range w.paths {
				f.density, f.reach = w.side.table.density(), w.side.table.reach(walkReach)
			}
		case e := <-w.events:
			w.take(e)
		case <-tick.C:
			w.markSlow()
		case <-ctx.Done():
			return ctx.Err()
		case <-w.n.stopping:
			return ErrStopped
		}
	}
}

// pump asks on every path as much as may be in flight.
func (w *walk) pump(ctx context.Context) {
	for _, f := range w.paths {
		for f.busy() < walkAlpha {
			if c, ok := f.next(); ok {
				w.question(ctx, f, c)
			} else if c, ok := f.nextExpansion(); ok {
				w.expansion(ctx, f, c)
			} else {
				break
			}
		}
	}
}

// gossip is how this node remembers whose words were worthless, for a while.
func (w *walk) gossip() {
	for _, from := range w.paths[0].words.liars() {
		w.n.liars.renew(from)
	}
}

// markSlow looks at who has not answered in three times the time that the
// others took.
func (w *walk) markSlow() {
	now := w.n.cfg.Now()
	slow, lost := slowFirst, lostAfter
	if w.answers > 0 {
		usual := w.took / time.Duration(w.answers)
		slow, lost = max(3*usual, slowMin), max(5*usual, lostAfter)
	}
	for addr, h := range w.heard {
		if h.over {
			continue
		}
		if now.Sub(h.asked) >= lost {
			w.n.failing.add(addr) // the next walk need not find out for itself; an answer clears it
		}
		for _, f := range w.paths {
			if now.Sub(h.asked) >= slow {
				f.slow(addr)
			}
			if now.Sub(h.asked) >= 2*slow {
				f.lost(addr, now.Sub(h.asked) < lost)
			}
		}
	}
}

// result is the nodes that answered, nearest first, this node not among them.
func (w *walk) result() []answer {
	var out []answer
	for _, h := range w.heard {
		if h.over && h.ok && h.id != w.side.ID() {
			out = append(out, h.answer)
		}
	}
	slices.SortFunc(out, func(a, b answer) int {
		if c := nearer(w.target, a.id, b.id); c != 0 {
			return c
		}
		return a.addr.Compare(b.addr)
	})
	return out
}
