package match

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/placement"
	"golang.org/x/sync/errgroup"
)

// How long a requester waits for a step of others, before it goes on without.
const (
	answerWithin = 5 * time.Second
	readyWithin  = 15 * time.Second
)

// Seeker is the requester's side of matches: party 0.
type Seeker struct {
	Key        *identity.Key
	Pool       *identity.Pool // nil: open market
	PoolName   string
	Membership []byte // encoded; none outside a pool
	Rand       io.Reader
	Now        func() time.Time
	Progress   func(Step) // may be nil
}

// Step is how far a match has come, for whoever watches.
type Step struct {
	Phase string // invited, ready, decided
	Done  int    // providers that got there
	Of    int
}

// Outcome is what the requester learned in a match, and all that it needs to
// claim what it won. It holds secrets: it is stored in files of mode 0600.
type Outcome struct {
	SID     [32]byte
	Roster  []byte // the bytes whose hash the sid is
	Matched bool
	Winner  Member // zero unless matched, as are the next two
	Lease   market.LeaseID
	Price   market.Price
}

// TooFewError says that fewer providers accepted than the request asks for.
type TooFewError struct{ Accepted, Wanted int }

func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d providers take part, %d are asked for", e.Accepted, e.Wanted)
}

// FailedError is a match that ended before anybody's result. Drop names those
// whom the next try should leave out; with nobody to name, a check failed and
// who cheated is not known.
type FailedError struct {
	Drop []identity.PeerID
	Err  error
}

func (e *FailedError) Error() string { return "match failed: " + e.Err.Error() }
func (e *FailedError) Unwrap() error { return e.Err }

// Play runs one match among the candidates that accept, at least least of them.
// store is called with the verified outcome before the last flight leaves: when
// it returns, the outcome must be durable, for from then on the winner holds a
// reservation. leave, never nil, is to be called before the links are closed: it
// waits, as long as its context lasts, until the providers have the last flight.
//
// Errors: *TooFewError, *FailedError, the context's, store's.
func (s *Seeker) Play(ctx context.Context, req market.Request, candidates []Candidate, least int, store func(Outcome) error) (out Outcome, leave func(context.Context), err error) {
	t := &table{seeker: s, req: req}
	if out, err = t.play(ctx, candidates, max(least, 1), store); err != nil {
		t.giveUp()
		return Outcome{}, func(context.Context) {}, err
	}
	return out, t.leave, nil
}

func (t *table) play(ctx context.Context, candidates []Candidate, least int, store func(Outcome) error) (Outcome, error) {
	t.invite(ctx, candidates)
	if ctx.Err() != nil {
		return Outcome{}, ctx.Err()
	}
	if len(t.seats) < least {
		return Outcome{}, &TooFewError{Accepted: len(t.seats), Wanted: least}
	}
	if err := t.seat(ctx); err != nil {
		return Outcome{}, err
	}
	return t.compute(ctx, store)
}

func (s *Seeker) progress(phase string, done, of int) {
	if s.Progress != nil {
		s.Progress(Step{Phase: phase, Done: done, Of: of})
	}
}

// table is one match from its invitations to its end.
type table struct {
	seeker  *Seeker
	req     market.Request
	seats   []*chair
	signed  SignedRoster
	sid     [32]byte
	fn      placement.Function
	streams streams
}

// chair is one provider at the table.
type chair struct {
	candidate Candidate
	record    []byte
	nonce     []byte
	reports   *listener
}

func (t *table) invite(ctx context.Context, candidates []Candidate) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	in := Invite{
		Version: Version, Pool: t.seeker.PoolName, Class: t.req.Class.String(), Policy: t.req.Policy,
		Seconds: uint64(t.req.Duration / time.Second), Membership: t.seeker.Membership,
	}
	chairs := make([]*chair, len(candidates))
	var g errgroup.Group
	for k, c := range candidates {
		g.Go(func() error {
			chairs[k] = t.ask(ctx, c, in) // one that doesn't answer is as one that declines
			return nil
		})
	}
	_ = g.Wait() //nolint:errcheck // no function of this group returns an error
	for _, c := range chairs {
		if c != nil {
			t.seats = append(t.seats, c)
		}
	}
	t.seeker.progress("invited", len(t.seats), len(candidates))
}

// ask invites one candidate; nil: it takes no part.
func (t *table) ask(ctx context.Context, c Candidate, in Invite) *chair {
	s, err := c.Link.Open(ctx, KindMatch)
	if err != nil {
		return nil
	}
	defer s.Bind(ctx)()
	var a Answer
	if send(s, in) != nil || receive(s, maxAnswer, &a) != nil || !a.Accept || len(a.Nonce) != 32 {
		s.Reset()
		return nil
	}
	rec, err := checkRecord(a.Record, c.Link.Peer(), t.seeker.Pool, t.seeker.Now())
	if err != nil {
		s.Reset()
		return nil
	}
	c.Record = rec
	return &chair{candidate: c, record: a.Record, nonce: a.Nonce, reports: listen(s)}
}

