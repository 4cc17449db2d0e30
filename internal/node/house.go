package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// ErrTemplate wraps what is wrong with the folder that --template names.
var ErrTemplate = errors.New("--template")

// templateEvery is how often a cluster that does not answer is asked again
// about a template.
const templateEvery = 5 * time.Second

// house is what is decided for all leases of the cluster. A template is tried
// on the cluster before there is any lease; a daemon that has one waits for a
// cluster that is down, because leases without it would lack what the operator
// relies on.
func (d *daemon) house(ctx context.Context) (manifest.House, error) {
	h := manifest.House{GPUs: d.cfg.GPUs, Certificates: d.cfg.Certificates}
	for d.cfg.Template != "" {
		t, err := d.cluster.Template(ctx, os.DirFS(d.cfg.Template))
		switch {
		case err == nil:
			h.Template = t
			return h, nil
		case ctx.Err() != nil:
			return h, ctx.Err()
		case !errors.Is(err, k8s.ErrUnreached) && !errors.Is(err, k8s.ErrNoCluster):
			return h, fmt.Errorf("%w: %w", ErrTemplate, err)
		}
		d.cfg.Log.Warn("the template waits for the cluster", "err", err)
		select {
		case <-time.After(templateEvery):
		case <-ctx.Done():
			return h, ctx.Err()
		}
	}
	return h, nil
}
