package match

import (
	"io"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// draw fixes the roster, and with it the session.
func (t *table) draw() error {
	var salt, nonce [nonceSize]byte
	if _, err := io.ReadFull(t.seeker.Rand, salt[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(t.seeker.Rand, nonce[:]); err != nil {
		return err
	}
	var err error
	if t.fn, err = placement.New(t.req.Policy, len(t.seats)); err != nil {
		return err
	}
	circuit, err := templateHash(t.fn)
	if err != nil {
		return err
	}
	com := commitRequest(salt, t.req.Quantity, t.req.MaxPrice)
	r := Roster{
		Version: Version, Pool: t.seeker.poolName(), Class: t.req.Class.String(), Policy: t.req.Policy,
		Seconds: uint64(t.req.Duration / time.Second), K: uint(extensionK(1 + len(t.seats))),
		Circuit: circuit[:], Commitment: com[:],
		Requester: Requester{ID: t.seeker.Key.ID(), Nonce: nonce[:], Membership: t.seeker.Membership},
	}
	for _, c := range t.seats {
		r.Providers = append(r.Providers, Member{ID: c.candidate.Link.Peer(), Nonce: c.nonce, Record: c.record})
	}
	t.signed = r.Sign(t.seeker.Key)
	t.sid = t.signed.SID()
	return nil
}

// outcome reads what the requester learned.
func (t *table) outcome(bits []bool) Outcome {
	o := Outcome{SID: t.sid, Roster: t.signed.Body}
	r := placement.DecodeRequester(bits)
	if !r.Matched {
		return o
	}
	c := t.seats[r.Winner-1]
	o.Matched, o.Price = true, market.Price(r.Price)
	o.Winner = Member{ID: c.candidate.Link.Peer(), Nonce: c.nonce, Record: c.record}
	o.Lease = market.NewLeaseID(t.sid, o.Winner.ID)
	return o
}
