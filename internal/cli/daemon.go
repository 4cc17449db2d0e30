package cli

import (
	"context"
	"errors"

	"github.com/angler-dex/angler/internal/control"
)

// daemon connects to the daemon of this state folder.
func (a *app) daemon(ctx context.Context) (*control.Client, error) {
	var first error
	for _, path := range a.paths.sockets {
		c, err := control.Dial(ctx, path)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, control.ErrNoDaemon) {
			return nil, err
		}
	}
	return nil, first
}

// withDaemon runs f with a connection.
func (a *app) withDaemon(ctx context.Context, f func(*control.Client) error) error {
	c, err := a.daemon(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(c)
}
