package cli

import (
	"strconv"
	"time"

	"github.com/angler-dex/angler/internal/control"
)

func leaseTable(p *page, list []control.Lease, now time.Time) {
	heads := []string{"LEASE", "STATE", "UNIT", "UNITS", "PRICE", "NAMESPACE", "EXPIRES"}
	if p.wide {
		heads = append(heads, "PROVIDER", "REQUESTER")
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
		row := []string{short(l.ID), l.State, shortClass(l.Class), strconv.FormatUint(uint64(l.Quantity), 10), l.Price, l.Namespace, ends}
		if p.wide {
			row[0], row[2] = l.ID, l.Class
			row = append(row, l.Provider, l.Requester)
		}
		t.row(row...)
	}
	t.write(p)
}

// short is as much of an id as a table shows.
func short(id string) string {
	const n = 8
	if len(id) > n {
		return id[:n]
	}
	return id
}
