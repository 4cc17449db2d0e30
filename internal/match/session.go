package match

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/placement"
)

// winDomain separates party 0's signature on a win from its others.
const winDomain = "angler/1 win"

// session is a provider's part in one match.
type session struct {
	provider *Provider
	seat     *Seat
	ask      market.Ask
	log      *slog.Logger

	seen   Seen
	net    *network
	guests []*guest // streams that others have opened
	spares spares   // set by assemble
}

// Seen is what a provider learned in one match, for its own operator's eyes.
type Seen struct {
	SID      [32]byte
	At       time.Time
	Class    market.Class
	Parties  int
	Won      bool
	Quantity market.Quantity // if won
	Price    market.Price    // what it is paid for a unit, if won
	Lease    market.LeaseID  // if won
	Aborted  string          // where it ended, if it did not come to a result
}

// LogValue leaves the secrets out.
func (s Seen) LogValue() slog.Value {
	return slog.GroupValue(slog.String("sid", fmt.Sprintf("%.4x", s.SID)), slog.Bool("selected", s.Won), slog.String("aborted", s.Aborted))
}

// serve takes the provider through the match and tells the requester how it
// ended. vacate gives its place among the matches free: the last words take no
// place.
func (m *session) serve(ctx context.Context, s *mesh.Stream, vacate func()) {
	p := m.provider
	m.seen = Seen{SID: m.seat.SID, Class: m.ask.Class, Parties: m.seat.Parties()}
	m.net = newNetwork(m.seat.Parties(), p.Patience.Silence)
	ended := p.runs(market.NewLeaseID(m.seat.SID, p.Key.ID()), s.Peer())

	matching, done := context.WithTimeout(ctx, matchWithin)
	defer done()
	matching, cancel := context.WithCancelCause(matching)
	defer cancel(nil)
	c := heed(s, cancel)
	defer c.ignore()
	err := m.run(matching, s)
	p.Ledger.Free(m.seat.SID) // whatever has not been won
	ended()
	vacate()

	report := m.report(matching, err)
	if ctx.Err() != nil {
		report = Report{State: Withdrawn} // we go down, or the link did: nobody else's fault
	}
	m.log.Info("match done", "selected", m.seen.Won, "ended", report.State, "err", err)
	m.seen.At = p.now()
	if p.Observe != nil {
		p.Observe(m.seen)
	}
	if err := sendWithin(s, writeWithin, report); err != nil {
		m.log.Debug("report not delivered", "err", err)
	}
	if report.State != Finished {
		// Streams that end look like a fault of ours to the others, who may
		// not yet know that the match is over.
		c.linger(ctx, p.Patience.Report)
	}
	m.leave(report.State == Finished)
}

// run meets the other parties and computes.
func (m *session) run(ctx context.Context, s *mesh.Stream) error {
	m.seen.Aborted = "roster"
	fn, bytes, err := agreedFunction(m.seat.Roster, m.seat.Self)
	if err != nil {
		return err
	}
	done, err := m.provider.memory.take(m.ask.Requester, bytes)
	if err != nil {
		return err
	}
	defer done()
	m.seen.Aborted = "connecting"
	defer func() { m.spares.wipe() }()
	if err := m.assemble(ctx); err != nil {
		return err
	}
	m.provider.stock.meet(m.seat)
	if err := sendWithin(s, writeWithin, Report{State: Ready}); err != nil {
		return err
	}
	m.seen.Aborted = "computing"
	if err := m.compute(ctx, fn); err != nil {
		if abort, ok := errors.AsType[*mpc.AbortError](err); ok {
			m.seen.Aborted = fmt.Sprintf("flight %d", abort.Flight)
		}
		return err
	}
	m.seen.Aborted = ""
	return nil
}

// report puts the end of a match into words for the requester.
func (m *session) report(ctx context.Context, err error) Report {
	if err == nil {
		return Report{State: Finished}
	}
	stopped := errors.Is(context.Cause(ctx), errStopped)
	if away, ok := errors.AsType[*unreachableError](err); ok {
		if stopped {
			return say(Stopped, away.party, 0)
		}
		return say(Unreachable, away.party, 0)
	}
	party, flight := m.net.behind()
	abort, isAbort := errors.AsType[*mpc.AbortError](err)
	switch {
	case stopped:
		return say(Stopped, party, flight)
	case errors.Is(err, errSilent) || ctx.Err() != nil:
		return say(Stalled, party, flight)
	case isAbort && errors.Is(err, errLink):
		return say(Broken, abort.Peer, abort.Flight)
	case isAbort:
		return say(Aborted, abort.Peer, abort.Flight)
	}
	return Report{State: Withdrawn}
}

