package cli

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/requester"
)

// Between tries of --wait: at first about this, then half as much again each time, up to the longest; a random half is taken
// off or put on, so that requesters that wait for the same capacity do not come back together.
const (
	firstPause   = 2 * time.Second
	longestPause = 20 * time.Second
)

// tryUntil tries until there is a lease, a fault that waiting does not cure, or the time is over.
func (a *app) tryUntil(ctx context.Context, wait time.Duration, try func(context.Context) (requester.Lease, error)) (requester.Lease, error) {
	end := a.now().Add(wait)
	for pause := firstPause; ; pause = min(pause*3/2, longestPause) {
		lease, err := try(ctx)
		rest := min(time.Duration((0.5+rand.Float64())*float64(pause)), end.Sub(a.now())) // the last try is when the time is over
		if err == nil || !mayPass(err) || rest <= 0 {
			return lease, err
		}
		a.talk.step("%v; trying again in %v", err, rest.Round(100*time.Millisecond))
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return lease, ctx.Err()
		}
	}
}

// mayPass tells whether a try that ended so may end otherwise a little later.
func mayPass(err error) bool {
	var few *requester.TooFewError
	for _, e := range []error{requester.ErrNoFit, requester.ErrAborted, requester.ErrDeadline, dht.ErrNoBootstrap} {
		if errors.Is(err, e) {
			return true
		}
	}
	var policy *requester.PolicyError
	return errors.As(err, &few) || errors.As(err, &policy)
}
