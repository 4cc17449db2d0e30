package cli

import (
	"strings"
	"unicode/utf8"
)

// table is columns of text under upper-case heads, as kubectl prints them.
type table struct {
	heads []string
	rows  [][]string
}

func newTable(heads ...string) *table { return &table{heads: heads} }

func (t *table) row(cells ...string) {
	for i, c := range cells {
		if c = clean(c); c == "" {
			c = "-"
		}
		cells[i] = c
	}
	t.rows = append(t.rows, cells)
}

// write draws the table; the last column is not padded.
func (t *table) write(p *page) {
	width := make([]int, len(t.heads))
	for _, r := range append([][]string{t.heads}, t.rows...) {
		for i, c := range r {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	line := func(cells []string) string {
		var b strings.Builder
		for i, c := range cells {
			b.WriteString(c)
			if i < len(cells)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+3))
			}
		}
		return b.String()
	}
	p.line("%s", p.style.head(line(t.heads)))
	for _, r := range t.rows {
		p.line("%s", line(r))
	}
}
