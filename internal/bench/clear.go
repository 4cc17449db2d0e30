package bench

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/mesh"
)

// frameHead is the length of a frame's length.
const frameHead = 4

// playInTheClear is the peer that the price of privacy is measured against. Upon
// the signal every provider sends the requester its offer, unprotected; the
// requester evaluates the function and tells each its result. It is a
// measurement: the product has nothing like it.
func (t *trial) playInTheClear(ctx context.Context, w *world, now func() time.Time) (sample, error) {
	order := make([]int, t.fn.Leaves())
	for k := range order {
		order[k] = k
	}
	c, err := t.fn.Build(order)
	if err != nil {
		return sample{}, err
	}
	want := t.plain(c) // to verify; the requester evaluates for itself
	bytes := make([]counted, len(w.sites))
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range w.sites[1:] {
		g.Go(func() error {
			requester := s.streams[0]
			defer requester.Bind(ctx)()
			if err := t.awaitStart(requester); err != nil {
				return err
			}
			if err := bytes[i+1].write(requester, t.inputs[i+1]); err != nil {
				return err
			}
			out, err := bytes[i+1].read(requester, len(want[i+1]))
			if err == nil && !slices.Equal(out, want[i+1]) {
				err = fmt.Errorf("%w: party %d", errWrong, i+1)
			}
			return err
		})
	}
	var marks stopwatch
	g.Go(func() error {
		streams := w.sites[0].streams
		for _, s := range streams[1:] {
			defer s.Bind(ctx)()
		}
		marks = stopwatch{now: now, last: now()}
		if err := t.start(w); err != nil {
			return err
		}
		told := trial{inputs: [][]bool{t.inputs[0]}}
		for j, s := range streams[1:] {
			in, err := bytes[0].read(s, len(t.inputs[j+1]))
			if err != nil {
				return err
			}
			told.inputs = append(told.inputs, in)
		}
		marks.mark("offers")
		results := told.plain(c)
		marks.mark("result")
		for j, s := range streams[1:] {
			if err := bytes[0].write(s, results[j+1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return sample{}, err
	}
	s := sample{seconds: marks.total, phases: marks.phases, toResult: 1, toWinner: 2}
	for k := range bytes {
		s.parties = append(s.parties, traffic{int(bytes[k].sent.Load()), int(bytes[k].received.Load())})
	}
	return s, nil
}

// counted is what one party has sent and received in the clear.
type counted struct{ sent, received atomic.Int64 }

func (c *counted) write(s *mesh.Stream, bits []bool) error {
	b := make([]byte, (len(bits)+7)/8)
	for k, bit := range bits {
		if bit {
			b[k/8] |= 1 << (k % 8)
		}
	}
	c.sent.Add(int64(frameHead + len(b)))
	return s.WriteFrame(b)
}

func (c *counted) read(s *mesh.Stream, bits int) ([]bool, error) {
	b, err := s.ReadFrame((bits + 7) / 8)
	if err != nil {
		return nil, err
	}
	if len(b) != (bits+7)/8 {
		return nil, fmt.Errorf("bench: %d bytes for %d bits", len(b), bits)
	}
	c.received.Add(int64(frameHead + len(b)))
	out := make([]bool, bits)
	for k := range out {
		out[k] = b[k/8]>>(k%8)&1 == 1
	}
	return out, nil
}
