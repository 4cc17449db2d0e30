package market

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Limits are how long things may stay as they are. Zero fields are defaults.
type Limits struct {
	Unclaimed    time.Duration // a reservation, before it is claimed; 1 min
	Provisioning time.Duration // making the namespace; 5 min
	Unconfirmed  time.Duration // a grant, before it is confirmed; 2 min
	Retain       time.Duration // a row after its end, for repeated claims; 24 h
	RetainRows   int           // ended rows kept at most; 4096
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Unclaimed:    cmp.Or(l.Unclaimed, time.Minute),
		Provisioning: cmp.Or(l.Provisioning, 5*time.Minute),
		Unconfirmed:  cmp.Or(l.Unconfirmed, 2*time.Minute),
		Retain:       cmp.Or(l.Retain, 24*time.Hour),
		RetainRows:   cmp.Or(l.RetainRows, 4096),
	}
}

// Config says what to open. Path, Provider and Clock are required.
type Config struct {
	Path     string    // the file; it and its folder are made if missing, 0600 and 0700
	Provider [32]byte  // our identity; a ledger belongs to one
	Clock    Clock     // see SystemClock
	Capacity Resources // what the provider has; nil: the sum of its offers
	Limits   Limits

	// Unfit says why leases of a class cannot be provided now, without the
	// quantity or price of anything; offers of such a unit enter nothing. It is
	// called under the ledger's lock and must not wait. nil: all can be.
	Unfit func(Class) error

	// Surplus counts how many units of a class more the cluster has over by the
	// terms of an offer, after all that is promised. Called as Unfit is. nil:
	// offers that follow the cluster enter nothing.
	Surplus func(s Surplus, unit Class, promised []Taken) (Quantity, error)
}

// Ledger is a provider's book: offers, capacity, holds, leases and how often
// each identity matched. It is safe for concurrent use; no call waits for
// anything but the disk. What a call reports as done is on disk (fsync),
// except holds, which are never written.
//
// After a write that failed the disk's state is unknown, so the ledger refuses
// all further writes with ErrBroken until it is opened again; the daemon should
// end then.
type Ledger struct {
	store    *store
	clock    Clock
	provider [32]byte
	limits   Limits
	unfit    func(Class) error
	surplus  func(Surplus, Class, []Taken) (Quantity, error) // may be nil

	mu       sync.Mutex
	broken   error
	declared Resources // nil: the sum of the offers
	offers   map[string]Offer
	leases   map[LeaseID]Lease // as on disk
	ours     map[LeaseID]bool  // leases whose state this process set
	holds    map[[32]byte]hold // by sid
	faults   map[string]error  // of offers whose price could not be told
	matches  map[[32]byte][]matchSlot
	swept    Moment // when match counts were last pruned
	drain    Drain
}

// Errors of a Ledger. None of them carries a quantity or a price.
var (
	ErrBroken    = errors.New("a write to the ledger failed; open it again")
	ErrNoOffer   = errors.New("no offer of that name")
	ErrNoLease   = errors.New("no lease of that id")
	ErrTooMany   = errors.New("the ledger is full")
	ErrNoHold    = errors.New("nothing is held for that session")
	ErrHoldOver  = errors.New("the hold of that session has expired")
	ErrNotHeld   = errors.New("the session won what it does not hold")
	ErrUnderpaid = errors.New("the session won at less than the offer asks")
	ErrConflict  = errors.New("the session has another outcome on record")
)

// maxOffers bounds the offers of one ledger.
const maxOffers = 256

// Open opens or creates the ledger and takes the file's lock. Its errors are
// ErrLocked, ErrCorrupt, ErrSchema, ErrProvider (with the path) or those of the
// file system; a *FieldError if Capacity is not one.
func Open(cfg Config) (*Ledger, error) {
	if cfg.Clock == nil {
		return nil, errors.New("ledger: no clock")
	}
	if err := cfg.Capacity.validate(); err != nil {
		return nil, err
	}
	if cfg.Unfit == nil {
		cfg.Unfit = func(Class) error { return nil }
	}
	s, rows, err := openStore(cfg.Path, cfg.Provider)
	if err != nil {
		return nil, err
	}
	return &Ledger{
		store: s, clock: cfg.Clock, provider: cfg.Provider, limits: cfg.Limits.withDefaults(), unfit: cfg.Unfit, surplus: cfg.Surplus,
		declared: maps.Clone(cfg.Capacity), offers: rows.offers, leases: rows.leases, matches: rows.matches,
		ours: map[LeaseID]bool{}, holds: map[[32]byte]hold{}, faults: map[string]error{},
		drain: rows.drain,
	}, nil
}

// Close releases the file. Holds are gone; everything else is on disk.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = cmp.Or(l.broken, errors.New("closed"))
	clear(l.holds)
	return l.store.close()
}

// Provider is the identity that the ledger belongs to.
func (l *Ledger) Provider() [32]byte { return l.provider }

// SetCapacity declares what the provider has; nil goes back to the sum of the
// offers. It may be less than what is leased: then nothing is free. It is not
// stored: the daemon declares it at each start. The error is a *FieldError.
func (l *Ledger) SetCapacity(r Resources) error {
	if err := r.validate(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.declared = maps.Clone(r)
	return nil
}

// PutOffer adds an offer, or replaces the one of that name, filling defaults in
// (Offer.Normalize). Its leases live on whatever becomes of it; if they are
// more than the new ceiling, it has no room. The error is a *FieldError,
// ErrTooMany or ErrBroken.
func (l *Ledger) PutOffer(o Offer) error {
	o = o.Normalize()
	if err := o.Validate(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, replaces := l.offers[o.Name]; !replaces && len(l.offers) >= maxOffers {
		return fmt.Errorf("%w: %d offers", ErrTooMany, maxOffers)
	}
	return l.writeOffer(o)
}

func (l *Ledger) writeOffer(o Offer) error {
	if err := l.update(func(w writer) error { return w.put(bucketOffers, []byte(o.Name), o.row()) }); err != nil {
		return err
	}
	l.offers[o.Name] = o
	delete(l.faults, o.Name)
	return nil
}

// SetPaused pauses or resumes an offer: ErrNoOffer if there is none.
func (l *Ledger) SetPaused(name string, paused bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.offers[name]
	if !ok {
		return ErrNoOffer
	}
	if o.Paused == paused {
		return nil
	}
	o.Paused = paused
	return l.writeOffer(o)
}

// RemoveOffer removes an offer; its leases live on. ErrNoOffer if there is none.
func (l *Ledger) RemoveOffer(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.offers[name]; !ok {
		return ErrNoOffer
	}
	if err := l.update(func(w writer) error { return w.remove(bucketOffers, []byte(name)) }); err != nil {
		return err
	}
	delete(l.offers, name)
	delete(l.faults, name)
	return nil
}

// Offers lists the offers by name.
func (l *Ledger) Offers() []Offer {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Offer, 0, len(l.offers))
	for _, name := range slices.Sorted(maps.Keys(l.offers)) {
		list = append(list, l.offers[name].clone())
	}
	return list
}

// Offer returns the offer of that name.
func (l *Ledger) Offer(name string) (Offer, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.offers[name]
	return o.clone(), ok
}
