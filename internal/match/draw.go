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
	longest := time.Duration(0)
	for _, c := range t.seats {
		longest = max(longest, c.candidate.Link.RTT())
	}
	t.k = t.seeker.speed.k(longest)
	c, err := template(t.fn)
	if err != nil {
		return err
	}
	if _, err = checkMemory(c, 0); err != nil {
		return err
	}
	circuit := c.Hash()
	if t.inputs, err = t.fn.RequestInputs(t.entered()); err != nil {
		return err
	}
	com := commitRequest(salt, t.inputs)
	r := Roster{
		Version: Version, Pool: t.seeker.poolName(), Class: t.req.Class.String(), Policy: t.req.Policy,
		Seconds: uint64(t.req.Duration / time.Second), K: t.k,
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

// entered is what the request enters into the match.
func (t *table) entered() placement.Request {
	r := placement.Request{Quantity: uint16(t.req.Quantity), MaxPrice: uint32(t.req.MaxPrice), Cap: uint16(t.req.Cap)}
	for _, v := range t.req.Further {
		r.Further = append(r.Further, uint16(v))
	}
	if t.fn.Policy().Handicap {
		for _, c := range t.seats {
			r.Handicaps = append(r.Handicaps, uint32(t.req.Handicaps[c.candidate.Link.Peer()]))
		}
	}
	return r
}

// outcome reads what the requester learned.
func (t *table) outcome(bits []bool) Outcome {
	o := Outcome{SID: t.sid, Roster: t.signed.Body, Among: t.among()}
	for _, w := range t.fn.Result(t.inputs, bits).Wins {
		c := t.seats[w.Party-1]
		id := c.candidate.Link.Peer()
		o.Parts = append(o.Parts, Part{
			Member: Member{ID: id, Nonce: c.nonce, Record: c.record}, Lease: market.NewLeaseID(t.sid, id),
			Quantity: market.Quantity(w.Quantity), Price: market.Price(w.Pays),
		})
	}
	return o
}
