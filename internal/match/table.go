package match

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// table is one match from its invitations to its end.
type table struct {
	seeker   *Seeker
	patience Patience
	req      market.Request
	seats    []*chair // party 1+k
	signed   SignedRoster
	sid      [32]byte
	k        uint // SoftSpoken's k, in the roster
	fn       placement.Function
	inputs   []bool // what the requester enters
	net      *network
	spares   spares // set by seat
}

// chair is one provider at the table.
type chair struct {
	candidate Candidate
	record    []byte
	nonce     []byte
	reports   *listener
}

func (t *table) play(ctx context.Context, candidates []Candidate, least int, store func(Outcome) error) (Outcome, error) {
	most, err := mostProviders(t.req.Policy, min(len(candidates), MaxProviders))
	switch {
	case err != nil:
		return Outcome{}, err
	case most < min(least, len(candidates)):
		return Outcome{}, fmt.Errorf("%w: at most %d providers", errLargeMatch, most)
	}
	t.invite(ctx, candidates[:most])
	if ctx.Err() != nil {
		return Outcome{}, ctx.Err()
	}
	if len(t.seats) < least {
		return Outcome{}, t.tooFew(candidates[:most], least)
	}
	if err = t.draw(); err != nil {
		return Outcome{}, err
	}
	if err = t.seat(ctx); err != nil {
		return Outcome{}, err
	}
	return t.compute(ctx, store)
}

// invite asks all candidates at once and seats those that accept in time.
func (t *table) invite(ctx context.Context, candidates []Candidate) {
	ctx, cancel := context.WithTimeout(ctx, t.patience.Answer)
	defer cancel()
	in := Invite{
		Version: Version, Pool: t.seeker.poolName(), Class: t.req.Class.String(), Policy: t.req.Policy,
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
	_ = g.Wait() // no function of this group returns an error
	for _, c := range chairs {
		if c != nil {
			t.seats = append(t.seats, c)
		}
	}
	t.seeker.progress(Invited, len(t.seats), len(candidates))
}

// tooFew tells who has declined, of those who were invited.
func (t *table) tooFew(invited []Candidate, least int) *TooFewError {
	e, here := &TooFewError{Accepted: len(t.seats), Wanted: least}, t.among()
	for _, c := range invited {
		if id := c.Link.Peer(); !slices.Contains(here, id) {
			e.Declined = append(e.Declined, id)
		}
	}
	return e
}

// ask invites one candidate; nil: it takes no part.
func (t *table) ask(ctx context.Context, c Candidate, in Invite) *chair {
	s, err := c.Link.Open(ctx, KindMatch)
	if err != nil {
		return nil
	}
	stop := s.Bind(ctx)
	var a Answer
	if send(s, in) != nil || receive(s, maxAnswer, &a) != nil || !a.Accept || len(a.Nonce) != nonceSize || !stop() {
		stop()
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
	t.net = newNetwork(1+len(t.seats), t.patience.Silence)
	t.spares = make(spares, 1+len(t.seats))
	waiting, cancel := context.WithTimeout(ctx, t.patience.Ready)
	defer cancel()
	// All get the roster, whatever becomes of the others: who has it can be
	// stopped, and asked.
	err := t.each(new(errgroup.Group), func(_ int, c *chair) error { return c.reports.tell(waiting, t.signed) })
	if err == nil {
		// The first that cannot be brought in ends it for all.
		g, together := errgroup.WithContext(waiting)
		err = t.each(g, func(party int, c *chair) error { return t.lead(together, party, c) })
	}
	switch {
	case err == nil:
		t.seeker.progress(Connected, len(t.seats), len(t.seats))
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return t.failed(ctx, err)
}

// lead brings one provider into the session. It has answered about the spare
// set by the time that it is ready.
func (t *table) lead(ctx context.Context, party int, c *chair) error {
	s, err := c.candidate.Link.Open(ctx, KindSession)
	if err != nil {
		return err
	}
	t.net.peers[party] = s
	named, err := openSession(ctx, s, t.sid, 0, t.seeker.Spares)
	if err != nil {
		return err
	}
	if err = c.reports.awaitReady(ctx); err != nil {
		named.Wipe()
		return err
	}
	t.spares[party], err = agreed(ctx, s, named)
	return err
}

// each does something for all providers at once, in a group, and returns the
// first error.
func (t *table) each(g *errgroup.Group, do func(party int, c *chair) error) error {
	for k, c := range t.seats {
		g.Go(func() error {
			if err := do(k+1, c); err != nil {
				return fmt.Errorf("party %d: %w", k+1, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// among are the providers that take part, by party.
func (t *table) among() []identity.PeerID {
	var ids []identity.PeerID
	for _, c := range t.seats {
		ids = append(ids, c.candidate.Link.Peer())
	}
	return ids
}

// giveUp drops everything at once: that is how the others learn of it.
func (t *table) giveUp() {
	if t.net != nil {
		t.net.reset()
	}
	for _, c := range t.seats {
		c.reports.Reset()
		c.reports.close()
	}
}

// leave waits until every provider has said how it ended, for a stream that is
// closed before its last flight has arrived loses it.
func (t *table) leave(ctx context.Context) []Dispute {
	list := t.disputes(ctx)
	t.net.close()
	for _, c := range t.seats {
		c.reports.close()
	}
	return list
}
