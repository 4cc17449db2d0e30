package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// gpuEvery is how often a cluster that did not enforce models of GPUs is tried
// again.
const gpuEvery = time.Minute

// errGPUUnknown is why nothing of a model is offered before the cluster was
// tried.
var errGPUUnknown = errors.New("it is not known yet whether the cluster holds pods to the leased GPU model")

// gpus keeps account of which of the mapped models the cluster enforces: a quota
// cannot tell models apart, so a model that nothing else holds tenants to is not
// offered.
type gpus struct {
	house    manifest.House
	provider string // id
	enforce  func(ctx context.Context, provider string, gpus manifest.GPUMap) error
	log      *slog.Logger

	trying sync.Mutex // one trial at a time

	mu      sync.Mutex
	verdict map[string]error // by model: nil, it is enforced; missing, not tried
}

// unfit implements market.Config.Unfit.
func (g *gpus) unfit(c market.Class) error {
	if c.GPU == "" {
		return nil
	}
	if err := match.Provisionable(c, g.house); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	err, tried := g.verdict[c.GPU]
	if !tried {
		return errGPUUnknown
	}
	return err
}

// check is unfit after trying the cluster, if that has not succeeded before.
func (g *gpus) check(ctx context.Context, c market.Class) error {
	err := g.unfit(c)
	if err == nil || errors.Is(err, match.ErrNotProvisionable) {
		return err
	}
	if err = g.try(ctx, c.GPU); ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// try asks the cluster about one model and notes the answer.
func (g *gpus) try(ctx context.Context, model string) error {
	g.trying.Lock()
	defer g.trying.Unlock()
	g.mu.Lock()
	err, tried := g.verdict[model]
	g.mu.Unlock()
	if tried && err == nil {
		return nil // somebody was faster
	}
	if err = g.enforce(ctx, g.provider, manifest.GPUMap{model: g.house.GPUs[model]}); ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("--gpu-map: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.verdict[model] = err
	return err
}

// run tries every mapped model until the cluster enforces all of them.
func (g *gpus) run(ctx context.Context) error {
	tick := time.NewTicker(gpuEvery)
	defer tick.Stop()
	said := map[string]string{}
	for {
		left := 0
		for model := range g.house.GPUs {
			switch err := g.try(ctx, model); {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				left++
				if said[model] != err.Error() {
					said[model] = err.Error()
					g.log.Warn("nothing with this GPU is offered", "model", model, "why", err)
				}
			default:
				g.log.Info("the cluster holds pods to this GPU", "model", model)
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
