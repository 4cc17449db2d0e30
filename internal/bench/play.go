package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
)

// sample is what one run has shown.
type sample struct {
	seconds time.Duration // from the start signal to the requester's verified result
	phases  []phase
	connect time.Duration
	cpu     time.Duration // of all parties, until the last one is through

	ands               int
	toResult, toWinner int // flights
	parties            []traffic
}

// phase is a part of the requester's time, in order.
type phase struct {
	name string
	took time.Duration
}

// traffic is the bytes of one party.
type traffic struct{ sent, received int }

// startSignal is what begins a run, in the place of a roster: sid and roster.
const startSignal = 64

func (t *trial) signal() []byte { return append(t.sid[:], t.roster[:]...) }

// awaitStart reads the start signal at a provider.
func (t *trial) awaitStart(s *mesh.Stream) error {
	b, err := s.ReadFrame(startSignal)
	if err == nil && string(b) != string(t.signal()) {
		err = errors.New("another session")
	}
	if err != nil {
		return fmt.Errorf("bench: start signal: %w", err)
	}
	return nil
}

// start writes the start signal to every provider.
func (t *trial) start(w *world) error {
	for _, s := range w.sites[0].streams[1:] {
		if err := s.WriteFrame(t.signal()); err != nil {
			return fmt.Errorf("bench: start signal: %w", err)
		}
	}
	return nil
}

// play runs the match. The clock of the figures begins before the signal leaves
// the requester; making the party is inside, as it is in a real match.
func (t *trial) play(ctx context.Context, w *world, sets []map[int]mpc.WarmPair, now func() time.Time) (sample, error) {
	parties := make([]*mpc.Party, len(w.sites))
	g, ctx := errgroup.WithContext(ctx)
	run := func(i int, progress func(int), decide func([]bool) error) (err error) {
		if parties[i], err = t.party(i, sets[i], progress, decide); err != nil {
			return err
		}
		return mpc.Run(ctx, parties[i], match.OverStreams(w.sites[i].streams, silenceWithin))
	}
	for i, s := range w.sites[1:] {
		g.Go(func() error {
			defer s.streams[0].Bind(ctx)()
			if err := t.awaitStart(s.streams[0]); err != nil {
				return err
			}
			return run(i+1, nil, nil)
		})
	}
	var marks stopwatch
	g.Go(func() error {
		marks = stopwatch{now: now, last: now()}
		if err := t.start(w); err != nil {
			return err
		}
		return run(0, marks.flight, func([]bool) error { marks.mark("result"); return nil })
	})
	if err := g.Wait(); err != nil {
		return sample{}, err
	}
	if err := t.verify(parties); err != nil {
		return sample{}, err
	}
	return measured(parties, marks), nil
}

// measured reads the figures off the parties.
func measured(parties []*mpc.Party, marks stopwatch) sample {
	first := parties[0].Stats()
	s := sample{
		seconds: marks.total, phases: marks.phases,
		ands: first.ANDs, toResult: first.Flights(0), toWinner: parties[1].Stats().Flights(1),
	}
	for _, p := range parties {
		st := p.Stats()
		s.parties = append(s.parties, traffic{st.BytesSent(), st.BytesReceived()})
	}
	return s
}

// stopwatch divides the requester's time until its result.
type stopwatch struct {
	now    func() time.Time
	last   time.Time
	total  time.Duration
	phases []phase
	over   bool
}

// flight notes that a flight has been made. The one after the result is not a
// part of the time.
func (s *stopwatch) flight(f int) {
	if !s.over {
		s.mark(fmt.Sprintf("flight%d", f))
	}
}

func (s *stopwatch) mark(name string) {
	at := s.now()
	s.phases = append(s.phases, phase{name, at.Sub(s.last)})
	s.total += at.Sub(s.last)
	s.last, s.over = at, name == "result"
}
