package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
)

func (a *app) offerListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the offers of the local daemon",
		Example: "  angler offer list\n  angler offer list -o name",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDaemon(cmd.Context(), func(c *control.Client) error {
				list, err := c.Offers(cmd.Context())
				if err != nil {
					return err
				}
				return a.print(view{
					data:  map[string]any{"offers": list},
					names: namesOf(list, func(o control.Offer) string { return o.Name }),
					text: func(p *page) {
						if len(list) == 0 {
							p.line("no offers; put one, for example: angler offer --cpu 10 --price 0.03")
							return
						}
						offerTable(p, list)
					},
				})
			})
		},
	}
}

func offerTable(p *page, list []control.Offer) {
	heads := []string{"NAME", "UNIT", "UNITS", "PRICE", "STATE"}
	if p.wide {
		heads = append(heads, "STORAGE", "A MATCH", "POLICIES", "ALLOW", "MAX DURATION", "RECLAIM NOTICE", "ANNOUNCED")
	}
	t := newTable(heads...)
	for _, o := range list {
		state := "open"
		switch {
		case o.Paused:
			state = "paused"
		case o.Fault != "":
			state = "closed"
		}
		row := []string{shortClass(o.Name), shortClass(o.Class), amount(o), o.Asks(), state}
		if p.wide {
			row[0], row[1] = o.Name, o.Class
			row = append(row, cmp.Or(o.Storage, "none"), cmp.Or(perMatch(o), "all"), cmp.Or(strings.Join(o.Policies, ","), "all"), strings.Join(o.Allow, ","), o.MaxDuration.String(),
				cmp.Or(noticeText(o.Notice), "never"), classes(len(o.Announced)))
		}
		t.row(row...)
	}
	t.write(p)
	for _, o := range list {
		if o.Fault != "" {
			p.line("%s enters nothing: %s", clean(shortClass(o.Name)), clean(o.Fault))
		}
	}
}

func classes(n int) string {
	if n == 1 {
		return "1 class"
	}
	return strconv.Itoa(n) + " classes"
}

func perMatch(o control.Offer) string {
	if o.PerMatch == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(o.PerMatch), 10)
}

// noticeText is a duration, nothing if it is 0.
func noticeText(d control.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (a *app) offerPauseCommand(verb, short string, paused bool) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " NAME",
		Short:             short,
		Example:           "  angler offer " + verb + " big",
		Args:              oneArg("the name of an offer", "angler offer "+verb+" big"),
		ValidArgsFunction: a.completeOffers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDaemon(cmd.Context(), func(c *control.Client) error {
				name, err := offerName(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				o, err := c.SetPaused(cmd.Context(), name, paused)
				if err != nil {
					return err
				}
				return a.printOffer(o, verb+"d "+o.Name)
			})
		},
	}
}

func (a *app) offerRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME",
		Aliases:           []string{"rm", "delete"},
		Short:             "Remove an offer; its leases live on",
		Example:           "  angler offer remove big",
		Args:              oneArg("the name of an offer", "angler offer remove big"),
		ValidArgsFunction: a.completeOffers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDaemon(cmd.Context(), func(c *control.Client) error {
				name, err := offerName(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				if err := c.RemoveOffer(cmd.Context(), name); err != nil {
					return err
				}
				data := map[string]string{"removed": name}
				return a.print(view{data: data, names: []string{name}, text: func(p *page) { p.line("removed %s", clean(name)) }})
			})
		},
	}
}

// offerName accepts, beside an offer's name, the short form of a class that list prints for offers named by default.
func offerName(ctx context.Context, c *control.Client, name string) (string, error) {
	list, err := c.Offers(ctx)
	if err != nil {
		return "", err
	}
	names := namesOf(list, func(o control.Offer) string { return o.Name })
	if slices.Contains(names, name) {
		return name, nil
	}
	for _, n := range names {
		if shortClass(n) == shortClass(name) {
			return n, nil
		}
	}
	return "", control.New(control.ErrNotFound, "there is no offer "+name+nearest(name, names)+" ('angler offer list' shows all)")
}

// completeOffers completes names of offers from the daemon, silently nothing if there is none.
func (a *app) completeOffers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || a.loadSettings(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	_ = a.withDaemon(cmd.Context(), func(c *control.Client) error {
		list, err := c.Offers(cmd.Context())
		names = namesOf(list, func(o control.Offer) string { return o.Name })
		return err
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}

func namesOf[T any](list []T, name func(T) string) []string {
	names := make([]string, 0, len(list))
	for _, v := range list {
		names = append(names, name(v))
	}
	return names
}

// dropPart removes one of the comma-separated parts of a text.
func dropPart(text, part string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, ","), func(p string) bool { return p == part }), ",")
}