// say makes a report; a party below 0 is nobody.
func say(s State, party, flight int) Report {
	return Report{State: s, Peer: uint(max(party, 0)), Flight: uint(max(flight, 0))}
}

// agreedFunction builds the placement function that the roster names, checks that
// it is the very circuit that the requester has, and tells what the match will make
// party self keep.
func agreedFunction(r *Roster, self int) (fn placement.Function, bytes int, err error) {
	if fn, err = placement.New(r.Policy, len(r.Providers)); err != nil {
		return nil, 0, err
	}
	c, err := template(fn)
	if err != nil {
		return nil, 0, err
	}
	if h := c.Hash(); string(h[:]) != string(r.Circuit) {
		return nil, 0, errors.New("roster names another circuit for its policy")
	}
	bytes, err = checkMemory(c, self)
	return fn, bytes, err
}

// template is a function's circuit for leaves in their order, whose hash stands in
// the roster.
func template(fn placement.Function) (*circuit.Circuit, error) {
	order := make([]int, fn.Leaves())
	for k := range order {
		order[k] = k
	}
	return fn.Build(order)
}

// compute runs the MPC. Inputs bind when every check before has passed: only
// then is capacity held, in one step of the ledger that never waits. A full
// provider enters 0, and so does one whose offer went away meanwhile.
func (m *session) compute(ctx context.Context, fn placement.Function) error {
	p, seat := m.provider, m.seat
	var bid market.Bid
	var inputs []bool
	party, err := mpc.New(mpc.Config{
		SID: seat.SID, Roster: seat.Hash, Self: seat.Self, N: seat.Parties(), Function: fn, K: int(seat.Roster.K), Rand: p.Rand, Warm: m.net.warm(m.spares),
		Inputs: func() (_ []bool, err error) {
			if bid, err = m.bind(); err != nil {
				return nil, err
			}
			inputs, err = fn.OfferInputs(entered(fn.Policy(), bid))
			return inputs, err
		},
		Decide: func(out []bool) error {
			award, won := fn.Award(seat.Self, inputs, out)
			if !won {
				return nil
			}
			return m.decide(award)
		},
		Verify: func(msg, sig []byte) bool { return seat.Roster.Requester.ID.Verify(winDomain, msg, sig) },
	})
	if err != nil {
		return err
	}
	if err = p.drive(ctx, party, m.net); err != nil {
		return err
	}
	keep(p.Spares, party, seat.Peer)
	return nil
}

// bind takes the hold with which the inputs bind, and counts the match: from
// here on it may tell the requester something, so the count is on disk before
// anything can be released.
func (m *session) bind() (market.Bid, error) {
	p := m.provider
	if err := p.Ledger.RecordMatch(m.ask.Requester); err != nil {
		p.ledgerFailed(err)
		return market.Bid{}, err
	}
	if p.unfit.Load() {
		return market.Bid{}, nil
	}
	return p.Ledger.Hold(m.seat.SID, m.ask, p.HoldFor)
}

// entered is what a bid enters into a match of a policy.
func entered(policy placement.Policy, bid market.Bid) placement.Offer {
	o := placement.Offer{Quantity: uint16(bid.Quantity), Price: uint32(bid.Price), Further: make([]uint16, len(policy.Further))}
	for i, q := range bid.Further[:min(len(bid.Further), len(o.Further))] {
		o.Further[i] = uint16(q)
	}
	if policy.Tiers {
		for _, s := range bid.Steps {
			o.Steps = append(o.Steps, placement.Step{From: uint16(s.From), Price: uint32(s.Price)})
		}
	}
	return o
}

// decide takes a verified win: it is durable before anybody is told, and refused
// once the hold has expired.
func (m *session) decide(award placement.Award) error {
	p := m.provider
	further := make([]market.Quantity, len(award.Further))
	for i, q := range award.Further {
		further[i] = market.Quantity(q)
	}
	lease, err := p.Ledger.Win(m.seat.SID, market.Quantity(award.Quantity), market.Price(award.Pays), further...)
	if err != nil {
		p.ledgerFailed(err)
		return err
	}
	m.seen.Won, m.seen.Quantity, m.seen.Price, m.seen.Lease = true, lease.Quantity, lease.Price, lease.ID
	return nil
}
