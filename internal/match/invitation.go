package match

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/placement"
)

// serveMatch takes part in one match, from invitation to report.
func (p *Provider) serveMatch(ctx context.Context, s *mesh.Stream) {
	log := p.Log.With("requester", s.Peer().Short())
	within(s, readWithin)
	var in Invite
	if err := receive(s, maxInvite, &in); err != nil {
		log.Debug("invitation unreadable", "err", err)
		s.Reset()
		return
	}
	var vacate func()
	ask, err := p.admit(in, s.Peer())
	if err == nil {
		vacate, err = p.occupy(ctx, s.Peer())
	}
	if err != nil {
		log.Info("declined", "why", err)
		if err = sendWithin(s, writeWithin, Answer{}); err != nil {
			log.Debug("decline not delivered", "err", err)
		}
		return
	}
	defer vacate()
	seat, err := p.accept(s, in)
	if err != nil {
		log.Info("no match", "why", err)
		s.Reset()
		return
	}
	m := &session{provider: p, seat: seat, ask: ask, log: log.With("sid", fmt.Sprintf("%.4x", seat.SID))}
	m.serve(ctx, s, vacate)
}

var (
	errBusy    = errors.New("as many matches as are allowed are running")
	errShare   = errors.New("as many matches of this requester as are allowed are running")
	errDrained = errors.New("drained: no new matches")
	errNotOurs = errors.New("invitation is for another pool or version, or not canonical")
)

// admit decides on an invitation from a requester whose identity its link has
// proven. The reason is for our own log: the requester is told none.
func (p *Provider) admit(in Invite, requester identity.PeerID) (market.Ask, error) {
	if p.Drained() {
		return market.Ask{}, errDrained
	}
	if in.Version != Version || in.Pool != p.poolName() {
		return market.Ask{}, errNotOurs
	}
	class, err := market.ParseClass(in.Class)
	if err != nil {
		return market.Ask{}, err
	}
	if class.String() != in.Class || in.Seconds > uint64(market.MaxDuration/time.Second) {
		return market.Ask{}, errNotOurs
	}
	if _, err := placement.New(in.Policy, 1); err != nil { // one that this version lacks, or another spelling of it
		return market.Ask{}, err
	}
	ask := market.Ask{
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
	var nonce [nonceSize]byte
	if _, err := io.ReadFull(p.Rand, nonce[:]); err != nil {
		return nil, err
	}
	record, err := p.Record()
	if err != nil {
		return nil, err
	}
	within(s, p.Patience.Roster)
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
