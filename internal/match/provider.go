package match

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/spare"
)

// Cluster is where a provider provisions what it leases; package k8s has it.
// Its calls are idempotent. What a Provision leaves behind when it fails is
// deleted by the Release that follows.
type Cluster interface {
	Provision(ctx context.Context, spec manifest.Spec) (k8s.Grant, error)
	Release(ctx context.Context, provider, leaseID string) error
	Ping(ctx context.Context) error // nil: it answers, and lets us work

	// Of a lease that was provisioned:
	Token(ctx context.Context, provider, leaseID string, until time.Time) (token string, expires time.Time, err error)
	Certificate(ctx context.Context, provider, leaseID string, until time.Time) (certificate, key []byte, expires time.Time, err error)
	Usage(ctx context.Context, provider, leaseID string) ([]k8s.Usage, error)
	Notice(ctx context.Context, provider, leaseID string, n k8s.Notice) error
	Look(ctx context.Context, provider, leaseID string) error
	Made(grant k8s.Grant) bool // whether it is of this cluster
	Restore(ctx context.Context, spec manifest.Spec, ends time.Time) (restored []string, err error)

	// Watch says when others may have changed or deleted something of a lease.
	Watch(ctx context.Context, provider string, w k8s.Watcher) error

	// Dial connects to the API server, as bare TCP: tenants speak TLS through it.
	Dial(ctx context.Context) (net.Conn, error)
}

// ProviderConfig is what the provider's side of matches works with.
type ProviderConfig struct {
	Key       *identity.Key
	Pool      *identity.Pool // nil: open market
	Mesh      *mesh.Node
	Ledger    *market.Ledger
	Cluster   Cluster
	House     manifest.House         // what is decided for all leases of the cluster
	Record    func() ([]byte, error) // a fresh signed record of this provider
	Spares    *spare.Store           // sets for matches with those that it has met; nil: none are kept
	MinRoster int                    // least number of distinct operators in a roster
	Matches   int                    // at once; an invitation beyond is declined
	Each      int                    // of these, of one requester; 0: half of them, and no fewer than two
	HoldFor   time.Duration          // how long capacity is held for a match that has bound
	Rand      io.Reader
	Clock     market.Clock
	Log       *slog.Logger // nil discards
	Observe   func(Seen)   // told of each match that ended; may be nil

	// Archive keeps the receipts of a lease, a file as MarshalReceipts writes it,
	// in the place of what it kept of that lease before; nil: only the ledger has
	// them, for as long as it has the lease.
	Archive func(lease market.LeaseID, receipts []byte) error

	Patience Patience
	Idle     time.Duration // after which a connection to the API server that carries nothing is cut; 0: ten minutes
}

// Provider is the provider's side of matches and leases: it answers records,
// invitations, sessions and lease requests on a mesh node.
type Provider struct {
	ProviderConfig
	meetings *meetings
	slots    chan struct{}              // a token a match
	shares   *shares                    // of the slots, by requester
	memory   *memory                    // of all matches
	queue    chan func(context.Context) // work for Run
	broken   chan error                 // has room for one: the ledger takes no more writes
	drive    driver
	every    time.Duration // between sweeps
	unfit    atomic.Bool   // the cluster failed and has not answered since
	looks    chan struct{} // a token for each who asks the cluster for usage
	stock    *stock        // nil: none is kept

	mu      sync.Mutex
	works   map[market.LeaseID]*work           // leases that somebody works on
	running map[market.LeaseID]identity.PeerID // what may come out of matches that run, and for whom
	delays  delays                             // leases whose ending has failed
	hushed  delays                             // leases whose namespaces could not be told of their end
	doubted delays                             // leases that could not be looked at, or were changed again and again

	suspects map[market.LeaseID]bool // leases that somebody may have changed in the cluster
	unheard  map[string]bool         // kinds of objects of whose changes nothing is heard

	tunnels tunnels // connections to the API server that are carried
}

// driver takes a party through the flights of a match: mpc.Run, unless a test
// puts faults in between.
type driver func(context.Context, *mpc.Party, mpc.Network) error

// NewProvider returns a provider that is not yet at work: Handle connects it
// to its mesh node, Run does what outlives a stream.
func NewProvider(cfg ProviderConfig) *Provider {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Patience = cfg.Patience.WithDefaults()
	cfg.Idle = cmp.Or(cfg.Idle, tunnelIdle)
	p := &Provider{
		ProviderConfig: cfg,
		meetings:       newMeetings(),
		slots:          make(chan struct{}, max(cfg.Matches, 1)),
		shares:         newShares(max(cmp.Or(cfg.Each, max(cfg.Matches/2, 2)), 1)),
		memory:         newMemory(cfg.Matches),
		queue:          make(chan func(context.Context)),
		broken:         make(chan error, 1),
		drive:          mpc.Run,
		every:          sweepEvery,
		works:          map[market.LeaseID]*work{},
		running:        map[market.LeaseID]identity.PeerID{},
		delays:         delays{},
		hushed:         delays{},
		doubted:        delays{},
		suspects:       map[market.LeaseID]bool{},
		unheard:        map[string]bool{},
		tunnels:        tunnels{of: map[market.LeaseID]map[*tunnel]bool{}, by: map[identity.PeerID]int{}},
		looks:          make(chan struct{}, lookers),
	}
	p.stock = newStock(p)
	return p
}

// Handle registers the provider's stream kinds, before the mesh node runs.
func (p *Provider) Handle() {
	p.Mesh.Handle(KindRecord, p.serveRecord)
	p.Mesh.Handle(KindMatch, p.serveMatch)
	p.Mesh.Handle(KindSession, p.meetings.serve)
	p.Mesh.Handle(KindLease, p.serveLease)
	p.Mesh.Handle(KindProxy, p.serveProxy)
	p.Mesh.Handle(KindStock, p.stock.serve)
}

// How long a peer may take over a message of its own, and a whole match of any
// size.
const (
	readWithin  = 10 * time.Second
	writeWithin = 10 * time.Second
	matchWithin = 5 * time.Minute
)

func (p *Provider) now() time.Time { return p.Clock().Wall }

// ledgerFailed looks at an error of the ledger. After a write that failed the
// ledger takes no other, so the daemon must end: what is on disk is right, and
// the next start finds it.
func (p *Provider) ledgerFailed(err error) {
	if errors.Is(err, market.ErrBroken) {
		select {
		case p.broken <- err:
		default: // Run knows already
		}
	}
}

// serveRecord answers "who are you".
func (p *Provider) serveRecord(_ context.Context, s *mesh.Stream) {
	raw, err := p.Record()
	if err != nil {
		p.Log.Error("cannot sign our record", "err", err)
		s.Reset()
		return
	}
	within(s, writeWithin)
	if err := s.WriteFrame(raw); err != nil {
		p.Log.Debug("record not delivered", "peer", s.Peer().Short(), "err", err)
	}
}
