package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseRenewCommand() *cobra.Command {
	var more time.Duration
	cmd := &cobra.Command{
		Use:   "renew ID",
		Short: "Make a lease last longer",
		Long: `Make a lease last longer, at the same price. All its providers promise the longer time before any is held to it, so that
the lease is renewed in all parts or in none. A provider that drains, takes the lease back or has a longest duration does not
renew: the lease then goes on as it was.

After an interruption renew it again by the same time: what was begun is finished, not added to.`,
		Example:           "  angler lease renew q7ldizk3 --duration 2h",
		Args:              oneArg("the id of a lease", "angler lease renew q7ldizk3 --duration 2h"),
		ValidArgsFunction: a.completeLeases,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.renew(cmd.Context(), args[0], more) },
	}
	cmd.Flags().DurationVar(&more, "duration", market.DefaultDuration, "how much longer, from its present end")
	sample(cmd.Flags(), "duration", "2h")
	return cmd
}

func (a *app) renew(ctx context.Context, prefix string, more time.Duration) error {
	store, l, err := a.lease(prefix, false)
	if err != nil {
		return err
	}
	a.talk.step("renewing %s at %s", l.ID.Short(), whose(l))
	err = a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		l, err = c.Renew(ctx, l, more)
		return err
	})
	if err != nil {
		return fieldFault(err, nil)
	}
	// The tokens in a kubeconfig end with the time that they were made for.
	if path := store.KubeconfigPath(l.ID); isFile(path) {
		l = a.withTokens(ctx, store, l)
		config, err := a.kubeconfig(l, false)
		if err == nil {
			err = writeFile(path, config, true)
		}
		if err != nil {
			a.talk.warn("the kubeconfig is not renewed: %v", err)
		}
	}
	info := a.leaseInfo(store, l)
	return a.printLease(info, info)
}

func (a *app) leaseReceiptCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "receipt ID",
		Short: "Print the receipts of a lease, signed by both sides",
		Long: `Print the receipts of a lease, signed by both sides: what was agreed at first, and each renewal. 'angler receipt verify'
verifies them offline. Of a lease in several parts, name the part: each provider has signed for its own.`,
		Example:           "  angler lease receipt q7ldizk3 >lease.receipt\n  angler lease receipt q7ldizk3yv-2 | angler receipt verify -",
		Args:              oneArg("the id of a lease or of a part", "angler lease receipt q7ldizk3"),
		ValidArgsFunction: a.completeLeases,
		RunE: func(_ *cobra.Command, args []string) error {
			_, l, part, err := a.part(args[0])
			if err != nil {
				return err
			}
			key, err := a.leaseKey(l.ID)
			if err != nil {
				return err
			}
			list, err := (&requester.Client{Key: key}).Receipts(l, part)
			if err != nil {
				return err
			}
			text := match.MarshalReceipts(list)
			if out == "" {
				return a.write(text)
			}
			return writeFile(out, text, true)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, with mode 0600 (default stdout)")
	sample(cmd.Flags(), "out", "lease.receipt")
	return cmd
}
