package matchtest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"sync"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
)

// Requester is an identity that may request, with a mesh node that only dials.
type Requester struct {
	Name       string
	Key        *identity.Key
	Membership identity.Membership
	Node       *mesh.Node

	market *Market
	cancel context.CancelFunc
	runs   sync.WaitGroup
}

// Requester returns a running requester.
func (m *Market) Requester(name string) *Requester {
	m.TB.Helper()
	r := &Requester{Name: name, Key: Key(m.TB), market: m}
	r.Membership = m.Certify(r.Key.ID(), identity.RoleRequester, name)
	r.Start()
	m.TB.Cleanup(r.Stop)
	return r
}

// Start runs the requester's node.
func (r *Requester) Start() {
	tb := r.market.TB
	tb.Helper()
	var err error
	r.Node, err = mesh.Listen(mesh.Config{Key: r.Key, Conn: packetConn{NewWire(tb, 0)}, DialOnly: true, Idle: Idle, Log: r.market.Log.For(r.Name)})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	r.cancel = cancel
	node := r.Node
	r.runs.Go(func() {
		if err := node.Run(ctx); err != nil {
			tb.Errorf("%s: mesh: %v", r.Name, err)
		}
	})
}

// Stop ends the node: every link is closed. It may be called again.
func (r *Requester) Stop() {
	r.cancel()
	r.runs.Wait()
}

// Seeker is the requester as party 0.
func (r *Requester) Seeker() *match.Seeker {
	r.market.TB.Helper()
	raw, err := r.Membership.Encode()
	if err != nil {
		r.market.TB.Fatal(err)
	}
	return &match.Seeker{
		Key: r.Key, Pool: r.market.Pool, Membership: raw, Rand: rand.Reader, Now: r.market.Clock.Now, Patience: r.market.Patience,
	}
}

// Connect connects to a provider.
func (r *Requester) Connect(ctx context.Context, p *Provider) (*mesh.Link, error) {
	return r.Node.Connect(ctx, p.Key.ID(), addrs(p.Wire.Addr()))
}

// Link is Connect for the test's own goroutine: the test ends if it fails.
func (r *Requester) Link(ctx context.Context, p *Provider) *mesh.Link {
	r.market.TB.Helper()
	l, err := r.Connect(ctx, p)
	if err != nil {
		r.market.TB.Fatalf("%s: connect to %s: %v", r.Name, p.Name, err)
	}
	return l
}

// Over runs f over a link to a provider, and again over a new one if the link
// turns out to have been to a process that is no more.
func (r *Requester) Over(ctx context.Context, p *Provider, f func(*mesh.Link) error) error {
	for {
		link, err := r.Connect(ctx, p)
		if err == nil {
			err = f(link)
		}
		if link == nil || !errors.Is(err, mesh.ErrLinkLost) || ctx.Err() != nil {
			return err
		}
		select {
		case <-link.Done():
		case <-ctx.Done():
		}
	}
}

// Candidates meets providers, on the test's own goroutine.
func (r *Requester) Candidates(ctx context.Context, providers ...*Provider) []match.Candidate {
	r.market.TB.Helper()
	var met []match.Candidate
	for _, p := range providers {
		var c match.Candidate
		err := r.Over(ctx, p, func(link *mesh.Link) (err error) {
			c, err = match.Meet(ctx, link, r.market.Pool, r.market.Clock.Now())
			return err
		})
		if err != nil {
			r.market.TB.Fatalf("%s: meet %s: %v", r.Name, p.Name, err)
		}
		met = append(met, c)
	}
	return met
}

func addrs(a ...netip.AddrPort) []netip.AddrPort { return a }
