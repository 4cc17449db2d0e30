package match

import (
	"context"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// Bounds on the connections that are carried to the API server.
const (
	maxTunnels      = 512              // of all leases
	maxPeerTunnels  = 128              // of all leases of one requester
	maxLeaseTunnels = 16               // of one
	tunnelIdle      = 10 * time.Minute // without a byte in either direction
	dialWithin      = 5 * time.Second
	maxProxyMessage = 64
)

// ProxyRequest begins a stream that carries a connection to the API server of a
// lease. Once it is answered with Open, the stream is that connection.
type ProxyRequest struct {
	Lease []byte `cbor:"1,keyasint"` // lease id, 32 bytes
}

// ProxyReply answers it. All refusals look alike.
type ProxyReply struct {
	Open bool `cbor:"1,keyasint"`
}

// tunnel is one connection that is carried.
type tunnel struct{ cut context.CancelFunc }

// tunnels are those that there are, by lease and counted by requester. The
// provider's lock guards them.
type tunnels struct {
	of  map[market.LeaseID]map[*tunnel]bool
	by  map[identity.PeerID]int
	all int
}

// serveProxy carries a tenant's connection to the API server: to that and
// nowhere else, for as long as the lease can be used, and without seeing what is
// in it, since TLS goes through from end to end.
func (p *Provider) serveProxy(ctx context.Context, s *mesh.Stream) {
	within(s, readWithin)
	var req ProxyRequest
	if err := receive(s, maxProxyMessage, &req); err != nil || len(req.Lease) != len(market.LeaseID{}) {
		s.Reset()
		return
	}
	id := market.LeaseID(req.Lease)
	ctx, fill := p.dig(ctx, id, s.Peer())
	if fill == nil {
		p.answerProxy(s, false)
		return
	}
	defer fill()
	dialling, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := p.Cluster.Dial(dialling)
	if err != nil {
		p.Log.Warn("API server not reached for a tenant", "lease", id.Short(), "err", err)
		p.answerProxy(s, false)
		return
	}
	defer conn.Close()
	if !p.answerProxy(s, true) {
		return
	}
	anytime(s)
	carry(ctx, s, conn, p.Idle)
}

func (p *Provider) answerProxy(s *mesh.Stream, open bool) (delivered bool) {
	if err := sendWithin(s, writeWithin, ProxyReply{Open: open}); err != nil {
		p.Log.Debug("proxy reply not delivered", "peer", s.Peer().Short(), "err", err)
		return false
	}
	return true
}

// dig makes room for a connection of a lease that the requester can use now;
// fill is nil if there is none. The returned context ends when the lease begins
// to end. Whether it can be used is looked at after the tunnel is known to cut,
// so that none comes into being behind its back; and whose it is before, so that
// nobody takes the places of another's lease.
func (p *Provider) dig(ctx context.Context, id market.LeaseID, requester identity.PeerID) (_ context.Context, fill func()) {
	if lease, ok := p.Ledger.Lease(id); !ok || lease.Requester != requester {
		return ctx, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &tunnel{cut: cancel}
	p.mu.Lock()
	room := p.tunnels.all < maxTunnels && p.tunnels.by[requester] < maxPeerTunnels && len(p.tunnels.of[id]) < maxLeaseTunnels
	if room {
		if p.tunnels.of[id] == nil {
			p.tunnels.of[id] = map[*tunnel]bool{}
		}
		p.tunnels.of[id][t] = true
		p.tunnels.by[requester]++
		p.tunnels.all++
	}
	p.mu.Unlock()
	if !room {
		cancel()
		return ctx, nil
	}
	fill = func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tunnels.all--
		if p.tunnels.by[requester]--; p.tunnels.by[requester] == 0 {
			delete(p.tunnels.by, requester)
		}
		if delete(p.tunnels.of[id], t); len(p.tunnels.of[id]) == 0 {
			delete(p.tunnels.of, id)
		}
	}
	lease, ok := p.Ledger.Lease(id)
	if !ok || !lease.State.Usable() || !p.lasts(lease) {
		fill()
		return ctx, nil
	}
	return ctx, fill
}

// lasts tells whether a lease's time is not over.
func (p *Provider) lasts(lease market.Lease) bool {
	now := p.Clock()
	return lease.Left(now) > 0 || lease.Reclaimed.IsZero() && lease.Promise.Open(now)
}

// cut ends the connections that are carried for a lease, at once.
func (p *Provider) cut(id market.LeaseID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t := range p.tunnels.of[id] {
		t.cut()
	}
}
