package cli

import (
	"cmp"
	"strconv"
	"time"

	"github.com/angler-dex/angler/internal/control"
)

func leaseTable(p *page, list []control.Lease, now time.Time) {
	heads := []string{"LEASE", "STATE", "UNIT", "UNITS", "PRICE", "NAMESPACE", "EXPIRES"}
	// A lease that is ours has a provider, one that we provide has a requester too.
	provided := len(list) > 0 && list[0].Requester != ""
	if p.wide {
		heads = append(heads, "PROVIDER")
	}
	if p.wide && provided {
		heads[len(heads)-1] = "REQUESTER"
		heads = append(heads, "RECLAIM NOTICE")
	}
	t := newTable(heads...)
	for _, l := range list {
		ends := ""
		if l.Expires != nil {
			if left := l.Expires.Sub(now); left > 0 {
				ends = "in " + age(left)
			} else {
				ends = age(-left) + " ago"
			}
		}
		if l.Notice == control.NoticeReclaim {
			ends += ", taken back"
		}
		row := []string{short(l.ID), l.State, shortClass(l.Class), strconv.FormatUint(uint64(l.Quantity), 10), l.Price, l.Namespace, ends}
		if p.wide {
			other := l.Provider
			if provided {
				other = l.Requester
			}
			row[0], row[2] = l.ID, l.Class
			row = append(row, other)
			if provided {
				row = append(row, cmp.Or(noticeText(l.Reclaim), "never"))
			}
		}
		t.row(row...)
	}
	t.write(p)
}

// partTable lists the parts of a lease.
func partTable(p *page, parts []partInfo) {
	heads := []string{"CONTEXT", "STATE", "UNITS", "PRICE", "NAMESPACE", "PROVIDER"}
	if p.wide {
		heads = append(heads, "SERVER", "PART")
	}
	t := newTable(heads...)
	for _, part := range parts {
		row := []string{part.Context, part.State, strconv.FormatUint(uint64(part.Quantity), 10), part.Price, part.Namespace, short(part.Provider)}
		if p.wide {
			row[5] = part.Provider
			row = append(row, part.Server, part.ID)
		}
		t.row(row...)
	}
	t.write(p)
}

// short is as much of an id as a table shows.
func short(id string) string {
	const n = 10
	if len(id) > n {
		return id[:n]
	}
	return id
}
