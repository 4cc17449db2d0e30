package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "lease",
		Short: "The leases of this requester: list, show, renew, release, kubeconfig, token, proxy, receipt",
		Long: `The leases that were requested from this state folder. With --provided, list, show and release are about those that the
local daemon provides to others instead.

A lease is named by its id or by as much of the beginning as no other has. A part of one that several providers provide, for
its token or receipt, is named by its own id or as its context in the kubeconfig: q7ldizk3yv-2 is the second part, the largest
being the first. Leases are renewed and released whole.`,
		Example: `  angler lease list
  angler lease show q7ldizk3
  angler lease kubeconfig q7ldizk3 >lease.kubeconfig
  angler lease renew q7ldizk3 --duration 2h
  angler lease release q7ldizk3`,
	}, a.leaseListCommand(), a.leaseShowCommand(), a.leaseRenewCommand(), a.leaseReleaseCommand(), a.leaseReclaimCommand(),
		a.leaseKubeconfigCommand(), a.leaseTokenCommand(), a.leaseProxyCommand(), a.leaseReceiptCommand())
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
		Long: `List leases. Those whose time has been over for five minutes are taken out of use: their credentials are erased from the
state folder, and their kubeconfigs there are deleted.`,
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
		l = a.expire(store, l)
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

// lease finds a lease of this requester; with ofPart, also by the name of one of its parts.
func (a *app) lease(prefix string, ofPart bool) (*requester.Store, requester.Lease, error) {
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return nil, requester.Lease{}, err
	}
	if _, number, ok := strings.Cut(strings.TrimPrefix(prefix, "angler-"), "-"); ok { // a part's name
		l, _, none := store.Part(prefix)
		if none != nil || ofPart {
			return store, l, none
		}
		return store, l, usagef("%s is part %s of lease %s, and this is about leases as a whole; name that: %s", clean(prefix), number, l.ID.Short(), l.ID.Short())
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
	store, l, err := a.lease(prefix, false)
	if err != nil {
		return err
	}
	a.talk.step("releasing %s at %s", l.ID.Short(), whose(l))
	err = a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		l, err = c.Release(ctx, l)
		return err
	})
	switch {
	case err != nil && l.State == requester.Releasing:
		return &hintError{err, "that it is to be released is stored: run it again when the provider answers; its time ends it in any case"}
	case err != nil:
		return err
	}
	a.forget(store, l) // the credentials in it are revoked
	info := a.leaseInfo(store, l)
	return a.printReleased(info, info.Lease)
}

// whose says in words who provides a lease.
func whose(l requester.Lease) string {
	parts := l.Standing().Parts
	if len(parts) == 1 {
		return "provider " + parts[0].Provider.Short()
	}
	return plural(len(parts), "provider")
}

func (a *app) printReleased(data any, l control.Lease) error {
	return a.print(view{data: data, names: []string{l.ID}, text: func(p *page) { p.line("lease %s is %s", l.ID, l.State) }})
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
