package killtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

// story is what a requester lived through with one lease.
type story struct {
	sid      [32]byte
	id       market.LeaseID
	failed   bool // a claim or confirmation was answered: will not be
	active   bool // it was confirmed
	renewed  bool // to two hours
	released bool
}

// deal of a story.
func (p *provider) deal(s *story) match.Deal {
	return match.Deal{
		SID: s.sid, Lease: s.id, Provider: p.key.ID(), Requester: p.requester.ID(), Class: class(), Quantity: 1, Price: 7,
		Duration: time.Hour, Policy: market.DefaultPolicy,
	}
}

// live takes one lease through its life, over however many incarnations.
func (p *provider) live(ctx context.Context, s *story, dice *mathrand.Rand) error {
	if _, err := rand.Read(s.sid[:]); err != nil {
		return err
	}
	s.id = market.NewLeaseID(s.sid, p.key.ID())
	if err := p.reserve(ctx, s.sid); err != nil {
		return err
	}
	d := p.deal(s)
	refused := func(err error) bool {
		_, no := errors.AsType[*match.RefusedError](err)
		return no
	}
	var g match.Granted
	err := p.over(ctx, func(ctx context.Context, link *mesh.Link) (err error) {
		g, err = match.ClaimLease(ctx, link, d, time.Now)
		return err
	})
	if err == nil {
		signature := match.SignReceipt(p.requester, g.Receipt)
		err = p.over(ctx, func(ctx context.Context, link *mesh.Link) error {
			return match.ConfirmLease(ctx, link, s.id, signature)
		})
	}
	if s.failed = refused(err); s.failed {
		return nil
	}
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	s.active = true
	if dice.IntN(2) == 0 {
		var r match.Renewal
		err = p.over(ctx, func(ctx context.Context, link *mesh.Link) (err error) {
			r, err = match.PrepareRenewal(ctx, link, d, g.Receipt, 2*time.Hour, time.Now)
			return err
		})
		if err == nil {
			err = p.over(ctx, func(ctx context.Context, link *mesh.Link) error {
				return match.ConfirmRenewal(ctx, link, d, r, match.SignReceipt(p.requester, r.Receipt))
			})
		}
		if s.renewed = err == nil; err != nil {
			return fmt.Errorf("renew: %w", err)
		}
	}
	if dice.IntN(3) > 0 {
		if err := p.over(ctx, func(ctx context.Context, link *mesh.Link) error { return match.ReleaseLease(ctx, link, s.id) }); err != nil {
			return fmt.Errorf("release: %w", err)
		}
		s.released = true
	}
	return nil
}

// run lives leases, a few at a time, while the provider is killed; it returns
// the stories when both are through, and the provider is down.
func (p *provider) run(leases, kills int, alive time.Duration) []*story {
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	if err := p.start(); err != nil {
		p.t.Fatal(err)
	}
	stories := make([]*story, leases)
	var next, through atomic.Int64
	var killed atomic.Int64
	var living sync.WaitGroup
	for worker := range 6 {
		dice := mathrand.New(mathrand.NewPCG(uint64(worker), 1))
		living.Go(func() {
			for n := next.Add(1) - 1; n < int64(leases) && ctx.Err() == nil; n = next.Add(1) - 1 {
				// The lives are spread over the kills.
				for killed.Load()*int64(leases) < n*int64(kills) && ctx.Err() == nil {
					p.mu.Lock()
					begun := p.begun
					p.mu.Unlock()
					select {
					case <-begun:
						time.Sleep(alive / 8) // nothing waits for it
					case <-ctx.Done():
					}
				}
				s := &story{}
				stories[n] = s
				if err := p.live(ctx, s, dice); err != nil {
					p.t.Errorf("lease %d: %v", n, err)
				}
				through.Add(1)
			}
		})
	}
	for n := 0; n < kills && !p.t.Failed(); n++ {
		time.Sleep(mathrand.N(alive)) // a random moment
		if err := errors.Join(p.kill(), p.start()); err != nil {
			p.t.Error(err)
			cancel()
		}
		killed.Add(1)
	}
	living.Wait()
	p.t.Logf("%d kills, %d leases", killed.Load(), through.Load())
	return stories
}

