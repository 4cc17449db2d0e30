package match

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
)

// compute runs the MPC as party 0. Once store has the outcome, it stands: the
// last flight goes to whom it can.
func (t *table) compute(ctx context.Context, store func(Outcome) error) (Outcome, error) {
	var out Outcome
	var storeErr error
	party, err := mpc.New(mpc.Config{
		SID: t.sid, Roster: t.signed.Hash(), Self: 0, N: 1 + len(t.seats), K: int(t.k), Function: t.fn, Rand: t.seeker.Rand,
		Warm:   t.net.warm(t.spares),
		Inputs: func() ([]bool, error) { return t.inputs, nil },
		Decide: func(bits []bool) error {
			out = t.outcome(bits)
			if storeErr = store(out); storeErr == nil {
				t.net.decide()
			}
			return storeErr
		},
		Sign: func(msg []byte) ([]byte, error) { return t.seeker.Key.Sign(winDomain, msg), nil },
	})
	if err != nil {
		return Outcome{}, err
	}
	err = t.run(ctx, party)
	t.seeker.speed.note(t.net.flow.sum())
	switch {
	case storeErr != nil:
		return Outcome{}, storeErr
	case err == nil:
		keep(t.seeker.Spares, party, func(j int) identity.PeerID { return t.seats[j-1].candidate.Link.Peer() })
		t.seeker.progress(Decided, len(t.seats), len(t.seats))
		return out, nil
	case ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case !errors.Is(err, errEnded) && !isAbort(err):
		return Outcome{}, err // a fault of our own
	}
	return Outcome{}, t.failed(ctx, err)
}

func isAbort(err error) bool {
	_, ok := errors.AsType[*mpc.AbortError](err)
	return ok
}

// errEnded is why a run ends when a provider says that its match has.
var errEnded = errors.New("a provider's match has ended")

// run runs the party, but no longer than all providers do.
func (t *table) run(ctx context.Context, party *mpc.Party) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	for k, c := range t.seats {
		watch.Go(func() {
			select {
			case <-c.reports.ended:
				if c.reports.final.State != Finished {
					cancel(fmt.Errorf("%w: party %d", errEnded, k+1))
				}
			case <-ctx.Done():
			}
		})
	}
	err := mpc.Run(ctx, party, t.net)
	cancel(nil)
	watch.Wait()
	return err
}
