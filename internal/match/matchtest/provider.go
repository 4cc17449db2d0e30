package matchtest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/placement"
)

// Provider is a provider's daemon as far as matches go. It can be stopped, or
// killed, and started again on the same ledger, identity and port.
type Provider struct {
	Name       string
	Key        *identity.Key
	Cluster    *Cluster
	Membership identity.Membership
	LedgerPath string
	Policies   []string              // what its offers list, and its record; none: every function
	Prepare    func(*match.Provider) // called on each start, before anything runs
	Edit       func(*match.ProviderConfig)

	// Of the present run.
	Wire   *Wire
	Node   *mesh.Node
	Ledger *market.Ledger
	Match  *match.Provider

	market *Market
	port   uint16
	cancel context.CancelFunc
	runs   sync.WaitGroup
	ran    chan error // what Match.Run returned

	mu   sync.Mutex
	seen []match.Seen
}

// Idle is after which silence links are lost in tests: the least that there is.
const Idle = 5 * time.Second

// NewProvider returns a provider of an operator that is not yet started.
func (m *Market) NewProvider(name string) *Provider {
	p := &Provider{Name: name, Key: Key(m.TB), Cluster: NewCluster(m.TB), market: m, LedgerPath: m.dir(name + ".ledger")}
	p.Membership = m.Certify(p.Key.ID(), identity.RoleOperator, name)
	m.TB.Cleanup(p.Stop)
	return p
}

// Provider returns a running provider that offers units at a price.
func (m *Market) Provider(name string, units market.Quantity, price market.Price) *Provider {
	m.TB.Helper()
	p := m.NewProvider(name)
	p.Start()
	p.Offer(units, price)
	return p
}

// Offer puts up the provider's one offer.
func (p *Provider) Offer(units market.Quantity, price market.Price) {
	p.market.TB.Helper()
	if err := p.Ledger.PutOffer(market.Offer{Name: "offer", Unit: p.market.Class(), Ceiling: units, Price: price, Policies: p.Policies}); err != nil {
		p.market.TB.Fatal(err)
	}
}

// Start opens the ledger and runs the provider.
func (p *Provider) Start() {
	m := p.market
	m.TB.Helper()
	var err error
	log := m.Log.For(p.Name)
	if p.Ledger, err = market.Open(market.Config{Path: p.LedgerPath, Provider: p.Key.ID(), Clock: m.Clock.Read}); err != nil {
		m.TB.Fatal(err)
	}
	p.Wire = NewWire(m.TB, p.port)
	p.port = p.Wire.Addr().Port()
	if p.Node, err = mesh.Listen(mesh.Config{Key: p.Key, Conn: packetConn{p.Wire}, Idle: Idle, Log: log}); err != nil {
		m.TB.Fatal(err)
	}
	cfg := match.ProviderConfig{
		Key: p.Key, Pool: m.Pool, Mesh: p.Node, Ledger: p.Ledger, Cluster: p.Cluster, Record: p.Record,
		MinRoster: m.MinRoster, Matches: 4, HoldFor: 2 * time.Minute, Rand: rand.Reader, Clock: m.Clock.Read, Log: log,
		Observe: p.observe, Patience: m.Patience,
	}
	if p.Edit != nil {
		p.Edit(&cfg)
	}
	p.Match = match.NewProvider(cfg)
	p.Match.Handle()
	if p.Prepare != nil {
		p.Prepare(p.Match)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.TB.Context()))
	p.cancel, p.ran = cancel, make(chan error, 1)
	node, provider, ran := p.Node, p.Match, p.ran
	p.runs.Go(func() {
		if err := node.Run(ctx); err != nil {
			m.TB.Errorf("%s: mesh: %v", p.Name, err)
		}
	})
	p.runs.Go(func() { ran <- provider.Run(ctx) })
}

// Stop ends the provider in good order. It may be called again.
func (p *Provider) Stop() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.runs.Wait()
	p.cancel = nil
	if err := <-p.ran; err != nil && !errors.Is(err, market.ErrBroken) {
		p.market.TB.Errorf("%s: %v", p.Name, err)
	}
	if err := p.Ledger.Close(); err != nil {
		p.market.TB.Errorf("%s: ledger: %v", p.Name, err)
	}
}

// Ended waits for the provider to end by itself and returns its error.
func (p *Provider) Ended(ctx context.Context) error {
	select {
	case err := <-p.ran:
		p.ran <- nil // for Stop
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill ends the provider as a loss of power would: nobody is told, and nothing
// that it does from now on reaches the ledger's file.
func (p *Provider) Kill() {
	p.market.TB.Helper()
	p.Wire.Cut()
	file, err := os.ReadFile(p.LedgerPath) // every transaction that has returned is in it
	if err != nil {
		p.market.TB.Fatal(err)
	}
	p.Stop()
	if err := os.WriteFile(p.LedgerPath, file, 0o600); err != nil {
		p.market.TB.Fatal(err)
	}
}

// Restart kills the provider and starts it again.
func (p *Provider) Restart() {
	p.market.TB.Helper()
	p.Kill()
	p.Start()
}

// Move makes the next Start listen somewhere else.
func (p *Provider) Move() { p.port = 0 }

// Record is the provider's signed record.
func (p *Provider) Record() ([]byte, error) {
	now, policies := p.market.Clock.Now(), p.Policies
	if policies == nil {
		policies = placement.Policies()
	}
	return identity.SignRecord(p.Key, identity.Record{
		Addrs: slices.Clone(addrs(p.Wire.Addr())), Classes: []string{p.market.Class().String()}, Policies: policies,
		Versions: []uint{match.Version}, Membership: &p.Membership, Issued: now, Expires: now.Add(time.Hour),
	})
}

func (p *Provider) observe(s match.Seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, s)
}

// Seen is what the provider learned in its matches so far.
func (p *Provider) Seen() []match.Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// Lease reads a lease off the ledger.
func (p *Provider) Lease(id market.LeaseID) market.Lease {
	p.market.TB.Helper()
	l, ok := p.Ledger.Lease(id)
	if !ok {
		p.market.TB.Fatalf("%s: no lease %s", p.Name, id.Short())
	}
	return l
}

// Reserve puts a reservation into the ledger, as a match that a requester won
// would have.
func (p *Provider) Reserve(requester identity.PeerID, units market.Quantity) market.Lease {
	tb := p.market.TB
	tb.Helper()
	var sid [32]byte
	if _, err := rand.Read(sid[:]); err != nil {
		tb.Fatal(err)
	}
	ask := market.Ask{Requester: requester, Member: true, Class: p.market.Class(), Policy: market.DefaultPolicy, Duration: time.Hour}
	bid, err := p.Ledger.Hold(sid, ask, time.Minute)
	if err != nil {
		tb.Fatal(err)
	}
	l, err := p.Ledger.Win(sid, units, bid.Price)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// Used is how many units of the class are reserved and held.
func (p *Provider) Used() (reserved, held market.Quantity) {
	u := p.Ledger.Usage()
	base := p.market.Class().Base()
	return u.Reserved.Units(base), u.Held.Units(base)
}

// CheckCapacity fails the test unless used and free make the total.
func (p *Provider) CheckCapacity() {
	tb := p.market.TB
	tb.Helper()
	u := p.Ledger.Usage()
	for kind, total := range u.Total {
		if u.Reserved[kind]+u.Held[kind]+u.Free[kind] != total {
			tb.Errorf("%s: %s: reserved + held + free is not the total", p.Name, kind)
		}
	}
}
