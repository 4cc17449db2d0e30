package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseKubeconfigCommand() *cobra.Command {
	var out string
	var exec bool
	cmd := &cobra.Command{
		Use:   "kubeconfig ID",
		Short: "Print the kubeconfig of a lease",
		Long: `Print the kubeconfig of a lease. It has a context for each part: angler-SHORT if there is one, SHORT being the first ten
characters of the lease's id, else angler-SHORT-1, angler-SHORT-2 and so on, the largest part first; that is the current one.

By default the tokens stand in the file, fresh ones if the stored ones are about to end: that is what a CI job wants. With
--exec kubectl asks 'angler lease token' instead, so that the file holds no secret and is good for as long as the lease lives,
on this machine.

A lease that was won by a request that was then interrupted is claimed first: its providers keep it for a minute.`,
		Example:           "  angler lease kubeconfig q7ldizk3 >lease.kubeconfig\n  angler lease kubeconfig q7ldizk3 --exec --out lease.kubeconfig",
		Args:              oneArg("the id of a lease", "angler lease kubeconfig q7ldizk3"),
		ValidArgsFunction: a.completeLeases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkOut(out); err != nil {
				return err
			}
			store, l, err := a.claimed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !exec {
				l = a.withTokens(cmd.Context(), store, l)
			}
			config, err := a.kubeconfig(l, exec)
			if err != nil {
				return err
			}
			if out == "" {
				return a.write(config)
			}
			if err := writeFile(out, config, true); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			a.talk.done("wrote %s", out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, with mode 0600 (default stdout)")
	cmd.Flags().BoolVar(&exec, "exec", false, "let kubectl ask 'angler lease token' for tokens")
	sample(cmd.Flags(), "out", "lease.kubeconfig")
	return cmd
}

// kubeconfig is the kubeconfig of a lease, with its tokens or with the command that gives them.
func (a *app) kubeconfig(l requester.Lease, exec bool) ([]byte, error) {
	var access requester.Access
	if exec {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("--exec: %w", err)
		}
		access.Token = []string{self, "--state-dir", a.paths.state, "lease", "token"}
	}
	return l.Kubeconfig(access)
}

// withTokens is a lease whose tokens are good for a while, as far as that can be had.
func (a *app) withTokens(ctx context.Context, store *requester.Store, l requester.Lease) requester.Lease {
	if !l.NeedsTokens(a.now()) {
		return l
	}
	err := a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		var errs []error
		for k, p := range l.Parts {
			if p.Grant == nil {
				continue
			}
			var err error
			l, err = c.Token(ctx, l, k, false)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		a.talk.warn("no fresh token: %v", err)
	}
	return l
}

// claimed returns a lease; one whose request was interrupted between the match and the grant is claimed now.
func (a *app) claimed(ctx context.Context, prefix string) (*requester.Store, requester.Lease, error) {
	store, l, err := a.lease(prefix, true)
	if err != nil || l.State != requester.Claiming && l.State != requester.Granted {
		return store, l, err
	}
	a.talk.step("claiming %s at %s", l.ID.Short(), whose(l))
	err = a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		l, err = c.Claim(ctx, l)
		return err
	})
	return store, l, err
}
