package control

import "context"

// Daemon is what the socket gives access to; internal/node implements it. Methods are called from many goroutines at once.
// Errors of the kinds in this package cross the socket as such; any other becomes ErrInternal with its words.
type Daemon interface {
	Status(ctx context.Context) (Status, error)

	// Offers returns all offers, sorted by name.
	Offers(ctx context.Context) ([]Offer, error)
	// PutOffer creates the offer of that name or replaces it, and returns it as it now stands. It is durable when it returns.
	PutOffer(ctx context.Context, o Offer) (Offer, error)
	// SetPaused pauses or resumes an offer; ErrNotFound if there is none of that name.
	SetPaused(ctx context.Context, name string, paused bool) (Offer, error)
	// RemoveOffer removes an offer; its leases live on. ErrNotFound if there is none of that name.
	RemoveOffer(ctx context.Context, name string) error

	// Leases returns the leases that this node provides, newest first.
	Leases(ctx context.Context) ([]Lease, error)
	// Lease returns one of them by its id or a prefix of it that only one has.
	Lease(ctx context.Context, id string) (Lease, error)
	// ReleaseLease ends a lease and returns it in its new state. Releasing a released one is no fault.
	ReleaseLease(ctx context.Context, id string) (Lease, error)
	// ReclaimLease takes a lease back: it ends when the notice that its offer stated has passed. ErrConflict if the offer
	// stated none, or the lease is not in use. Taking it back again is no fault and prolongs nothing.
	ReclaimLease(ctx context.Context, id string) (Lease, error)

	// SetDrain says how far the daemon withdraws from new matches: one of the Drain constants, "" for not at all. It is
	// kept over a restart.
	SetDrain(ctx context.Context, d Drain) (Drain, error)

	// Lookup calls found for each address of providers of the class as they turn up, each once, from one goroutine,
	// until the lookup is complete or found returns false.
	Lookup(ctx context.Context, q Lookup, found func(Found) bool) error
}
