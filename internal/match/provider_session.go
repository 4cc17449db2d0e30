package match

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/placement"
)

// winDomain separates party 0's signature on a win from its others.
const winDomain = "angler/1 win"

// take sits down at a match: meets the other parties, runs the MPC, reports.
func (p *Provider) take(ctx context.Context, s *mesh.Stream, seat *Seat, ask market.Ask, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, matchWithin)
	defer cancel()
	seen := Seen{SID: seat.SID, Class: ask.Class, Parties: 1 + len(seat.Roster.Providers)}
	report := p.session(ctx, s, seat, ask, &seen, log)
	seen.At = p.now()
	if p.Observe != nil {
		p.Observe(seen)
	}
	within(s, writeWithin)
	if err := send(s, report); err != nil {
		log.Debug("report not delivered", "err", err)
	}
}

// session runs one match and returns what to report of it.
func (p *Provider) session(ctx context.Context, s *mesh.Stream, seat *Seat, ask market.Ask, seen *Seen, log *slog.Logger) Report {
	fn, err := agreedFunction(seat.Roster)
	if err != nil {
		log.Info("no match", "why", err)
		seen.Aborted = "roster"
		return Report{State: Aborted}
	}
	net, err := p.assemble(ctx, seat)
	defer net.leave()
	if err != nil {
		var un *unreachableError
		seen.Aborted = "connecting"
		log.Info("could not connect to all parties", "err", err)
		if errors.As(err, &un) {
			return Report{State: Unreachable, Peer: uint(un.party)}
		}
		return Report{State: Aborted}
	}
	if err := send(s, Report{State: Ready}); err != nil {
		seen.Aborted = "connecting"
		return Report{State: Aborted}
	}
	err = p.compute(ctx, seat, fn, ask, net.streams, seen)
	if err == nil {
		log.Info("match done", "selected", seen.Won)
		return Report{State: Finished}
	}
	p.Ledger.Free(seat.SID)
	net.streams.reset()
	report := Report{State: Aborted}
	seen.Aborted = "computing"
	var abort *mpc.AbortError
	if errors.As(err, &abort) {
		seen.Aborted = fmt.Sprintf("flight %d", abort.Flight)
		if errors.Is(err, errLink) && abort.Peer >= 0 {
			report = Report{State: Stalled, Peer: uint(abort.Peer)}
		}
	}
	log.Info("match aborted", "err", err)
	return report
}

// agreedFunction builds the placement function that the roster names and
// checks that it is the very circuit that the requester has.
func agreedFunction(r *Roster) (placement.Function, error) {
	fn, err := placement.New(r.Policy, len(r.Providers))
	if err != nil {
		return nil, err
	}
	h, err := templateHash(fn)
	if err != nil {
		return nil, err
	}
	if string(h[:]) != string(r.Circuit) {
		return nil, errors.New("roster names another circuit for its policy")
	}
	return fn, nil
}

// templateHash is the hash of a function's circuit for leaves in their order.
func templateHash(fn placement.Function) ([32]byte, error) {
	order := make([]int, fn.Leaves())
	for k := range order {
		order[k] = k
	}
	c, err := fn.Build(order)
	if err != nil {
		return [32]byte{}, err
	}
	return c.Hash(), nil
}

// compute runs the MPC. Inputs bind when every check before has passed: only
// then is capacity held, in one step of the ledger that never waits. A full
// provider enters 0, and so does one whose offer went away meanwhile.
func (p *Provider) compute(ctx context.Context, seat *Seat, fn placement.Function, ask market.Ask, net streams, seen *Seen) error {
	var bid market.Bid
	party, err := mpc.New(mpc.Config{
		SID: seat.SID, Roster: seat.Hash, Self: seat.Self, N: len(net), Function: fn, K: int(seat.Roster.K), Rand: p.Rand,
		Inputs: func() (_ []bool, err error) {
			bid, err = p.bind(seat, ask)
			return placement.OfferInputs(uint16(bid.Quantity), uint32(bid.Price)), err
		},
		Decide: func(out []bool) error {
			res := placement.DecodeProvider(out)
			if !res.Won {
				p.Ledger.Free(seat.SID)
				return nil
			}
			// Durable before anybody is told; refused once the hold has expired.
			lease, err := p.Ledger.Win(seat.SID, market.Quantity(res.Quantity), bid.Price)
			if err == nil {
				seen.Won, seen.Quantity, seen.Price, seen.Lease = true, lease.Quantity, lease.Price, lease.ID
			}
			return err
		},
		Verify: func(msg, sig []byte) bool { return seat.Roster.Requester.ID.Verify(winDomain, msg, sig) },
	})
	if err != nil {
		return err
	}
	return mpc.Run(ctx, party, net)
}

// bind takes the hold with which the inputs bind, and counts the match: from
// here on it may tell the requester something, so the count is on disk before
// anything can be released.
func (p *Provider) bind(seat *Seat, ask market.Ask) (market.Bid, error) {
	if err := p.Ledger.RecordMatch(ask.Requester); err != nil {
		return market.Bid{}, err
	}
	return p.Ledger.Hold(seat.SID, ask, p.HoldFor)
}

// assembly is the streams of one match: some opened here, some by others, whose
// handlers wait until they are left.
type assembly struct {
	streams streams
	guests  []*guest
}

// leave ends every stream in good order; one that was reset stays so.
func (a *assembly) leave() {
	a.streams.close()
	for _, g := range a.guests {
		close(g.left)
	}
}

// unreachableError says with which party a link could not be made.
type unreachableError struct {
	party int
	err   error
}

func (e *unreachableError) Error() string { return fmt.Sprintf("party %d: %v", e.party, e.err) }
func (e *unreachableError) Unwrap() error { return e.err }

// assemble gets a stream with every other party: the lower index opens it, so
// the requester opens all of its own.
func (p *Provider) assemble(ctx context.Context, seat *Seat) (*assembly, error) {
	ctx, cancel := context.WithTimeout(ctx, meetWithin)
	defer cancel()
	n := 1 + len(seat.Roster.Providers)
	a := &assembly{streams: make(streams, n)}
	guests := make([]*guest, n)
	g, ctx := errgroup.WithContext(ctx)
	for party := range n {
		if party == seat.Self {
			continue
		}
		g.Go(func() (err error) {
			if party < seat.Self {
				if guests[party], err = p.meetings.await(ctx, seat.SID, seat.peer(party)); err == nil {
					a.streams[party] = guests[party].stream
					err = guests[party].claims(party)
				}
			} else {
				a.streams[party], err = p.open(ctx, seat, party)
			}
			if err != nil {
				err = &unreachableError{party, err}
			}
			return err
		})
	}
	err := g.Wait()
	for _, got := range guests {
		if got != nil {
			a.guests = append(a.guests, got)
		}
	}
	if err != nil {
		a.streams.reset()
	}
	return a, err
}

// open dials a provider of a higher index at the addresses of its own record.
func (p *Provider) open(ctx context.Context, seat *Seat, party int) (*mesh.Stream, error) {
	link, err := p.Mesh.Connect(ctx, seat.peer(party), seat.Records[party-1].Addrs)
	if err != nil {
		return nil, err
	}
	s, err := link.Open(ctx, KindSession)
	if err != nil {
		return nil, err
	}
	return s, writeSessionHeader(s, seat.SID, seat.Self)
}

// peer is the identity of a party.
func (s *Seat) peer(party int) identity.PeerID {
	if party == 0 {
		return s.Roster.Requester.ID
	}
	return s.Roster.Providers[party-1].ID
}
