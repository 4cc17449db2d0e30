package bench

import (
	"context"
	"runtime/pprof"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/mpc"
)

// sets makes what the parties of a setup hold before the run: nil, or by party
// the sets that a match in memory, of the same parties, minted. They are fresh,
// and the caller's to use once. Profiles can leave this match out
// by its label: -tagignore unmeasured.
func (s Setup) sets(ctx context.Context, t *trial) ([]map[int]mpc.WarmPair, error) {
	if s == Cold {
		return make([]map[int]mpc.WarmPair, t.fn.Parties()), nil
	}
	var sets []map[int]mpc.WarmPair
	var err error
	pprof.Do(ctx, pprof.Labels("angler", "unmeasured"), func(ctx context.Context) { sets, err = t.mint(ctx) })
	if err != nil || s == Warm {
		return sets, err
	}
	sets[0] = nil
	for _, held := range sets[1:] {
		delete(held, 0)
	}
	return sets, nil
}

// mint runs a match over the network in memory for the sets that it leaves.
func (t *trial) mint(ctx context.Context) ([]map[int]mpc.WarmPair, error) {
	parties := make([]*mpc.Party, t.fn.Parties())
	nets := mpc.NewLocal(len(parties))
	g, ctx := errgroup.WithContext(ctx)
	for i := range parties {
		var err error
		if parties[i], err = t.party(i, nil, nil, nil); err != nil {
			return nil, err
		}
	}
	for i, p := range parties {
		g.Go(func() error { return mpc.Run(ctx, p, nets[i]) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	sets := make([]map[int]mpc.WarmPair, len(parties))
	for i, p := range parties {
		sets[i] = p.Minted()
	}
	return sets, nil
}
