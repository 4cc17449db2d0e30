package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseShowCommand() *cobra.Command {
	var provided, offline bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one lease, and how much of it is in use",
		Long: `Show one lease: its parts, until when they last, what of their quotas is in use, and whether a provider has given notice
that it takes one back. The providers are asked for that; --offline shows what is stored.`,
		Example:           "  angler lease show q7ldizk3\n  angler lease show q7ldizk3 --offline -o json",
		Args:              oneArg("the id of a lease", "angler lease show q7ldizk3"),
		ValidArgsFunction: a.completeLeases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if provided {
				return a.withDaemon(cmd.Context(), func(c *control.Client) error {
					l, err := c.Lease(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					return a.printLease(l, leaseInfo{Reason: l.Reason, Lease: l})
				})
			}
			return a.showLease(cmd.Context(), args[0], offline)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody")
	return providedFlag(cmd, &provided)
}

func (a *app) showLease(ctx context.Context, prefix string, offline bool) error {
	store, l, err := a.lease(prefix, true)
	if err != nil {
		return err
	}
	l = a.expire(store, l)
	told := make(requester.Standings, len(l.Parts))
	if !offline && l.State == requester.Active && !a.expired(l) {
		err := a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
			var err error
			l, told, err = c.Show(ctx, l)
			return err
		})
		if ctx.Err() != nil {
			return err
		}
		if err != nil { // what is known is shown all the same
			a.talk.warn("%v", err)
		}
	}
	info := a.leaseInfo(store, l)
	for k := range info.Parts {
		info.Parts[k].tell(told[k])
	}
	return a.printLease(info, info)
}

// tell adds what the provider says of a part.
func (p *partInfo) tell(s *match.Standing) {
	if s == nil {
		return
	}
	for _, u := range s.Usage {
		p.Usage = append(p.Usage, usageInfo{Resource: u.Resource, Used: u.Used, Limit: u.Hard})
	}
	if s.Reclaim > 0 {
		p.ReclaimNotice = control.Duration(s.Reclaim).String()
	}
}

func (a *app) printLease(data any, info leaseInfo) error {
	return a.print(view{data: data, names: []string{info.ID}, text: func(p *page) { a.leaseText(p, info) }})
}

// usageTable lists how much of which quota is in use.
func usageTable(p *page, parts []partInfo) {
	t := newTable("CONTEXT", "RESOURCE", "USED", "LIMIT")
	for _, part := range parts {
		for _, u := range part.Usage {
			t.row(part.Context, u.Resource, u.Used, u.Limit)
		}
	}
	if len(t.rows) > 0 {
		p.line("")
		t.write(p)
	}
}

// expire takes a lease out of use whose time has been over for a while.
func (a *app) expire(store *requester.Store, l requester.Lease) requester.Lease {
	expired, kept, ok, err := store.Expire(l, a.now())
	if err == nil && ok {
		a.forget(store, l)
		err = requester.OpenReputation(a.paths.reputation()).Count(requester.Kept, a.now(), kept...)
	}
	if err != nil {
		a.talk.warn("%v", err)
	}
	return expired
}

// forget deletes what is on disk beside the file of a lease that is over.
func (a *app) forget(store *requester.Store, l requester.Lease) {
	for _, path := range store.Kubeconfigs(l.ID) {
		if err := durable.Remove(path); err != nil {
			a.talk.warn("%v", err)
		}
	}
}
