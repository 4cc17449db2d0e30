package requester

import (
	"math"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// A doubt is halved each day, and is never more than that of so many matches.
const (
	doubtHalves = 24 * time.Hour
	maxDoubt    = 8
)

// doubt is how much is left of a provider's share in matches that were spoilt.
func (d Deeds) doubt(now time.Time) float64 {
	if d.Doubt == 0 {
		return 0
	}
	return d.Doubt * math.Exp2(-max(float64(now.Sub(d.Doubted)), 0)/float64(doubtHalves))
}

// Doubt adds shares in matches that were spoilt to those of providers. Errors are
// as of Count.
func (r *Reputation) Doubt(now time.Time, shares map[identity.PeerID]float64) error {
	if len(shares) == 0 {
		return nil
	}
	return r.change(func(known map[identity.PeerID]Deeds) {
		for id, share := range shares {
			deeds := known[id]
			deeds.Doubt = min(deeds.doubt(now)+share, maxDoubt)
			deeds.Doubted = now.UTC().Truncate(time.Second)
			known[id] = deeds
		}
	})
}

// doubts are those of all providers, if this client keeps account. That it cannot
// read them is no reason to fail.
func (c *Client) doubts() map[identity.PeerID]float64 {
	if c.Reputation == nil {
		return nil
	}
	known, err := c.Reputation.Of()
	if err != nil {
		c.log().Warn("doubts of earlier matches are not known", "err", err)
	}
	doubts := map[identity.PeerID]float64{}
	for id, deeds := range known {
		if d := deeds.doubt(c.Now()); d > 0 {
			doubts[id] = d
		}
	}
	return doubts
}

// doubt keeps shares in matches that were spoilt, if this client keeps account.
func (c *Client) doubt(shares map[identity.PeerID]float64) {
	if c.Reputation == nil {
		return
	}
	if err := c.Reputation.Doubt(c.Now(), shares); err != nil {
		c.log().Warn("doubts are not kept", "err", err)
	}
}