// seat sends the roster, opens the session streams and waits until all are
// connected to each other.
func (t *table) seat(ctx context.Context) error {
	if err := t.draw(); err != nil {
		return err
	}
	t.streams = make(streams, len(t.seats)+1)
	wait, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	failed := make([]error, len(t.seats))
	var g errgroup.Group
	for k, c := range t.seats {
		g.Go(func() error {
			failed[k] = t.lead(wait, k, c)
			return nil
		})
	}
	_ = g.Wait() //nolint:errcheck // errors are kept by seat
	if err := errors.Join(failed...); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &FailedError{Drop: t.blame(nil), Err: err}
	}
	t.seeker.progress("ready", len(t.seats), len(t.seats))
	return nil
}

// draw fixes the roster.
func (t *table) draw() error {
	var salt, nonce [32]byte
	if _, err := io.ReadFull(t.seeker.Rand, salt[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(t.seeker.Rand, nonce[:]); err != nil {
		return err
	}
	var err error
	if t.fn, err = placement.New(t.req.Policy, len(t.seats)); err != nil {
		return err
	}
	circuit, err := templateHash(t.fn)
	if err != nil {
		return err
	}
	com := commitRequest(salt, t.req.Quantity, t.req.MaxPrice)
	r := Roster{
		Version: Version, Pool: t.seeker.PoolName, Class: t.req.Class.String(), Policy: t.req.Policy,
		Seconds: uint64(t.req.Duration / time.Second), K: uint(extensionK(len(t.seats) + 1)),
		Circuit: circuit[:], Commitment: com[:],
		Requester: Requester{ID: t.seeker.Key.ID(), Nonce: nonce[:], Membership: t.seeker.Membership},
	}
	for _, c := range t.seats {
		r.Providers = append(r.Providers, Member{ID: c.candidate.Link.Peer(), Nonce: c.nonce, Record: c.record})
	}
	t.signed = r.Sign(t.seeker.Key)
	t.sid = t.signed.SID()
	return nil
}

// extensionK is SoftSpoken's k for n parties: more work for less traffic where
// there are few of them.
func extensionK(n int) int {
	if n <= 16 {
		return 8
	}
	return 4
}

// outcome reads what the requester learned.
func (t *table) outcome(bits []bool) Outcome {
	o := Outcome{SID: t.sid, Roster: t.signed.Body}
	r := placement.DecodeRequester(bits)
	if !r.Matched {
		return o
	}
	c := t.seats[r.Winner-1]
	o.Matched, o.Price = true, market.Price(r.Price)
	o.Winner = Member{ID: c.candidate.Link.Peer(), Nonce: c.nonce, Record: c.record}
	o.Lease = market.NewLeaseID(t.sid, o.Winner.ID)
	return o
}

// lead brings one provider into the session.
func (t *table) lead(ctx context.Context, k int, c *chair) error {
	if err := send(c.reports.Stream, t.signed); err != nil {
		return err
	}
	s, err := c.candidate.Link.Open(ctx, KindSession)
	if err != nil {
		return err
	}
	t.streams[k+1] = s
	if err := writeSessionHeader(s, t.sid, 0); err != nil {
		return err
	}
	return c.reports.awaitReady(ctx)
}

// compute runs the MPC as party 0.
func (t *table) compute(ctx context.Context, store func(Outcome) error) (Outcome, error) {
	var out Outcome
	var storeErr error
	party, err := mpc.New(mpc.Config{
		SID: t.sid, Roster: t.signed.Hash(), Self: 0, N: len(t.streams), K: extensionK(len(t.streams)), Function: t.fn, Rand: t.seeker.Rand,
		Inputs: func() ([]bool, error) {
			return placement.RequestInputs(uint16(t.req.Quantity), uint32(t.req.MaxPrice)), nil
		},
		Decide: func(bits []bool) error {
			out = t.outcome(bits)
			storeErr = store(out)
			return storeErr
		},
		Sign: func(msg []byte) ([]byte, error) { return t.seeker.Key.Sign(winDomain, msg), nil },
	})
	if err != nil {
		return Outcome{}, err
	}
	err = mpc.Run(ctx, party, t.streams)
	switch {
	case storeErr != nil:
		return Outcome{}, storeErr
	case err != nil && ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case err != nil:
		return Outcome{}, &FailedError{Drop: t.blame(err), Err: err}
	}
	t.seeker.progress("decided", len(t.seats), len(t.seats))
	return out, nil
}

// giveUp resets every session: that is how the others learn of it.
func (t *table) giveUp() {
	t.streams.reset()
	for _, c := range t.seats {
		c.reports.close()
	}
}

// leave waits until every provider has said how it ended, for a stream that is
// closed before its last flight has arrived loses it.
func (t *table) leave(ctx context.Context) {
	for _, c := range t.seats {
		c.reports.awaitEnd(ctx)
	}
	t.streams.close()
	for _, c := range t.seats {
		c.reports.close()
	}
}

// coin is a fair bit for disputes between two providers, neither of whom may
// be framed by the other. It needs no reproducing.
func coin() bool {
	var b [1]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return b[0]&1 == 1
}
