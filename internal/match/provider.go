package match

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// Cluster is where a provider provisions what it leases; package k8s has it.
// Both calls are idempotent. Provision leaves nothing behind when it fails.
type Cluster interface {
	Provision(ctx context.Context, spec manifest.Spec) (k8s.Grant, error)
	Release(ctx context.Context, provider, leaseID string) error
}

// ProviderConfig is what the provider's side of matches works with.
type ProviderConfig struct {
	Key       *identity.Key
	Pool      *identity.Pool // nil: open market
	Mesh      *mesh.Node
	Ledger    *market.Ledger
	Cluster   Cluster
	Record    func() ([]byte, error) // a fresh signed record of this provider
	MinRoster int                    // least number of distinct operators in a roster
	Matches   int                    // at once; an invitation beyond is declined
	HoldFor   time.Duration          // how long capacity is held for a match that has bound
	Rand      io.Reader
	Clock     market.Clock
	Log       *slog.Logger
	Observe   func(Seen) // told of each match that ended; may be nil
}

// Seen is what a provider learned in one match, for its own operator's eyes.
type Seen struct {
	SID      [32]byte
	At       time.Time
	Class    market.Class
	Parties  int
	Won      bool
	Quantity market.Quantity // if won
	Price    market.Price    // its own, if won
	Lease    market.LeaseID  // if won
	Aborted  string          // where it ended, if it did not come to a result
}

// Provider is the provider's side of matches and leases: it answers records,
// invitations, sessions and lease requests on a mesh node.
type Provider struct {
	ProviderConfig
	meetings *meetings
	slots    chan struct{}

	mu      sync.Mutex
	works   map[market.LeaseID]*work           // leases whose cluster objects are being changed
	running map[market.LeaseID]identity.PeerID // what may come out of matches that run, and for whom
	queue   chan func(context.Context)
}

// NewProvider returns a provider that is not yet at work: Handle connects it
// to its mesh node, Run does what outlives a stream.
func NewProvider(cfg ProviderConfig) *Provider {
	return &Provider{
		ProviderConfig: cfg, meetings: newMeetings(), slots: make(chan struct{}, cfg.Matches),
		works: map[market.LeaseID]*work{}, running: map[market.LeaseID]identity.PeerID{}, queue: make(chan func(context.Context)),
	}
}

// Handle registers the provider's stream kinds, before the mesh node runs.
func (p *Provider) Handle() {
	p.Mesh.Handle(KindRecord, p.serveRecord)
	p.Mesh.Handle(KindMatch, p.serveMatch)
	p.Mesh.Handle(KindSession, p.meetings.serve)
	p.Mesh.Handle(KindLease, p.serveLease)
}

// How long a peer may take over a step before its stream is reset.
const (
	writeWithin  = 10 * time.Second
	inviteWithin = 10 * time.Second
	rosterWithin = 30 * time.Second
	meetWithin   = 10 * time.Second
	matchWithin  = 5 * time.Minute // a whole match, of any size
)

func (p *Provider) now() time.Time { return p.Clock().Wall }

// serveRecord answers "who are you".
func (p *Provider) serveRecord(_ context.Context, s *mesh.Stream) {
	defer s.Close()
	within(s, writeWithin)
	raw, err := p.Record()
	if err != nil {
		p.Log.Error("cannot sign our record", "err", err)
		s.Reset()
		return
	}
	if err := s.WriteFrame(raw); err != nil {
		p.Log.Debug("record not delivered", "peer", s.Peer().Short(), "err", err)
	}
}

var errBusy = errors.New("as many matches as --max-matches allows are running")

// serveMatch takes part in one match, from invitation to report.
func (p *Provider) serveMatch(ctx context.Context, s *mesh.Stream) {
	defer s.Close()
	log := p.Log.With("requester", s.Peer().Short())
	within(s, inviteWithin)
	var in Invite
	if err := receive(s, maxInvite, &in); err != nil {
		log.Debug("invitation unreadable", "err", err)
		s.Reset()
		return
	}
	ask, err := p.admit(in, s.Peer())
	if err == nil {
		err = p.occupy()
	}
	if err != nil {
		log.Info("declined", "why", err)
		if err = send(s, Answer{}); err != nil {
			log.Debug("decline not delivered", "err", err)
		}
		return
	}
	defer p.vacate()
	seat, err := p.accept(s, in)
	if err != nil {
		log.Info("no match", "why", err)
		s.Reset()
		return
	}
	within(s, 0)
	defer p.runs(market.NewLeaseID(seat.SID, p.Key.ID()), s.Peer())()
	p.take(ctx, s, seat, ask, log.With("sid", fmt.Sprintf("%.4x", seat.SID)))
}

func (p *Provider) occupy() error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
		return errBusy
	}
}

func (p *Provider) vacate() { <-p.slots }

var errNotOurs = errors.New("invitation is for another pool or version")

// admit decides on an invitation from a requester whose identity its link has
// proven. The reason is for our own log: the requester is told none.
func (p *Provider) admit(in Invite, requester identity.PeerID) (market.Ask, error) {
	var ask market.Ask
	if in.Version != Version || in.Pool != p.poolName() {
		return ask, errNotOurs
	}
	class, err := market.ParseClass(in.Class)
	if err != nil {
		return ask, err
	}
	if class.String() != in.Class || in.Seconds > uint64(market.MaxDuration/time.Second) {
		return ask, errNotOurs
	}
	ask = market.Ask{
		Requester: requester, Member: p.isMember(in.Membership, requester), Class: class, Policy: in.Policy,
		Duration: time.Duration(in.Seconds) * time.Second,
	}
	return ask, p.Ledger.Admit(ask)
}

func (p *Provider) isMember(membership []byte, requester identity.PeerID) bool {
	if p.Pool == nil {
		return false
	}
	m, err := identity.ParseMembership(membership)
	return err == nil && p.Pool.Verify(m, requester, identity.RoleRequester, p.now()) == nil
}

func (p *Provider) poolName() string {
	if p.Pool == nil {
		return ""
	}
	return p.Pool.Name
}

// accept answers an invitation and reads the roster that follows.
func (p *Provider) accept(s *mesh.Stream, in Invite) (*Seat, error) {
	var nonce [32]byte
	if _, err := io.ReadFull(p.Rand, nonce[:]); err != nil {
		return nil, err
	}
	record, err := p.Record()
	if err != nil {
		return nil, err
	}
	within(s, rosterWithin)
	if err := send(s, Answer{Accept: true, Nonce: nonce[:], Record: record}); err != nil {
		return nil, err
	}
	var signed SignedRoster
	if err := receive(s, maxRoster, &signed); err != nil {
		return nil, err
	}
	return signed.Open(Terms{
		Invite: in, Requester: s.Peer(), Self: p.Key.ID(), Nonce: nonce[:], Pool: p.Pool, MinRoster: p.MinRoster, Now: p.now(),
	})
}
