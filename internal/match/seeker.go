package match

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/spare"
)

// Seeker is the requester's side of matches: party 0.
type Seeker struct {
	Key        *identity.Key
	Pool       *identity.Pool // nil: open market
	Membership []byte         // encoded; none outside a pool
	Spares     *spare.Store   // sets for matches with those that it has met; nil: none are kept
	Rand       io.Reader
	Now        func() time.Time
	Progress   func(Step) // may be nil; called from Play's goroutine
	Patience   Patience

	speed speed // of its links, as far as its matches have shown
}

// Step is how far a match has come, for whoever watches.
type Step struct {
	Phase Phase
	Done  int // providers that got there
	Of    int
}

// Phase names a step of a match.
type Phase string

// The phases of a match, in order.
const (
	Invited   Phase = "invited"   // Done of Of have accepted
	Connected Phase = "connected" // all parties to each other
	Decided   Phase = "decided"
)

// Outcome is what the requester learned in a match, and all that it needs to
// claim what it won. It holds secrets: it is stored in files of mode 0600.
type Outcome struct {
	SID    [32]byte
	Roster []byte            // the bytes whose hash the sid is
	Among  []identity.PeerID // the providers that took part, by party
	Parts  []Part            // by party; none: nothing matched
}

// Matched says whether anything was won.
func (o Outcome) Matched() bool { return len(o.Parts) > 0 }

// Part is what one winner delivers.
type Part struct {
	Member   Member
	Lease    market.LeaseID
	Quantity market.Quantity
	Price    market.Price // what is paid for a unit
}

// String leaves the secrets out, as does LogValue.
func (p Part) String() string { return "part of lease " + p.Lease.Short() }

// GoString is String: %#v would print the secrets.
func (p Part) GoString() string { return p.String() }

// LogValue is for log/slog.
func (p Part) LogValue() slog.Value { return slog.StringValue(p.String()) }

// String leaves the secrets out, as does LogValue.
func (o Outcome) String() string { return fmt.Sprintf("outcome of match %.4x", o.SID) }

// GoString is String: %#v would print the secrets.
func (o Outcome) GoString() string { return o.String() }

// LogValue is for log/slog.
func (o Outcome) LogValue() slog.Value { return slog.StringValue(o.String()) }

// TooFewError says that fewer providers accepted than the request asks for.
type TooFewError struct {
	Accepted, Wanted int
	Declined         []identity.PeerID // or did not answer in time
}

func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d providers take part, %d are asked for", e.Accepted, e.Wanted)
}

// FailedError is a match that ended before anybody's result. Drop names those
// whom the next try should leave out. If there is nobody to name, one at least of
// the Suspects is at fault: of two that stand against each other, or of all who
// took part, if a check failed and cannot be laid at anybody's door.
type FailedError struct {
	Drop     []identity.PeerID
	Suspects []identity.PeerID
	Err      error
}

func (e *FailedError) Error() string { return "match failed: " + e.Err.Error() }
func (e *FailedError) Unwrap() error { return e.Err }

// Play runs one match among the candidates that accept, at least least of them,
// at most MaxProviders, or fewer under a policy that would make it too large. store is called with the verified outcome before the
// last flight leaves: when it returns nil, the outcome must be durable, for from
// then on the winner may hold a reservation. Play then succeeds, whatever
// becomes of ctx.
//
// leave, never nil, is to be called once, before the links are closed: it waits, as
// long as its context lasts, until the providers have the last flight, and returns
// what those say that have not got their results by it.
//
// Errors: *TooFewError, *FailedError, the context's, store's, local faults.
func (s *Seeker) Play(ctx context.Context, req market.Request, candidates []Candidate, least int, store func(Outcome) error) (out Outcome, leave func(context.Context) []Dispute, err error) {
	t := &table{seeker: s, req: req, patience: s.Patience.WithDefaults()}
	defer func() { t.spares.wipe() }()
	if out, err = t.play(ctx, candidates, max(least, 1), store); err != nil {
		t.giveUp()
		return Outcome{}, func(context.Context) []Dispute { return nil }, err
	}
	return out, t.leave, nil
}

func (s *Seeker) poolName() string {
	if s.Pool == nil {
		return ""
	}
	return s.Pool.Name
}

func (s *Seeker) progress(phase Phase, done, of int) {
	if s.Progress != nil {
		s.Progress(Step{Phase: phase, Done: done, Of: of})
	}
}
