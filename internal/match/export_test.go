package match

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/spare"
	"github.com/angler-dex/angler/internal/wire"
)

// Drive replaces what takes the provider's party through the flights.
func (p *Provider) Drive(d func(context.Context, *mpc.Party, mpc.Network) error) { p.drive = d }

// Signatures returns both sides' signatures under a lease's receipt.
func Signatures(l market.Lease) (provider, requester []byte) {
	var d deed
	if err := wire.Decode(l.Receipt, maxReply, &d); err != nil {
		return nil, nil
	}
	return d.Signed, d.Requester
}

// Accept answers an invitation and reads the roster that follows, as the first
// half of a match.
func (p *Provider) Accept(s *mesh.Stream) {
	var in Invite
	if receive(s, maxInvite, &in) == nil {
		_, _ = p.accept(s, in)
	}
}

// Every sets how often the provider sweeps.
func (p *Provider) Every(d time.Duration) { p.every = d }

// Ask sends one request about a lease.
func Ask(ctx context.Context, link Opener, req LeaseRequest) (LeaseReply, error) {
	return askLease(ctx, link, req)
}

// MaxRenewals is how often a lease is renewed at most.
const MaxRenewals = maxRenewals

// Sweepers is how many leases a sweep ends at once.
const Sweepers = sweepers

// LyingAbout answers every claim with a grant and a receipt that were edited.
func LyingAbout(key *identity.Key, ca []byte, d Deal, edit func(*LeaseReply, *Receipt)) mesh.Handler {
	return func(_ context.Context, s *mesh.Stream) {
		var req LeaseRequest
		if receive(s, maxLease, &req) != nil {
			return
		}
		r := d.receipt()
		r.Manifest = make([]byte, 32)
		reply := LeaseReply{Status: StatusGranted, Grant: &Grant{
			Server: "https://cluster.example:6443", CA: ca, Namespace: "n", Token: "t", Expires: time.Now().Add(time.Hour).Unix(),
		}}
		edit(&reply, &r)
		if reply.Receipt == nil {
			reply.Receipt = r.Encode()
		}
		reply.Signed = SignReceipt(key, reply.Receipt)
		_ = send(s, reply)
	}
}

// Table is a requester's match, step by step, for requesters that do not keep to
// the steps.
type Table struct{ t *table }

// Sit invites candidates and draws a roster of those that accept.
func Sit(ctx context.Context, s *Seeker, req market.Request, candidates []Candidate) (*Table, error) {
	t := &table{seeker: s, req: req, patience: s.Patience.WithDefaults()}
	t.invite(ctx, candidates)
	t.net = newNetwork(1+len(t.seats), t.patience.Silence)
	return &Table{t}, t.draw()
}

// Edit changes the roster and signs it again.
func (t *Table) Edit(key *identity.Key, edit func(*Roster)) error {
	var r Roster
	if err := wire.Decode(t.t.signed.Body, maxRoster, &r); err != nil {
		return err
	}
	edit(&r)
	t.t.signed = r.Sign(key)
	t.t.sid = t.t.signed.SID()
	return nil
}

// Tell sends a provider, counted from 0, anything.
func (t *Table) Tell(ctx context.Context, k int, v any) error {
	return t.t.seats[k].reports.tell(ctx, v)
}

// Roster is what the providers are to get.
func (t *Table) Roster() SignedRoster { return t.t.signed }

// SessionAs opens a session stream to a provider as any party.
func (t *Table) SessionAs(ctx context.Context, k, party int) (*mesh.Stream, error) {
	s, err := t.t.seats[k].candidate.Link.Open(ctx, KindSession)
	if err != nil {
		return nil, err
	}
	return s, writeSessionHeader(ctx, s, t.t.sid, party, spare.ID{})
}

// Final is the last report of a provider.
func (t *Table) Final(ctx context.Context, k int) (Report, bool) {
	return t.t.seats[k].reports.awaitEnd(ctx)
}

// Leave drops everything.
func (t *Table) Leave() { t.t.giveUp() }

// Parked is how many session streams wait for a match, and for how many.
func (p *Provider) Parked() (streams, rooms int) {
	p.meetings.mu.Lock()
	defer p.meetings.mu.Unlock()
	for _, n := range p.meetings.parked {
		streams += n
	}
	return streams, len(p.meetings.rooms)
}

// Busy is how many places are taken.
func (p *Provider) Busy() int { return len(p.slots) }

// MaxParked is how many streams of one peer wait at most.
const MaxParked = maxParked

// LyingRenewal answers everything with a promise that was edited.
func LyingRenewal(key *identity.Key, last []byte, total time.Duration, edit func(*Receipt)) mesh.Handler {
	return func(_ context.Context, s *mesh.Stream) {
		var req LeaseRequest
		r, err := ReadReceipt(last)
		if err != nil || receive(s, maxLease, &req) != nil {
			return
		}
		hash := sha256.Sum256(last)
		r.Seconds, r.Previous = seconds(total), hash[:]
		edit(&r)
		raw := r.Encode()
		_ = send(s, LeaseReply{Status: StatusPrepared, Receipt: raw, Signed: SignReceipt(key, raw), Void: 60})
	}
}

// LyingCredential answers everything with a credential.
func LyingCredential(c *Credential) mesh.Handler {
	return func(_ context.Context, s *mesh.Stream) {
		var req LeaseRequest
		if receive(s, maxLease, &req) == nil {
			_ = send(s, LeaseReply{Status: StatusToken, Credential: c})
		}
	}
}

// Typed is what a requester makes of what a provider says of a lease.
func Typed(w Stands) (Standing, error) { return w.typed() }

// MaxLeaseTunnels is how many connections of one lease are carried at most.
const MaxLeaseTunnels = maxLeaseTunnels

// KindOf is what a cluster is told of a notice.
func KindOf(k market.NoticeKind) k8s.NoticeKind { return noticeKinds[k] }

// LyingReply answers every request about a lease in the same words.
func LyingReply(r LeaseReply) mesh.Handler {
	return func(_ context.Context, s *mesh.Stream) {
		var req LeaseRequest
		if receive(s, maxLease, &req) == nil {
			_ = send(s, r)
		}
	}
}

// MaxPeerTunnels is how many connections of one requester are carried at most.
const MaxPeerTunnels = maxPeerTunnels

// Dig takes a place for a connection; nil: there is none.
func (p *Provider) Dig(ctx context.Context, id market.LeaseID, requester identity.PeerID) (fill func()) {
	_, fill = p.dig(ctx, id, requester)
	return fill
}

// Tunnels counts what is remembered of the connections that are carried.
func (p *Provider) Tunnels() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tunnels.all + len(p.tunnels.of) + len(p.tunnels.by)
}
