package match

import (
	"context"
	"time"

	"github.com/angler-dex/angler/internal/market"
)

// lookers is how many requesters may have the cluster asked for their usage at
// once, and lookWithin how long it may take: beyond, they are told the rest.
const (
	lookers    = 8
	lookWithin = 5 * time.Second
)

// stands puts where a lease stands into words for its requester. Before it was
// granted there is nothing to say.
func (p *Provider) stands(l market.Lease) *Stands {
	if l.Granted.IsZero() {
		return nil
	}
	now := p.Clock()
	return &Stands{
		State: uint8(l.State), Left: seconds(l.Left(now)), Expires: l.Expires.Unix(), Seconds: seconds(l.Duration),
		Notice: seconds(l.Notice), Kind: uint8(l.NoticeAt(now).Kind),
	}
}

func seconds(d time.Duration) uint64 { return uint64(max(d, 0) / time.Second) }

// show tells where a lease stands, with its usage if the cluster says it soon.
func (p *Provider) show(ctx context.Context, lease market.Lease) LeaseReply {
	switch {
	case lease.State.Usable():
	case lease.State == market.Reserved || lease.State == market.Provisioning:
		return LeaseReply{Status: StatusDenied} // there is nothing to show yet
	default:
		r := ended(lease)
		r.Standing = p.stands(lease)
		return r
	}
	s := p.stands(lease)
	s.Usage = p.usage(ctx, lease)
	return LeaseReply{Status: StatusShown, Standing: s}
}

func (p *Provider) usage(ctx context.Context, lease market.Lease) []Gauge {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	select {
	case p.looks <- struct{}{}:
		defer func() { <-p.looks }()
	case <-ctx.Done():
		return nil
	}
	list, err := p.Cluster.Usage(ctx, p.Key.ID().String(), lease.ID.String())
	if err != nil {
		p.Log.Info("usage of a lease not told", "lease", lease.ID.Short(), "err", err)
		p.doubt(lease.ID, err)
		return nil
	}
	var gauges []Gauge
	for _, u := range list[:min(len(list), maxGauges)] {
		gauges = append(gauges, Gauge{Resource: u.Resource, Used: u.Used, Hard: u.Hard})
	}
	return gauges
}

// tokenWithin bounds one request for a token. The lease is held meanwhile, so
// that no token is given once it has begun to end.
const tokenWithin = 10 * time.Second

// token has the cluster make a fresh credential for a lease that lives.
func (p *Provider) token(ctx context.Context, id market.LeaseID) LeaseReply {
	lease, put, r := p.hold(ctx, id)
	if put == nil {
		return r
	}
	defer put()
	limited, cancel := context.WithTimeout(ctx, tokenWithin)
	defer cancel()
	c, until := &Credential{}, lease.Expires.Add(provisionWithin)
	var expires time.Time
	var err error
	if p.House.Certificates {
		c.Certificate, c.Key, expires, err = p.Cluster.Certificate(limited, p.Key.ID().String(), id.String(), until)
	} else {
		c.Token, expires, err = p.Cluster.Token(limited, p.Key.ID().String(), id.String(), until)
	}
	if err != nil {
		p.Log.Warn("no credential for a lease", "lease", id.Short(), "err", err)
		p.doubt(id, err)
		return LeaseReply{Status: StatusDenied}
	}
	c.Expires = expires.Unix()
	return LeaseReply{Status: StatusToken, Credential: c}
}

// lives tells whether a lease is confirmed and its time is not over. After that
// nothing is done for it any more, so that who asks without pause cannot keep
// its end from coming.
func (p *Provider) lives(lease market.Lease) (LeaseReply, bool) {
	switch {
	case lease.State == market.Active && p.lasts(lease):
		return LeaseReply{}, true
	case lease.State.Terminal() || lease.State == market.Expiring:
		return ended(lease), false
	}
	return LeaseReply{Status: StatusDenied}, false
}
