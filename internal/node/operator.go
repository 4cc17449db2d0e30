package node

import (
	"context"
	"fmt"
	"strings"

	"github.com/angler-dex/angler/internal/operator"
)

// operate follows the contributions of one namespace of the cluster.
func (d *daemon) operate(ctx context.Context) error {
	return operator.New(operator.Config{
		Daemon: d, REST: d.cluster.REST(), Namespace: d.cfg.Operator, Provider: d.cfg.Key.ID().String(), Locate: d.locate,
		Log: d.cfg.Log.With("part", "operator"), Now: d.wall,
	}).Run(ctx)
}

// locate places the daemon in a cell, if it was not told where it is.
func (d *daemon) locate(cell string) error {
	if !d.cfg.AutoCell {
		if at := d.place.where(); !strings.HasPrefix(at, cell) && !strings.HasPrefix(cell, at) {
			return fmt.Errorf("spec.location: the daemon was started with --location %s", at)
		}
		return nil
	}
	d.place.fix(cell[:min(len(cell), d.cfg.Precision)])
	return nil
}
