package requester

import (
	"context"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
)

// maxReferred is how many providers are dialled in one discovery because others
// have referred us to them.
const maxReferred = 32

// refer asks a provider for others that the DHT does not tell of, and meets them.
// Who names those to ask wants nobody else asked.
func (d *discovery) refer(ctx context.Context, link *mesh.Link) {
	c := d.client
	if _, named := c.Finder.(expects); named {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.Patience.WithDefaults().Connect)
	defer cancel()
	list, err := match.Referrals(ctx, link, d.req.Class.String(), c.Pool, c.Now())
	if err != nil {
		c.log().Debug("no referrals", "peer", link.Peer().Short(), "err", err)
	}
	var meetings sync.WaitGroup
	for _, rec := range list {
		if d.follows(rec) {
			meetings.Go(func() { d.follow(ctx, rec) })
		}
	}
	meetings.Wait()
}

// referred is what became of referrals to a peer.
type referred struct {
	issued time.Time // of the record by which it was dialled
	again  bool      // it was dialled twice
}

// follows says whether to meet somebody to whom we were referred: nobody whom we
// have met, and each once, or once more by a later record. Whoever names a provider
// by an old record, of where it was before, is not to hide it from those who know
// better.
func (d *discovery) follows(rec identity.Record) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	peer := rec.ID.String()
	before, known := d.named[peer]
	_, met := d.met[peer]
	switch {
	case met || rec.ID == d.client.Key.ID() || d.dialed == maxReferred:
		return false
	case known && (before.again || !rec.Issued.After(before.issued)):
		return false
	}
	d.named[peer] = referred{issued: rec.Issued, again: known}
	d.dialed++
	return true
}

// follow meets somebody to whom we were referred, at the addresses of the record.
func (d *discovery) follow(ctx context.Context, rec identity.Record) {
	link, err := d.client.Mesh.Connect(ctx, rec.ID, rec.Addrs)
	if err == nil {
		d.hear(link.Addr())
		err = d.greet(ctx, link, link.Addr())
	}
	if err != nil {
		d.client.log().Debug("nobody where we were referred to", "peer", rec.ID.Short(), "err", err)
	}
}
