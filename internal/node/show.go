package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// Status implements control.Daemon. What it says of matches is what this node
// itself learned.
func (d *daemon) Status(ctx context.Context) (control.Status, error) {
	st := d.dht.Stats()
	s := control.Status{
		ID: d.cfg.Key.ID().String(), Version: d.cfg.Version, Mode: control.ModeDHT, Pool: d.poolName(), Started: d.started.UTC().Truncate(time.Second),
		Cell: d.cfg.Cell, Capacity: []control.Usage{}, Offers: []control.Offer{}, Matches: []control.Match{}, Leases: []control.Lease{},
		DHT: control.DHT{Listen: []string{st.Addr.String()}, Nodes: st.Nodes, Good: st.GoodNodes, Keys: st.AnnouncedKeys, Takers: st.LastAnnounceNodes},
	}
	if err := d.unfound(); err != nil {
		s.DHT.Error = err.Error()
	}
	if err := d.deserted(); err != nil {
		s.DHT.Deserted = err.Error()
	}
	if !st.LastAnnounce.IsZero() {
		last := st.LastAnnounce.UTC().Truncate(time.Second)
		s.DHT.LastAnnounce = &last
	}
	if d.cfg.Membership != nil {
		s.Operator = d.cfg.Membership.Operator
	}
	if d.provider == nil {
		return s, nil
	}
	s.Mode = control.ModeProvider
	place := d.place.show()
	s.Cell, s.Place = d.place.where(), &place
	s.Drain = d.draining()
	if d.spares != nil {
		if n, err := d.spares.Count(); err == nil {
			s.Spares = &n
		}
	}
	s.Listen = []string{d.mesh.Addr().String()}
	s.Cluster = d.showCluster(ctx)
	s.Capacity = showUsage(d.ledger.Usage())
	faults := d.ledger.Faults()
	for _, o := range d.ledger.Offers() {
		s.Offers = append(s.Offers, d.follow(showOffer(o, faults)))
	}
	for _, m := range d.recent.list() {
		s.Matches = append(s.Matches, showMatch(m))
	}
	for _, l := range slices.Backward(d.ledger.Leases()) {
		if !l.State.Terminal() {
			s.Leases = append(s.Leases, d.showLease(l))
		}
	}
	return s, nil
}

// clusterWithin is how long status waits for the API server.
const clusterWithin = 2 * time.Second

func (d *daemon) showCluster(ctx context.Context) control.Cluster {
	ctx, cancel := context.WithTimeout(ctx, clusterWithin)
	defer cancel()
	c := control.Cluster{Server: d.cluster.Server(), Remains: d.remains.get()}
	if err := d.cluster.Ping(ctx); err != nil {
		c.Error = err.Error()
	}
	return c
}

func showUsage(u market.Usage) []control.Usage {
	rows := []control.Usage{}
	for _, kind := range slices.Sorted(maps.Keys(u.Total)) {
		rows = append(rows, control.Usage{
			Resource: string(kind), Total: kind.Format(u.Total[kind]), Reserved: kind.Format(u.Reserved[kind]),
			Held: kind.Format(u.Held[kind]), Free: kind.Format(u.Free[kind]),
		})
	}
	return rows
}

func showMatch(m match.Seen) control.Match {
	shown := control.Match{
		SID: fmt.Sprintf("%x", m.SID[:4]), At: m.At.UTC().Truncate(time.Second), Role: control.RoleProvider,
		Class: m.Class.String(), Outcome: control.OutcomeNotSelected, Phase: m.Aborted,
	}
	switch {
	case m.Aborted != "":
		shown.Outcome = control.OutcomeAborted
	case m.Won:
		shown.Outcome, shown.Quantity, shown.Price, shown.Lease = control.OutcomeSelected, uint32(m.Quantity), m.Price.String(), m.Lease.String()
	}
	return shown
}

func (d *daemon) showLease(l market.Lease) control.Lease {
	shown := control.Lease{
		ID: l.ID.String(), State: l.State.String(), Class: l.Class.String(), Quantity: uint32(l.Quantity), Price: l.Price.String(),
		Offer: l.Offer, Provider: d.cfg.Key.ID().String(), Requester: identity.PeerID(l.Requester).String(), Namespace: l.Namespace,
		Duration: control.Duration(l.Duration), Created: l.Reserved.Wall.UTC().Truncate(time.Second),
	}
	if !l.Expires.IsZero() {
		at := l.Expires.UTC().Truncate(time.Second)
		shown.Expires = &at
	}
	shown.Reclaim, shown.Reason = control.Duration(l.Notice), l.Reason
	if l.State.Usable() {
		switch l.NoticeAt(d.clock()).Kind {
		case market.NoticeExpiry:
			shown.Notice = control.NoticeExpiry
		case market.NoticeReclaim:
			shown.Notice = control.NoticeReclaim
		}
	}
	return shown
}
