package cli

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
)

type drainFlags struct{ exit, undo, wait bool }

func (a *app) drainCommand() *cobra.Command {
	var f drainFlags
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Take the local daemon out of new matches; its leases live on",
		Long: `Take the local daemon out of new matches, for example before maintenance. Matches that run go on, leases live on until
they end, and renewals are promised no more. With --exit the daemon ends by itself with its last lease.

Draining is kept over a restart, until --undo. A daemon that has ended with its last lease is still drained when it is started
again.`,
		Example: "  angler drain\n  angler drain --exit --wait\n  angler drain --undo",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			to := control.Drain{State: control.Draining}
			switch {
			case f.undo && (f.exit || f.wait):
				return usagef("--undo stands alone; for example angler drain --undo")
			case f.undo:
				to.State = control.NotDraining
			case f.exit:
				to.State = control.DrainingToLeave
			}
			return a.withDaemon(cmd.Context(), func(c *control.Client) error { return a.drain(cmd.Context(), c, to, f.wait) })
		},
	}
	cmd.Flags().BoolVar(&f.exit, "exit", false, "end the daemon when no lease is left")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "return when no lease is left; with --exit, when the daemon is gone")
	cmd.Flags().BoolVar(&f.undo, "undo", false, "take part in matches again")
	return cmd
}

// drainEvery is how often --wait looks.
const drainEvery = 500 * time.Millisecond

func (a *app) drain(ctx context.Context, c *control.Client, to control.Drain, wait bool) error {
	d, err := c.SetDrain(ctx, to)
	if err != nil {
		return err
	}
	if wait {
		a.talk.step("%s; waiting for them", drainSentence(d))
		if err := a.awaitDrained(ctx, c, d.State); err != nil {
			return err
		}
		d.Leases = 0
	}
	return a.print(view{data: d, names: []string{d.State}, text: func(p *page) { p.line("%s", drainSentence(d)) }})
}

func (a *app) awaitDrained(ctx context.Context, c *control.Client, state string) error {
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	for {
		leases, err := c.Leases(ctx)
		switch {
		case errors.Is(err, control.ErrNoDaemon) && state == control.DrainingToLeave:
			return nil
		case err != nil && (ctx.Err() != nil || state != control.DrainingToLeave):
			return err
		case err == nil && state != control.DrainingToLeave && !anyLives(leases):
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func anyLives(leases []control.Lease) bool {
	for _, l := range leases {
		if l.State != "released" && l.State != "failed" {
			return true
		}
	}
	return false
}

func drainSentence(d control.Drain) string {
	left := "no lease is left"
	switch {
	case d.Leases == 1:
		left = "1 lease lives on"
	case d.Leases > 1:
		left = strconv.Itoa(d.Leases) + " leases live on"
	}
	switch d.State {
	case control.Draining:
		return "draining: no new matches, " + left
	case control.DrainingToLeave:
		return "draining to exit: no new matches, " + left
	}
	return "not draining: takes part in matches"
}