// settled waits until nothing in the ledger is under way any more, kills the
// provider and opens its ledger.
func (p *provider) settled(namespaces func() []string) (*market.Ledger, []string) {
	p.t.Helper()
	clock, err := market.SystemClock()
	if err != nil {
		p.t.Fatal(err)
	}
	for try := 0; ; try++ {
		if err := p.kill(); err != nil {
			p.t.Fatal(err)
		}
		ledger, err := market.Open(market.Config{Path: p.ledger, Provider: p.key.ID(), Clock: clock})
		if err != nil {
			p.t.Fatal(err)
		}
		restless := slices.ContainsFunc(ledger.Leases(), func(l market.Lease) bool { return !l.State.Terminal() && l.State != market.Active })
		if !restless || try == 20 {
			return ledger, namespaces()
		}
		if err := errors.Join(ledger.Close(), p.start()); err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(time.Second) // for its sweeps; then we look again
	}
}

// count is the audit: what the requester was told is so, ledger and cluster
// agree, and what is used and what is free is the total.
func (p *provider) count(stories []*story, ledger *market.Ledger, namespaces []string) {
	t := p.t
	t.Helper()
	rows := map[market.LeaseID]market.Lease{}
	var usable []string
	var taken int64
	for _, l := range ledger.Leases() {
		rows[l.ID] = l
		if l.State.Usable() {
			usable = append(usable, l.ID.String())
		}
		if !l.State.Terminal() {
			taken += int64(l.Quantity) * class().CPU
		}
	}
	if len(rows) != len(stories) {
		t.Errorf("%d leases in the ledger, of %d", len(rows), len(stories))
	}
	for n, s := range stories {
		l, ok := rows[s.id]
		switch {
		case !ok:
			t.Errorf("lease %d is lost", n)
		case s.released && l.State != market.Released, s.failed && !l.State.Terminal(), s.active && !s.released && l.State != market.Active:
			t.Errorf("lease %d is %s; its requester has %+v", n, l.State, *s)
		case s.renewed && l.Duration != 2*time.Hour || !s.renewed && l.Duration != time.Hour:
			t.Errorf("lease %d lasts %s", n, l.Duration)
		}
	}
	slices.Sort(usable)
	slices.Sort(namespaces)
	if !slices.Equal(usable, namespaces) {
		t.Errorf("%d namespaces for %d leases that can be used", len(namespaces), len(usable))
	}
	if u := ledger.Usage(); u.Reserved["cpu"] != taken || u.Reserved["cpu"]+u.Free["cpu"] != u.Total["cpu"] || u.Total["cpu"] != ceiling*class().CPU {
		t.Errorf("%d reserved and %d free of %d, for leases of %d", u.Reserved["cpu"], u.Free["cpu"], u.Total["cpu"], taken)
	}
	count := func(is func(*story) bool) (n int) {
		for _, s := range stories {
			if is(s) {
				n++
			}
		}
		return n
	}
	active, failed, renewed := count(func(s *story) bool { return s.active }), count(func(s *story) bool { return s.failed }), count(func(s *story) bool { return s.renewed })
	t.Logf("%d leases were confirmed, %d failed, %d renewed, %d released", active, failed, renewed, count(func(s *story) bool { return s.released }))
	if active == 0 {
		t.Error("nothing came about: the test is not testing")
	}
}

// "200 kill -9 at random moments across 100 leases: none lost, none doubled, no
// capacity leaked, no orphan namespace."
func TestKills(t *testing.T) {
	leases, kills := 100, 200
	if testing.Short() {
		leases, kills = 20, 30
	}
	cluster := matchtest.NewCluster(t)
	s, addr := serve(t, cluster)
	p := newProvider(t, envCluster+"="+addr)
	stories := p.run(leases, kills, 120*time.Millisecond)
	ledger, namespaces := p.settled(cluster.Leases)
	defer ledger.Close()
	p.count(stories, ledger, namespaces)
	for id, n := range s.made {
		if n > 1 {
			t.Errorf("the namespace of lease %.8s was made %d times", id, n)
		}
	}
}

// The same on a real control plane, which takes its time.
func TestKillsOnKubernetes(t *testing.T) {
	leases, kills := 8, 10
	if testing.Short() {
		leases, kills = 4, 4
	}
	kubeconfig := k8stest.Start(t)
	p := newProvider(t, envKubeconfig+"="+kubeconfig)
	stories := p.run(leases, kills, 1200*time.Millisecond)
	c, err := k8s.Open(k8s.Config{Kubeconfig: kubeconfig, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ledger, namespaces := p.settled(func() (list []string) {
		owned, err := c.Owned(t.Context(), p.key.ID().String())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range owned {
			if !o.Terminating { // one that is deleted takes a while to go
				list = append(list, o.LeaseID)
			}
		}
		return list
	})
	defer ledger.Close()
	p.count(stories, ledger, namespaces)
}
