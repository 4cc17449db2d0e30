package requester

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// Deed is one thing that a provider did with what it had won.
type Deed int

// The deeds that are counted.
const (
	Kept   Deed = iota // a lease that lasted until it was given back, or to its end
	Broken             // a winner that refused, failed, lied, or ended a lease before its time
	Late               // a winner that could not be reached, or whose grant took longer than LateAfter
)

// LateAfter is how long a grant may take without being late.
const LateAfter = 30 * time.Second

// Deeds are how a provider has kept its word to this requester. Counts are
// halved when they come to more than maxDeeds: what is long past counts for less.
type Deeds struct {
	Kept   uint      `json:"kept"`
	Broken uint      `json:"broken"`
	Late   uint      `json:"late"`
	Last   time.Time `json:"last"`

	// Doubt is its share in matches that somebody spoilt without leaving a name,
	// when it was last Doubted. It is no deed: it costs nothing, and keeps nobody
	// from being invited.
	Doubt   float64   `json:"doubt,omitempty"`
	Doubted time.Time `json:"doubted,omitzero"`
}

// Handicap is what a provider with these deeds is put back by if one that never
// keeps its word is put back by most:
//
//	most · (2·broken + late) / (2·(kept + broken + late) + 4)
//
// rounded down. Nobody is put back who has not failed, one failure in one lease
// costs a third of most, and one in ten a twelfth.
func (d Deeds) Handicap(most market.Price) market.Price {
	bad, all := uint64(2*d.Broken+d.Late), uint64(2*(d.Kept+d.Broken+d.Late)+4)
	return market.Price(uint64(most) * bad / all)
}

// add counts a deed.
func (r *Deeds) add(d Deed, now time.Time) {
	switch d {
	case Kept:
		r.Kept++
	case Broken:
		r.Broken++
	case Late:
		r.Late++
	}
	for r.Kept+r.Broken+r.Late > maxDeeds {
		r.Kept, r.Broken, r.Late = r.Kept/2, r.Broken/2, r.Late/2
	}
	r.Last = now.UTC().Truncate(time.Second)
}

// Bounds of a Reputation and of its file.
const (
	maxDeeds     = 100
	maxKnown     = 2048 // providers; those that were met longest ago are forgotten
	maxReputed   = 1 << 20
	reputedBadly = "not a file of reputations"
)

// Reputation is what this requester knows of how providers keep their word: one
// file of mode 0600, replaced as a whole. It is its own experience and is told to
// nobody. Deeds that two processes count in the same moment may be counted as
// one: it is a score, not an account.
type Reputation struct {
	path string
	mu   sync.Mutex
}

// OpenReputation returns the reputations that the file at path holds, or will
// hold. It is not read yet.
func OpenReputation(path string) *Reputation { return &Reputation{path: path} }

// Of reads all deeds, by provider. The error is ErrDamaged for a file that is not one of
// reputations, or that of reading it.
func (r *Reputation) Of() (map[identity.PeerID]Deeds, error) {
	f, err := os.Open(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[identity.PeerID]Deeds{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reputations: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxReputed+1))
	if err != nil {
		return nil, fmt.Errorf("reputations: %w", err)
	}
	known, err := parseReputation(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", r.path, ErrDamaged, err)
	}
	return known, nil
}

// Count adds a deed to those of providers. Errors are as of Of, and those
// of writing.
func (r *Reputation) Count(d Deed, now time.Time, providers ...identity.PeerID) error {
	if len(providers) == 0 {
		return nil
	}
	return r.change(func(known map[identity.PeerID]Deeds) {
		for _, id := range providers {
			deeds := known[id]
			deeds.add(d, now)
			known[id] = deeds
		}
	})
}

// change writes what edit has made of what is known.
func (r *Reputation) change(edit func(known map[identity.PeerID]Deeds)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, err := r.Of()
	if err != nil {
		return err
	}
	edit(known)
	text, err := encodeReputation(known)
	if err == nil {
		err = durable.Replace(r.path, text)
	}
	if err != nil {
		return fmt.Errorf("reputations: %w", err)
	}
	return nil
}

// reputationFile is the file's form.
type reputationFile struct {
	Providers map[identity.PeerID]Deeds `json:"providers"`
}

func encodeReputation(known map[identity.PeerID]Deeds) ([]byte, error) {
	if len(known) > maxKnown {
		var ids []identity.PeerID
		for id := range known {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b identity.PeerID) int { return known[a].Last.Compare(known[b].Last) })
		for _, id := range ids[:len(known)-maxKnown] {
			delete(known, id)
		}
	}
	text, err := json.MarshalIndent(reputationFile{Providers: known}, "", "  ")
	return append(text, '\n'), err
}

func parseReputation(text []byte) (map[identity.PeerID]Deeds, error) {
	var f reputationFile
	if len(text) > maxReputed || json.Unmarshal(text, &f) != nil || f.Providers == nil {
		return nil, errors.New(reputedBadly)
	}
	for _, r := range f.Providers {
		if r.Kept > maxDeeds || r.Broken > maxDeeds || r.Late > maxDeeds || r.Kept+r.Broken+r.Late > maxDeeds || !(r.Doubt >= 0 && r.Doubt <= maxDoubt) {
			return nil, errors.New(reputedBadly)
		}
	}
	return f.Providers, nil
}

// count notes a deed of providers, if this client keeps account. That it cannot
// is no reason to fail.
func (c *Client) count(d Deed, providers ...identity.PeerID) {
	if c.Reputation == nil {
		return
	}
	if err := c.Reputation.Count(d, c.Now(), providers...); err != nil {
		c.log().Warn("a provider's deed is not counted", "err", err)
	}
}

// countClaim notes how winners behaved when they were claimed. What a requester
// claims long after the match, because it was interrupted, may be gone without
// anybody's fault. Nor is it counted if its winner says that another kept it from its
// result: which of the two lies is not known.
func (c *Client) countClaim(l Lease, begun time.Time, faults partFaults, settled func() []match.Dispute) {
	if begun.Sub(l.Created) > LateAfter {
		return
	}
	for _, f := range faults {
		id := l.Parts[f.part].Provider
		if _, gone := errors.AsType[*goneError](f.err); gone {
			if settled == nil || namedBy(settled(), id).IsZero() {
				c.count(Broken, id)
			}
		} else if !errors.Is(f.err, context.Canceled) {
			c.count(Late, id)
		}
	}
}
