package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// What the cluster does not hold tenants to is not offered: not before it was
// tried, not after it failed, and never if the operator did not map it.
func TestGPUsAreOfferedOnlyIfEnforced(t *testing.T) {
	class := func(gpu string) market.Class {
		c, err := market.ParseClass("cpu=1,memory=1Gi,gpu=" + gpu)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	broken, tried := errors.New("no policy"), map[string]int{}
	var answer error
	g := &gpus{
		house: manifest.House{GPUs: manifest.GPUMap{"h100": {}, "a100": {}}}, provider: "p", log: slog.New(slog.DiscardHandler), verdict: map[string]error{},
		enforce: func(ctx context.Context, _ string, m manifest.GPUMap) error {
			for model := range m {
				tried[model]++
			}
			return errors.Join(answer, ctx.Err())
		},
	}
	ctx := t.Context()
	if err := g.unfit(market.Class{}); err != nil {
		t.Errorf("without a GPU: %v", err)
	}
	if err := g.check(ctx, class("l4")); !errors.Is(err, match.ErrNotProvisionable) || len(tried) != 0 {
		t.Errorf("not mapped: %v", err)
	}
	if err := g.unfit(class("h100")); !errors.Is(err, errGPUUnknown) {
		t.Errorf("before the cluster was tried: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := g.check(gone, class("h100")); !errors.Is(err, context.Canceled) || !errors.Is(g.unfit(class("h100")), errGPUUnknown) {
		t.Errorf("a trial that was broken off is an answer: %v", err)
	}
	answer = broken
	if err := g.check(ctx, class("h100")); !errors.Is(err, broken) || !errors.Is(g.unfit(class("h100")), broken) {
		t.Errorf("refused by the cluster: %v", err)
	}
	answer = nil
	if err := g.check(ctx, class("h100")); err != nil || g.unfit(class("h100")) != nil {
		t.Errorf("enforced: %v", err)
	}
	if err := g.unfit(class("a100")); !errors.Is(err, errGPUUnknown) {
		t.Errorf("another model: %v", err)
	}
	if err := g.run(ctx); err != nil || g.unfit(class("a100")) != nil || tried["h100"] != 3 {
		t.Errorf("run: %v, tried %v", err, tried)
	}
}
