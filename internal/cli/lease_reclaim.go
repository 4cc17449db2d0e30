package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
)

func (a *app) leaseReclaimCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reclaim ID",
		Short: "Take a lease that the local daemon provides back, with notice",
		Long: `Take back a lease that the local daemon provides. It ends when the notice that its offer stated ('angler offer
--reclaim-notice') has passed, or with its term if that is sooner. Until then it stays as it is; its namespace and its
requester are told when it ends, and it cannot be renewed. A lease of an offer that stated no notice cannot be taken back.

'angler lease release --provided' ends a lease at once, which breaks what was agreed.`,
		Example: "  angler lease list --provided\n  angler lease reclaim q7ldizk3",
		Args:    oneArg("the id of a lease", "angler lease reclaim q7ldizk3"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDaemon(cmd.Context(), func(c *control.Client) error {
				l, err := c.ReclaimLease(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.print(view{data: l, names: []string{l.ID}, text: func(p *page) {
					if l.Expires == nil {
						p.line("taking back %s", short(l.ID))
						return
					}
					p.line("taking back %s: it ends at %s, in %s", short(l.ID), l.Expires.Format(time.RFC3339), age(l.Expires.Sub(a.now())))
				}})
			})
		},
	}
}
