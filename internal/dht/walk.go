package dht

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
)

const (
	walkPaths  = 3                      // independent paths of a walk
	walkAlpha  = 4                      // questions in flight on a path
	walkWidth  = 16                     // nearest nodes that must have answered
	walkExpand = 8                      // nearest nodes asked for their neighbours
	walkBudget = 160                    // nodes asked on a path, at most
	slowAfter  = 300 * time.Millisecond // without an answer: ask another one too
	slowCheck  = 100 * time.Millisecond
)

// answer is a node that a walk has heard.
type answer struct {
	contact
	token    string
	hasToken bool
}

// walk is an iterative lookup on several paths. The paths start from disjoint
// sets of nodes and follow only what they heard themselves, so that a lying
// node spoils one of them; but no node is asked the same thing twice: its
// answer is given to each path that comes by. One goroutine, run's, owns all
// of this; questions are goroutines that report by event.
type walk struct {
	n      *Node
	target Key
	method string // get_peers or find_node
	peers  func([]netip.AddrPort)

	paths  []*frontier
	heard  map[netip.AddrPort]*heard
	hoods  map[netip.AddrPort]*hood
	events chan event
	asking sync.WaitGroup
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
	peers []netip.AddrPort // non-nil: peers, more will follow
	hood  bool             // the neighbourhood of from
	from  netip.AddrPort
	heard heard
}

// walk looks for the nodes nearest to the target and returns those that
// answered, nearest first. peers, if not nil, is called with the peers of the
// target as nodes tell them, from one goroutine. The error wraps
// ErrNoBootstrap when nobody answers.
func (n *Node) walk(ctx context.Context, target Key, method string, peers func([]netip.AddrPort)) ([]answer, error) {
	sure, unheard := n.seeds(target)
	all := len(sure) < fewNodes
	if all {
		sure = append(sure, n.lastResort()...)
	}
	for {
		w := &walk{
			n: n, target: target, method: method, peers: peers,
			heard:  make(map[netip.AddrPort]*heard),
			hoods:  make(map[netip.AddrPort]*hood),
			events: make(chan event),
		}
		w.start(sure, unheard)
		if err := w.run(ctx); err != nil {
			return nil, err
		}
		if answers := w.answers(); len(answers) > 0 {
			return answers, nil
		}
		if all {
			return nil, ErrNoBootstrap
		}
		sure, unheard, all = n.lastResort(), nil, true
	}
}

// seeds are the nearest nodes of the routing table: those that have answered
// us, and those that have only asked (with any id and, if they forged it, from
// any address).
func (n *Node) seeds(target Key) (sure, unheard []contact) {
	for _, info := range n.server.Nodes() {
		switch c, ok := contactOf(info); {
		case !ok:
		case n.heard.has(c.addr):
			sure = append(sure, c)
		default:
			unheard = append(unheard, c)
		}
	}
	nearest := func(list []contact, count int) []contact {
		slices.SortFunc(list, func(a, b contact) int { return nearer(target, a.id, b.id) })
		return list[:min(len(list), count)]
	}
	return nearest(sure, walkWidth*walkPaths), nearest(unheard, walkWidth)
}

// lastResort are the bootstrap nodes and the saved ones.
func (n *Node) lastResort() []contact {
	var out []contact
	for _, a := range n.bootstrapAddrs() {
		out = append(out, contact{addr: a})
	}
	n.joining.mu.Lock()
	defer n.joining.mu.Unlock()
	return append(out, n.joining.saved...)
}

// start deals the seeds out to the paths, one path for every four sure ones.
// The others are asked, but not waited for.
func (w *walk) start(sure, unheard []contact) {
	for range min(max(len(sure)/4, 1), walkPaths) {
		w.paths = append(w.paths, newFrontier(w.target, w.n.id, walkWidth, walkExpand, walkBudget))
	}
	for i, c := range sure {
		w.paths[i%len(w.paths)].add(c, w.n.failing.has(c.addr))
	}
	for i, c := range unheard {
		w.paths[i%len(w.paths)].add(c, true)
	}
}

