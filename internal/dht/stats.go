package dht

import (
	"net/netip"
	"slices"
	"time"
)

// Stats is a snapshot of a node.
type Stats struct {
	ID       Key
	Addr     netip.AddrPort // of the socket
	External netip.Addr     // our address as others see it; zero if nobody has said
	Passive  bool
	Joined   bool  // some node has answered, or this one founds the network
	JoinErr  error // why not, if the last attempt failed
	// Deserted says that none of the bootstrap nodes answered when they were last
	// greeted, once a minute, and why; it wraps ErrNoBootstrap. The node may have
	// joined by others that it remembers. Nil also for a bootstrap node itself.
	Deserted error

	Nodes     int // in the routing table
	GoodNodes int // of these, heard recently

	AnnouncedKeys     int       // kept by KeepAnnounced
	LastAnnounce      time.Time // zero: never
	LastAnnounceNodes int       // how many took it

	StoredKeys  int // of others' announcements
	StoredPeers int

	PacketsReceived uint64
	PacketsDropped  uint64 // malformed or too large
	QueriesRefused  uint64 // of networks that ask too much
	QueriesSent     uint64
	SocketErrors    uint64 // read errors that were waited out
}

// Stats tells how the node is doing. It works before, during and after Run.
func (n *Node) Stats() Stats {
	s := Stats{
		ID: n.ID(), Addr: n.local, Passive: n.cfg.Passive,
		Joined:          isClosed(n.joining.ready),
		PacketsReceived: n.received.Load(),
		PacketsDropped:  n.dropped.Load(),
		QueriesRefused:  n.refused.Load(),
		QueriesSent:     n.sent.Load(),
		SocketErrors:    n.readErrs.Load(),
	}
	n.joining.mu.Lock()
	s.JoinErr, s.Deserted = n.joining.err, n.joining.deserted
	n.joining.mu.Unlock()
	n.announced.mu.Lock()
	s.AnnouncedKeys, s.LastAnnounce, s.LastAnnounceNodes = n.announced.keys, n.announced.last, n.announced.nodes
	n.announced.mu.Unlock()
	s.StoredKeys, s.StoredPeers = n.store.size()
	for _, side := range n.sides {
		nodes, good := side.table.size()
		s.Nodes += nodes
		s.GoodNodes += good
		if ip, _ := side.outside.elected(); !s.External.IsValid() {
			s.External = ip
		}
	}
	return s
}

// save writes the routing table: the nodes that answered and, behind them, those of the
// last run that have not been found dead. A node that hears nobody leaves the
// file as it is.
func (n *Node) save() {
	if n.cfg.TablePath == "" {
		return
	}
	t := savedTable{}
	if !n.cfg.Passive {
		t.id = n.base
	}
	n.joining.mu.Lock()
	saved := slices.Clone(n.joining.saved)
	n.joining.mu.Unlock()
	listed := make(map[netip.AddrPort]bool)
	for _, s := range n.sides {
		for _, c := range s.table.nearest(s.ID(), maxSaved/2) {
			if usable(c.addr, n.cfg.Public) {
				listed[c.addr] = true
				t.nodes = append(t.nodes, c)
			}
		}
	}
	if len(t.nodes) == 0 {
		return
	}
	for _, c := range saved {
		if !listed[c.addr] && !n.failing.has(c.addr) {
			t.nodes = append(t.nodes, c)
		}
	}
	if err := saveTable(n.cfg.TablePath, t); err != nil {
		n.cfg.Log.Warn("routing table not saved", "err", err)
	}
}
