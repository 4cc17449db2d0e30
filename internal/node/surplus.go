package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

const (
	// surveyEvery is how often the cluster is looked at while somebody wants to
	// know what it has over.
	surveyEvery = 10 * time.Second
	// surveyWithin bounds one look.
	surveyWithin = 30 * time.Second
	// surveyHolds is for how long what was seen is gone by: offers that follow a
	// cluster that was not seen for longer enter nothing.
	surveyHolds = time.Minute
)

var errNotSeen = errors.New("the cluster has not been looked at yet")

// surplus knows what the cluster had over when it was last looked at.
type surplus struct {
	survey   func(context.Context) (*k8s.Survey, error)
	clock    market.Clock
	every    time.Duration
	log      *slog.Logger
	looking  sync.Mutex // one look at a time
	mu       sync.Mutex
	seen     *k8s.Survey
	at       market.Moment // of the last look that succeeded
	trouble  error         // of the last look
	complain string        // what was logged last

	placed   *k8s.Placed // placedOn, with promised put onto its nodes
	placedOn *k8s.Survey // nil: nothing is placed yet
	promised []market.Taken
}

func newSurplus(cfg Config, cluster *k8s.Cluster, clock market.Clock) *surplus {
	provider := cfg.Key.ID().String()
	return &surplus{
		survey: func(ctx context.Context) (*k8s.Survey, error) { return cluster.Survey(ctx, provider, cfg.GPUs) },
		clock:  clock, every: cmp.Or(cfg.SurveyEvery, surveyEvery), log: cfg.Log, at: clock(), trouble: errNotSeen,
	}
}

// run looks at the cluster for as long as it is wanted.
func (s *surplus) run(ctx context.Context, wanted func() bool) error {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		if wanted() {
			s.look(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look looks once and notes what it sees. A look that fails leaves what was
// seen before, which grows old.
func (s *surplus) look(ctx context.Context) {
	s.looking.Lock()
	defer s.looking.Unlock()
	limited, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	begun := s.clock()
	seen, err := s.survey(limited)
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	said := ""
	if s.trouble = err; err == nil {
		s.seen, s.at = seen, begun
	} else {
		said = err.Error()
	}
	switch {
	case said == s.complain:
	case said != "":
		s.log.Warn("cannot see what the cluster has over", "err", err)
	default:
		s.log.Info("the cluster can be seen again")
	}
	s.complain = said
}

// recent is what was seen, if that is recent enough.
func (s *surplus) recent() (*k8s.Survey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.seen == nil:
		return nil, s.trouble
	case s.at.Elapsed(s.clock()) <= surveyHolds:
		return s.seen, nil
	case s.trouble != nil:
		return nil, fmt.Errorf("the cluster was last seen more than %v ago: %w", surveyHolds, s.trouble)
	}
	return nil, fmt.Errorf("the cluster was last seen more than %v ago", surveyHolds)
}

// age is for how long the cluster has not been seen; since the start, if it never
// was.
func (s *surplus) age() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at.Elapsed(s.clock())
}

// units implements market.Config.Surplus.
func (s *surplus) units(terms market.Surplus, c market.Class, promised []market.Taken) (market.Quantity, error) {
	seen, err := s.recent()
	if err != nil {
		return 0, err
	}
	n := s.place(seen, promised).Units(unitOf(c), termsOf(terms))
	return market.Quantity(min(n, int64(market.MaxQuantity))), nil
}

// place puts what is promised onto the nodes that were seen: anew only if either
// has changed, for the ledger asks about each offer in turn.
func (s *surplus) place(seen *k8s.Survey, promised []market.Taken) *k8s.Placed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.placedOn != seen || !slices.Equal(s.promised, promised) {
		s.placedOn, s.placed, s.promised = seen, seen.Place(takenOf(promised)), slices.Clone(promised)
	}
	return s.placed
}

func unitOf(c market.Class) k8s.Unit {
	return k8s.Unit{Arch: c.Arch, CPU: c.CPU, Memory: c.Memory, Model: c.GPU, GPUs: c.GPUs}
}

func takenOf(promised []market.Taken) []k8s.Taken {
	list := make([]k8s.Taken, 0, len(promised))
	for _, p := range promised {
		t := k8s.Taken{Unit: unitOf(p.Class), Units: int64(p.Quantity)}
		if p.Lease != (market.LeaseID{}) {
			t.LeaseID = p.Lease.String()
		}
		list = append(list, t)
	}
	return list
}

func termsOf(s market.Surplus) k8s.Terms {
	t := k8s.Terms{
		Share: int64(s.Share), WhenFree: int64(s.WhenFree),
		KeepCPU: map[string]int64{}, KeepMemory: map[string]int64{}, KeepGPUs: map[string]int64{},
	}
	for kind, amount := range s.Keep {
		switch base, which := kind.Split(); base {
		case market.KindCPU:
			t.KeepCPU[cmp.Or(which, market.DefaultArch)] = amount
		case market.KindMemory:
			t.KeepMemory[cmp.Or(which, market.DefaultArch)] = amount
		default:
			t.KeepGPUs[which] = amount
		}
	}
	return t
}

// readSurplus is the ledger's idea of it; nil stays nil.
func readSurplus(s *control.Surplus) (*market.Surplus, error) {
	if s == nil {
		return nil, nil
	}
	share, err := market.ParsePercent("share", s.Share)
	if err != nil {
		return nil, err
	}
	terms := &market.Surplus{Share: share}
	if s.Keep != "" {
		if terms.Keep, err = market.ParseKeep(s.Keep); err != nil {
			return nil, err
		}
	}
	if s.WhenFree != "" {
		if terms.WhenFree, err = market.ParseWhenFree(s.WhenFree); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

func showSurplus(s *market.Surplus) *control.Surplus {
	if s == nil {
		return nil
	}
	shown := &control.Surplus{Share: s.Share.String(), Keep: s.Keep.String()}
	if s.WhenFree > 0 {
		shown.WhenFree = ">" + s.WhenFree.String()
	}
	return shown
}

// follow adds to an offer what it comes to now.
func (d *daemon) follow(o control.Offer) control.Offer {
	if o.Surplus != nil {
		if n, err := d.ledger.Surplus(o.Name); err == nil {
			now := uint32(n)
			o.Surplus.Now = &now
		}
	}
	return o
}
