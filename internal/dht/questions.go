package dht

import (
	"context"
	"net/netip"
)

// The questions of a walk, and what is done with their answers.

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
	h := heard{over: true, answer: answer{contact: c}}
	r, err := w.n.ask(ctx, c.addr, message{method: w.method, target: w.target, infoHash: w.target})
	if err == nil && w.n.acceptable(contact{id: r.id, addr: c.addr}) {
		h.ok, h.id, h.known = true, r.id, true
		h.token, h.hasToken = r.token, r.hasToken
		h.nodes = w.n.contactsIn(r, w.side)
		if found := peersIn(r); len(found) > 0 {
			w.report(ctx, event{from: c.addr, peers: found})
			if len(h.nodes) == 0 { // some implementations tell peers or nodes, never both
				h.nodes = w.nodesNear(ctx, c.addr, w.target)
			}
		}
	}
	w.report(ctx, event{from: c.addr, heard: h})
}

// expansion asks a node for its own neighbourhood. Some implementations hide
// nodes nearer to themselves than to the target, however near these are to the
// target.
func (w *walk) expansion(ctx context.Context, f *frontier, c contact) {
	h := w.hoods[c.addr]
	switch {
	case h == nil:
		w.hoods[c.addr] = &hood{waiting: []*frontier{f}}
		w.asking.Go(func() {
			w.report(ctx, event{hood: true, from: c.addr, heard: heard{nodes: w.nodesNear(ctx, c.addr, c.id)}})
		})
	case h.over:
		w.tellHood(f, c.addr, h)
	default:
		h.waiting = append(h.waiting, f)
	}
}

func (w *walk) nodesNear(ctx context.Context, at netip.AddrPort, target Key) []contact {
	r, err := w.n.ask(ctx, at, message{method: "find_node", target: target})
	if err != nil {
		return nil // it did answer before: what it said then stays
	}
	return w.n.contactsIn(r, w.side)
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
			w.peers(e.from, e.peers)
		}
	case e.hood:
		h := w.hoods[e.from]
		h.over, h.nodes = true, e.heard.nodes
		for _, f := range h.waiting {
			w.tellHood(f, e.from, h)
		}
	default:
		h := w.heard[e.from]
		if e.heard.ok {
			w.took += w.n.cfg.Now().Sub(h.asked)
			w.answers++
		}
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
	w.addAll(f, h.addr, h.nodes)
}

func (w *walk) tellHood(f *frontier, from netip.AddrPort, h *hood) {
	f.expansionEnded()
	w.addAll(f, from, h.nodes)
}

func (w *walk) addAll(f *frontier, from netip.AddrPort, nodes []contact) {
	for _, c := range nodes {
		f.told(c, w.n.failing.has(c.addr), from)
	}
}
