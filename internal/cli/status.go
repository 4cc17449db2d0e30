package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
)

func (a *app) statusCommand() *cobra.Command {
	var watch bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the local daemon: node, offers, matches, leases",
		Long: `Show what the local daemon does and knows.

  found       whether requesters find this node: it is announced in the DHT once another provider has dialled it back at what
              --listen or --advertise say
  dht         nodes of the DHT that it knows, and those of them that have answered lately
  cell        where it says that it is, a geohash: requesters look there first
  coordinate  where it is among the others by the round trips to them, which is what requesters rank it by before they dial
  spare sets  what it has agreed on with parties that it has met, so that matches with them begin sooner

Of a match it shows what this node learned: that it was selected, for how many units and at which of its own prices, or that it
was not. There is nothing else to show: it does not know more.`,
		Example: "  angler status\n  angler status --watch\n  angler status -o json --watch    # one object a line",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < 100*time.Millisecond {
				return flagError("interval", "is less than 100ms", "--interval 2s")
			}
			return a.withDaemon(cmd.Context(), func(c *control.Client) error {
				if watch {
					return a.watchStatus(cmd.Context(), c, every)
				}
				s, err := c.Status(cmd.Context())
				if err != nil {
					return err
				}
				return a.print(a.statusView(s))
			})
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again and again until interrupted")
	cmd.Flags().DurationVar(&every, "interval", 2*time.Second, "how often with --watch")
	sample(cmd.Flags(), "interval", "2s")
	return cmd
}

// watchStatus prints the status until the context ends: on a terminal in place, elsewhere one after the other.
func (a *app) watchStatus(ctx context.Context, c *control.Client, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		s, err := c.Status(ctx)
		if err != nil {
			return err
		}
		switch {
		case a.flags.output == formatJSON:
			b, err := json.Marshal(s)
			if err != nil {
				return fmt.Errorf("output: %w", err)
			}
			if err := a.write(append(b, '\n')); err != nil {
				return err
			}
		default:
			if err := a.write([]byte(a.between())); err != nil {
				return err
			}
			if err := a.print(a.statusView(s)); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// between separates two statuses: a cleared screen, a YAML document mark, or a line.
func (a *app) between() string {
	switch {
	case a.flags.output == formatYAML:
		return "---\n"
	case a.style.on:
		return "\x1b[H\x1b[2J"
	default:
		return "\n"
	}
}

func (a *app) statusView(s control.Status) view {
	return view{data: s, names: []string{s.ID}, text: func(p *page) { a.statusText(p, s) }}
}

func (a *app) statusText(p *page, s control.Status) {
	now := a.now()
	what := s.Mode
	if s.Pool != "" {
		what += " of pool " + s.Pool
	}
	if s.Operator != "" {
		what += ", operator " + s.Operator
	}
	p.field("node", s.ID)
	p.field("role", what)
	switch s.Drain {
	case control.Draining:
		p.field("draining", "no new matches until angler drain --undo; leases live on")
	case control.DrainingToLeave:
		p.field("draining", "no new matches until angler drain --undo; ends with the last lease")
	}
	p.field("version", fmt.Sprintf("%s, up %s", s.Version, age(now.Sub(s.Started))))
	p.field("listen", strings.Join(s.Listen, ", "))
	p.field("found", foundLine(s, now))
	p.field("dht", dhtLine(s.DHT))
	if s.Mode == control.ModeProvider {
		p.field("cell", cellLine(s))
	}
	if s.Place != nil {
		p.field("coordinate", cmp.Or(s.Place.Coordinate, "not settled yet: that takes some round trips to others"))
	}
	if s.Mode == control.ModeProvider {
		switch {
		case s.Cluster.Error != "":
			p.field("cluster", s.Cluster.Server+" (not usable: "+s.Cluster.Error+")")
		case s.Cluster.Server == "":
			p.field("cluster", "none")
		default:
			p.field("cluster", s.Cluster.Server)
		}
	}
	for _, r := range s.Cluster.Remains {
		p.field("left over", r.Namespace+" "+r.Why)
	}
	if s.Spares != nil {
		p.field("spare sets", fmt.Sprintf("%d, for matches with parties that were met", *s.Spares))
	}
	if s.Mode == control.ModeProvider && len(s.Offers) == 0 {
		p.field("offers", "none; put one, for example 'angler offer --cpu 8 --price 0.03'")
	}
	section(p, "capacity", len(s.Capacity), func() { capacityTable(p, s.Capacity) })
	section(p, "offers", len(s.Offers), func() { offerTable(p, s.Offers) })
	section(p, "matches (what this node learned)", len(s.Matches), func() { matchTable(p, s.Matches, now) })
	section(p, "leases", len(s.Leases), func() { leaseTable(p, s.Leases, now) })
}

// cellLine says where a node is, and how that is known.
func cellLine(s control.Status) string {
	cell := cmp.Or(s.Cell, "the whole world")
	if s.Place != nil && s.Place.Auto {
		if s.Cell == "" {
			return cell + " (until round trips to others say more)"
		}
		cell += " (by round trips to others)"
	}
	return cell
}

// section writes a title and what is below it, nothing if there is nothing.
func section(p *page, title string, n int, body func()) {
	if n == 0 {
		return
	}
	p.line("")
	p.line("%s", p.style.head(title))
	body()
}

func dhtLine(d control.DHT) string {
	text := fmt.Sprintf("%s, %d of them good", plural(d.Nodes, "node"), d.Good)
	if len(d.Listen) > 0 {
		text += " (" + strings.Join(d.Listen, ", ") + ")"
	}
	if d.Deserted != "" {
		text += "; " + d.Deserted
	}
	return text
}

func capacityTable(p *page, list []control.Usage) {
	t := newTable("RESOURCE", "TOTAL", "RESERVED", "HELD", "FREE")
	for _, u := range list {
		t.row(u.Resource, u.Total, u.Reserved, u.Held, u.Free)
	}
	t.write(p)
}

func matchTable(p *page, list []control.Match, now time.Time) {
	heads := []string{"MATCH", "AGE", "LEARNED"}
	if p.wide {
		heads = append(heads, "UNIT", "LEASE")
	}
	t := newTable(heads...)
	for _, m := range list {
		row := []string{m.SID, age(now.Sub(m.At)), m.Learned()}
		if p.wide {
			row = append(row, m.Class, m.Lease)
		}
		t.row(row...)
	}
	t.write(p)
}

// age is a duration in its two largest units: 3d4h, 5m10s, 0s.
func age(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	switch day := 24 * time.Hour; {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return control.Duration(d).String()
	}
}
