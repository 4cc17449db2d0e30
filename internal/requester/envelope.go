package requester

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/placement"
)

// The response-time envelope: more providers are a better market and a slower
// match. A deadline says how slow it may be; within it as many are invited as
// fit, nearest first.

// envelopeMargin is the share of the time that is left which a match may be
// predicted to take: a prediction is wrong as often as it is right.
const envelopeMargin = 0.8

// Timing says how long a match was predicted to take, from its invitations to
// its result, and how long it took.
type Timing struct {
	Providers int           `json:"providers"` // that were invited
	Predicted time.Duration `json:"predicted"`
	Took      time.Duration `json:"took"`
	Computed  time.Duration `json:"computed"` // of it: from when all were connected
}

// stopwatch times one match.
type stopwatch struct {
	begun, connected time.Time
	shape            Shape
	plan             Timing
}

// left is the time until a context ends; 0: it does not.
func left(ctx context.Context) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(end), 1)
}

// invite chooses whom of those drawn to invite to the next match, and starts its clock.
func (r *request) invite(ctx context.Context, drawn []match.Candidate) ([]match.Candidate, *stopwatch, error) {
	among, shape, err := r.client.envelope(r.req.Policy, drawn, r.least, left(ctx))
	if err != nil {
		return nil, nil, err
	}
	w := &stopwatch{begun: time.Now(), shape: shape, plan: Timing{Providers: len(among), Predicted: r.client.Pace.Predict(shape)}}
	r.seeker.Progress = func(st match.Step) {
		if st.Phase == match.Connected {
			w.connected = time.Now()
		}
		r.client.step(st)
	}
	r.client.progress(Event{Phase: Chosen, Done: len(among), Of: len(drawn), Predicted: w.plan.Predicted})
	return among, w, nil
}

// stop takes the time at the result, and learns from it.
func (w *stopwatch) stop(c *Client) Timing {
	t := w.plan
	t.Took, t.Computed = time.Since(w.begun), time.Since(w.connected)
	if err := c.Pace.Learn(w.shape, t.Took); err != nil {
		c.log().Info("pace not kept", "err", err)
	}
	c.progress(Event{Phase: Timed, Done: t.Providers, Of: t.Providers, Predicted: t.Predicted, Took: t.Took})
	return t
}

// envelope cuts ranked candidates to as many as a match within the time left is
// predicted to take, at least least. A time of 0 or less is no bound.
func (c *Client) envelope(policy string, ranked []match.Candidate, least int, left time.Duration) ([]match.Candidate, Shape, error) {
	shapes := make(map[int]Shape)
	var failed error
	fits := func(n int) bool {
		s, err := c.shape(policy, ranked[:n])
		if err != nil {
			failed = err
			return false
		}
		shapes[n] = s
		return left <= 0 || n <= least || c.fits(s, left)
	}
	// More parties are never faster: the first number that is too many.
	n := sort.Search(len(ranked), func(k int) bool { return failed == nil && !fits(k+1) })
	if failed != nil {
		return nil, Shape{}, failed
	}
	n = max(n, min(least, len(ranked)))
	if _, known := shapes[n]; !known {
		fits(n)
	}
	return ranked[:n], shapes[n], failed
}

// near leaves out whom a match of as few as may be could not wait for in the time
// left, unless too few would remain: a part that is drawn by lot is not the nearest.
func (c *Client) near(policy string, ranked []match.Candidate, least int, left time.Duration) ([]match.Candidate, error) {
	if left <= 0 || len(ranked) <= least {
		return ranked, nil
	}
	s, err := c.shape(policy, ranked[:least])
	if err != nil {
		return nil, err
	}
	most := c.farthest(s, left)
	near := slices.DeleteFunc(slices.Clone(ranked), func(m match.Candidate) bool { return m.Link.RTT() > most })
	if len(near) < least {
		return ranked, nil
	}
	return near, nil
}

// farthest is the longest round trip with which a match of a shape fits into the time
// left; below 0, none does.
func (c *Client) farthest(s Shape, left time.Duration) time.Duration {
	s.RTT = 0
	return time.Duration((envelopeMargin*float64(left) - float64(c.Pace.Predict(s))) / s.trips())
}

// fits says whether a match is predicted to end well within the time left.
func (c *Client) fits(s Shape, left time.Duration) bool {
	return c.Pace.Predict(s) <= time.Duration(envelopeMargin*float64(left))
}

// shape is what a match among some candidates costs.
func (c *Client) shape(policy string, among []match.Candidate) (Shape, error) {
	s := Shape{Parties: 1 + len(among)}
	fn, err := placement.New(policy, len(among))
	if err != nil {
		return s, err
	}
	order := make([]int, fn.Leaves())
	for k := range order {
		order[k] = k
	}
	circuit, err := fn.Build(order)
	if err != nil {
		return s, err
	}
	s.ANDs = circuit.ANDs()
	for _, m := range among {
		s.RTT = max(s.RTT, m.Link.RTT())
		if c.Spares == nil || !c.Spares.Has(m.Record.ID) {
			s.Strange++
		}
	}
	return s, nil
}
