package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "lease",
		Short: "The leases of this requester: list, show, release, kubeconfig",
		Long: `The leases that were requested from this state folder. With --provided, list, show and release are about those that the
local daemon provides to others instead.

A lease is named by its id or by as much of the beginning as no other has.`,
		Example: `  angler lease list
  angler lease show q7ldizk3
  angler lease kubeconfig q7ldizk3 >lease.kubeconfig
  angler lease release q7ldizk3`,
	}, a.leaseListCommand(), a.leaseShowCommand(), a.leaseReleaseCommand(), a.leaseReclaimCommand(), a.leaseKubeconfigCommand())
}

// providedFlag adds the flag that turns a lease command to the daemon's side.
func providedFlag(cmd *cobra.Command, provided *bool) *cobra.Command {
	cmd.Flags().BoolVar(provided, "provided", false, "leases that the local daemon provides")
	return cmd
}

func (a *app) leaseListCommand() *cobra.Command {
	var all, provided bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List leases",
		Example: "  angler lease list\n  angler lease list --all -o json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if provided {
				return a.listProvided(cmd.Context(), all)
			}
			return a.listLeases(all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over, too")
	return providedFlag(cmd, &provided)
}

func (a *app) listLeases(all bool) error {
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return err
	}
	leases, damaged := store.List()
	infos := []leaseInfo{}
	for _, l := range leases {
		if all || a.live(l) {
			infos = append(infos, a.leaseInfo(store, l))
		}
	}
	rows := make([]control.Lease, 0, len(infos))
	for _, i := range infos {
		rows = append(rows, i.Lease)
	}
	err = a.printLeases(map[string]any{"leases": infos}, rows, "no leases; ask for one, for example: angler request --cpu 4")
	return errors.Join(err, damaged)
}

func (a *app) listProvided(ctx context.Context, all bool) error {
	return a.withDaemon(ctx, func(c *control.Client) error {
		leases, err := c.Leases(ctx)
		if err != nil {
			return err
		}
		rows := []control.Lease{}
		for _, l := range leases {
			if all || l.State != "released" && l.State != "failed" {
				rows = append(rows, l)
			}
		}
		return a.printLeases(map[string]any{"leases": rows}, rows, "no leases are provided")
	})
}

func (a *app) printLeases(data any, rows []control.Lease, none string) error {
	names := namesOf(rows, func(l control.Lease) string { return l.ID })
	return a.print(view{data: data, names: names, text: func(p *page) {
		if len(rows) == 0 {
			p.line("%s", none)
			return
		}
		leaseTable(p, rows, a.now())
	}})
}

func (a *app) leaseShowCommand() *cobra.Command {
	var provided bool
	return providedFlag(&cobra.Command{
		Use:               "show ID",
		Short:             "Show one lease",
		Example:           "  angler lease show q7ldizk3",
		Args:              oneArg("the id of a lease", "angler lease show q7ldizk3"),
		ValidArgsFunction: a.completeLeases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if provided {
				return a.withDaemon(cmd.Context(), func(c *control.Client) error {
					l, err := c.Lease(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					return a.printLease(l, leaseInfo{Lease: l})
				})
			}
			store, l, err := a.lease(args[0])
			if err != nil {
				return err
			}
			info := a.leaseInfo(store, l)
			return a.printLease(info, info)
		},
	}, &provided)
}

func (a *app) printLease(data any, info leaseInfo) error {
	return a.print(view{data: data, names: []string{info.ID}, text: func(p *page) { a.leaseText(p, info) }})
}

// lease finds a lease of this requester.
func (a *app) lease(prefix string) (*requester.Store, requester.Lease, error) {
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return nil, requester.Lease{}, err
	}
	l, err := store.Get(prefix)
	return store, l, err
}

func (a *app) leaseReleaseCommand() *cobra.Command {
	var provided bool
	return providedFlag(&cobra.Command{
		Use:   "release ID",
		Short: "Give a lease back: its namespace is deleted",
		Long: `Give a lease back. Its provider revokes the credential and deletes the namespace with everything in it. Releasing a
lease that is over already is no error.`,
		Example:           "  angler lease release q7ldizk3",
		Args:              oneArg("the id of a lease", "angler lease release q7ldizk3"),
		ValidArgsFunction: a.completeLeases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if provided {
				return a.withDaemon(cmd.Context(), func(c *control.Client) error {
					l, err := c.ReleaseLease(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					return a.printReleased(l, l)
				})
			}
			return a.release(cmd.Context(), args[0])
		},
	}, &provided)
}

func (a *app) release(ctx context.Context, prefix string) error {
	store, l, err := a.lease(prefix)
	if err != nil {
		return err
	}
	key, err := a.leaseKey(l.ID)
	if err != nil {
		return err
	}
	a.talk.step("releasing %s at %s", l.ID.Short(), whose(l))
	err = a.withClient(ctx, clientConfig{key: key, store: store}, func(ctx context.Context, c *requester.Client) error {
		l, err = c.Release(ctx, l)
		return err
	})
	if err != nil {
		return err
	}
	// The credential in it is revoked.
	if err := os.Remove(store.KubeconfigPath(l.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.talk.warn("%v", err)
	}
	info := a.leaseInfo(store, l)
	return a.printReleased(info, info.Lease)
}

// whose says in words who provides a lease.
func whose(l requester.Lease) string {
	if len(l.Parts) == 1 {
		return "provider " + l.Parts[0].Provider.Short()
	}
	return plural(len(l.Parts), "provider")
}

func (a *app) printReleased(data any, l control.Lease) error {
	return a.print(view{data: data, names: []string{l.ID}, text: func(p *page) { p.line("lease %s is %s", l.ID, l.State) }})
}

func (a *app) leaseKubeconfigCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "kubeconfig ID",
		Short: "Print the kubeconfig of a lease",
		Long: `Print the kubeconfig of a lease. A lease that was won by a request that was then interrupted is claimed first: its provider
keeps it for a minute.`,
		Example:           "  angler lease kubeconfig q7ldizk3 >lease.kubeconfig\n  angler lease kubeconfig q7ldizk3 --out lease.kubeconfig",
		Args:              oneArg("the id of a lease", "angler lease kubeconfig q7ldizk3"),
		ValidArgsFunction: a.completeLeases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkOut(out); err != nil {
				return err
			}
			l, err := a.claimed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			config, err := l.Kubeconfig(requester.Access{})
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
	sample(cmd.Flags(), "out", "lease.kubeconfig")
	return cmd
}

// claimed returns a lease; one whose request was interrupted between the match and the grant is claimed now.
func (a *app) claimed(ctx context.Context, prefix string) (requester.Lease, error) {
	store, l, err := a.lease(prefix)
	if err != nil || l.State != requester.Claiming && l.State != requester.Granted {
		return l, err
	}
	key, err := a.leaseKey(l.ID)
	if err != nil {
		return l, err
	}
	a.talk.step("claiming %s at %s", l.ID.Short(), whose(l))
	err = a.withClient(ctx, clientConfig{key: key, store: store}, func(ctx context.Context, c *requester.Client) error {
		l, err = c.Claim(ctx, l)
		return err
	})
	return l, err
}

// completeLeases completes ids of this requester's live leases.
func (a *app) completeLeases(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || a.loadSettings(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	leases, _ := store.List() // the readable ones
	var ids []string
	for _, l := range leases {
		if a.live(l) {
			ids = append(ids, l.ID.String())
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
