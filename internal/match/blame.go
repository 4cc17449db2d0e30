package match

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
)

// failed stops a match that has failed by err, asks everybody what they saw and says
// who is at fault, or may be.
func (t *table) failed(ctx context.Context, err error) *FailedError {
	e := t.witness(err)
	ctx, cancel := context.WithTimeout(ctx, t.patience.Report)
	defer cancel()
	for k, r := range t.hear(ctx) {
		e.add(k+1, r)
	}
	drop, suspects := e.judge(t.pick)
	if len(drop)+len(suspects) == 0 {
		return &FailedError{Suspects: t.among(), Err: err}
	}
	return &FailedError{Drop: t.peers(drop), Suspects: t.peers(suspects), Err: err}
}

// peers are the identities of parties.
func (t *table) peers(parties []int) (ids []identity.PeerID) {
	for _, party := range parties {
		ids = append(ids, t.seats[party-1].candidate.Link.Peer())
	}
	return ids
}

// witness is what the requester saw itself.
func (t *table) witness(err error) *evidence {
	e := &evidence{parties: 1 + len(t.seats)}
	abort, isAbort := errors.AsType[*mpc.AbortError](err)
	switch {
	case errors.Is(err, errNotReady):
		e.quiet = errors.Is(err, context.DeadlineExceeded)
	case isAbort && !errors.Is(err, errSilent):
		e.own = finding{of: max(abort.Peer, 0), flight: abort.Flight}
	case t.net.quiet() >= t.patience.Silence/2:
		// Silent here, or for a provider, whose clock was a little faster.
		of, flight := t.net.behind()
		e.quiet, e.own = true, finding{of: of, flight: flight, wait: true}
	}
	return e
}

// hear tells all providers to stop and collects what they say; the zero Report
// is of one that says nothing in time.
func (t *table) hear(ctx context.Context) []Report {
	reports := make([]Report, len(t.seats))
	var all sync.WaitGroup
	for k, c := range t.seats {
		all.Go(func() {
			_ = c.reports.tell(ctx, Notice{Stop: true}) // who cannot be told will not answer
			reports[k], _ = c.reports.awaitEnd(ctx)
			select {
			case <-c.candidate.Link.Done(): // whatever its last words were
				reports[k] = Report{}
			default:
			}
		})
	}
	all.Wait()
	return reports
}

// pick draws one of n with the requester's own randomness, whose bias is below
// 2^-50. If randomness fails, it is the first.
func (t *table) pick(n int) int {
	var b [8]byte
	if _, err := io.ReadFull(t.seeker.Rand, b[:]); err != nil {
		return 0
	}
	return int(binary.LittleEndian.Uint64(b[:]) % uint64(n))
}
