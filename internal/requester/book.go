package requester

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/match"
)

// Bounds of a Book.
const (
	maxEntries  = 512
	maxBookFile = 1 << 20
	entryLife   = 7 * 24 * time.Hour
	struckFor   = time.Hour // an announcement lives for half of that
)

// Book remembers where providers were met, so that the next discovery dials the
// near ones first while the DHT is still being asked. It is a hint like any
// other: who listens there proves an identity and shows a fresh record, or is
// none. It says nothing of requests. The methods may be called at once.
type Book struct {
	path string // "": not kept

	mu      sync.Mutex
	entries map[netip.AddrPort]entry
}

type entry struct {
	Addr       netip.AddrPort `json:"addr"`
	Coordinate []byte         `json:"coordinate,omitempty"`
	Cell       string         `json:"cell,omitempty"`
	Class      []string       `json:"classes"`
	RTT        time.Duration  `json:"rtt"`
	Seen       time.Time      `json:"seen"`
	Struck     time.Time      `json:"struck,omitzero"` // when nobody answered there, if that was the last that was heard
}

// OpenBook reads a book; "" keeps nothing. A file that is missing or damaged is
// an empty book; damage is reported beside it.
func OpenBook(path string) (*Book, error) {
	b := &Book{path: path, entries: map[netip.AddrPort]entry{}}
	if path == "" {
		return b, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, nil
	case err == nil && info.Size() > maxBookFile:
		err = errors.New("too large")
	}
	var list []entry
	if err == nil {
		var raw []byte
		if raw, err = os.ReadFile(path); err == nil {
			err = json.Unmarshal(raw, &list)
		}
	}
	if err != nil {
		return b, fmt.Errorf("book of providers in %s: %w", path, err)
	}
	for _, e := range list[:min(len(list), maxEntries)] {
		if e.Addr.IsValid() && e.Addr.Port() != 0 {
			b.entries[e.Addr] = e
		}
	}
	return b, nil
}

// note remembers a provider that was met.
func (b *Book) note(m match.Candidate, now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	at := m.Link.Addr()
	b.entries[at] = entry{Addr: at, Coordinate: m.Record.Coordinate, Cell: m.Record.Cell, Class: m.Record.Classes, RTT: m.Link.RTT(), Seen: now.UTC()}
}

// strike remembers an address where nobody answered: the DHT will name it for a
// while yet.
func (b *Book) strike(at netip.AddrPort, now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[at] = entry{Addr: at, Seen: now.UTC(), Struck: now.UTC()}
}

// struck says whether nobody answered at an address a while ago.
func (b *Book) struck(at netip.AddrPort, now time.Time) bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e, known := b.entries[at]
	return known && !e.Struck.IsZero() && now.Sub(e.Struck).Abs() < struckFor
}

// serving lists where providers of a class were met, the nearest first: those
// near the wanted place, or, without one, by estimate, from their coordinates
// where both ends have settled ones, else from what was measured.
func (b *Book) serving(class string, space *coord.Space, near *Near, now time.Time) []netip.AddrPort {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var hits []entry
	for _, e := range b.entries {
		if age := now.Sub(e.Seen); slices.Contains(e.Class, class) && age < entryLife && age > -time.Hour {
			hits = append(hits, e)
		}
	}
	estimate := func(e entry) time.Duration {
		if at, err := coord.Parse(e.Coordinate); err == nil && space != nil && at.Settled() && space.Here().Settled() {
			return space.Estimate(at)
		}
		return e.RTT
	}
	slices.SortFunc(hits, func(x, y entry) int {
		return cmp.Or(near.compare(x.Cell, y.Cell), cmp.Compare(estimate(x), estimate(y)), x.Addr.Compare(y.Addr))
	})
	var addrs []netip.AddrPort
	for _, e := range hits {
		addrs = append(addrs, e.Addr)
	}
	return addrs
}

// Cell is where the requester seems to be, by the cells of those who were met and
// the round trips to them, of at most so many characters; "" if that cannot be
// told.
func (b *Book) Cell(precision int) string {
	if b == nil {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var marks []coord.Mark
	for _, e := range b.entries { // those that were struck have no cell
		marks = append(marks, coord.Mark{Cell: e.Cell, RTT: e.RTT})
	}
	return coord.Cell(marks, precision)
}

// Save writes the book, the entries that were seen last if there are too many.
func (b *Book) Save() error {
	if b == nil || b.path == "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]entry, 0, len(b.entries))
	for _, e := range b.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(x, y entry) int { return cmp.Or(y.Seen.Compare(x.Seen), x.Addr.Compare(y.Addr)) })
	raw, err := json.Marshal(list[:min(len(list), maxEntries)])
	if err == nil {
		err = durable.Replace(b.path, append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("book of providers: %w", err)
	}
	return nil
}