func (w *walk) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer w.asking.Wait()
	defer cancel()
	tick := time.NewTicker(slowCheck)
	defer tick.Stop()
	for {
		w.pump(ctx)
		if !slices.ContainsFunc(w.paths, func(f *frontier) bool { return !f.done() }) {
			return ctx.Err()
		}
		select {
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

// question asks a node, or takes the answer it gave before.
func (w *walk) question(ctx context.Context, f *frontier, c contact) {
	if h := w.heard[c.addr]; h != nil {
		if h.over {
			w.tell(f, h)
		}
		return // else the event tells every path
	}
	w.heard[c.addr] = &heard{asked: w.n.cfg.Now(), answer: answer{contact: c}}
	w.asking.Go(func() { w.ask(ctx, c) })
}

func (w *walk) ask(ctx context.Context, c contact) {
	args := krpc.MsgArgs{Target: krpc.ID(w.target)}
	if w.method == "get_peers" {
		args = krpc.MsgArgs{InfoHash: krpc.ID(w.target)}
	}
	h := heard{over: true, answer: answer{contact: c}}
	r, err := w.n.ask(ctx, c.addr, w.method, args)
	if err == nil {
		h.ok, h.id, h.known = true, Key(r.ID), true
		if r.Token != nil {
			h.token, h.hasToken = *r.Token, true
		}
		h.nodes = w.n.contactsIn(r)
		if found := peersIn(r); len(found) > 0 {
			w.report(ctx, event{peers: found})
			if len(h.nodes) == 0 { // the library tells peers or nodes, never both
				h.nodes = w.nodesNear(ctx, c.addr, w.target)
			}
		}
	}
	w.report(ctx, event{from: c.addr, heard: h})
}

// expansion asks a node for its own neighbourhood. The library hides nodes
// nearer to itself than to the target, however near these are to the target.
func (w *walk) expansion(ctx context.Context, f *frontier, c contact) {
	h := w.hoods[c.addr]
	switch {
	case h == nil:
		w.hoods[c.addr] = &hood{waiting: []*frontier{f}}
		w.asking.Go(func() {
			w.report(ctx, event{hood: true, from: c.addr, heard: heard{nodes: w.nodesNear(ctx, c.addr, c.id)}})
		})
	case h.over:
		w.tellHood(f, h)
	default:
		h.waiting = append(h.waiting, f)
	}
}

func (w *walk) nodesNear(ctx context.Context, at netip.AddrPort, target Key) []contact {
	r, err := w.n.ask(ctx, at, "find_node", krpc.MsgArgs{Target: krpc.ID(target)})
	if err != nil {
		return nil // it did answer before: what it said then stays
	}
	return w.n.contactsIn(r)
}

func (w *walk) report(ctx context.Context, e event) {
	select {
	case w.events <- e:
	case <-ctx.Done():
	}
}

func (w *walk) take(e event) {
	switch {
	case e.peers != nil:
		if w.peers != nil {
			w.peers(e.peers)
		}
	case e.hood:
		h := w.hoods[e.from]
		h.over, h.nodes = true, e.heard.nodes
		for _, f := range h.waiting {
			w.tellHood(f, h)
		}
	default:
		h := w.heard[e.from]
		*h = e.heard
		for _, f := range w.paths {
			if f.waitsFor(e.from) {
				w.tell(f, h)
			}
		}
	}
}

func (w *walk) tell(f *frontier, h *heard) {
	if !h.ok {
		f.failed(h.addr)
		return
	}
	f.answered(h.addr, h.id)
	w.addAll(f, h.nodes)
}

func (w *walk) tellHood(f *frontier, h *hood) {
	f.expansionEnded()
	w.addAll(f, h.nodes)
}

func (w *walk) addAll(f *frontier, nodes []contact) {
	for _, c := range nodes {
		f.add(c, w.n.failing.has(c.addr))
	}
}

func (w *walk) markSlow() {
	now := w.n.cfg.Now()
	for addr, h := range w.heard {
		if !h.over && now.Sub(h.asked) >= slowAfter {
			for _, f := range w.paths {
				f.slow(addr)
			}
		}
	}
}

// answers are the nodes that answered, nearest first, this node not among them.
func (w *walk) answers() []answer {
	var out []answer
	for _, h := range w.heard {
		if h.over && h.ok && h.id != w.n.id {
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
