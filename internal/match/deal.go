package match

import (
	"context"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// Opener is a link to the peer that a lease is with.
type Opener interface {
	Open(ctx context.Context, kind mesh.Kind) (*mesh.Stream, error)
}

// Deal is what a requester knows of a lease before it claims it, and therefore
// expects the receipt to say.
type Deal struct {
	SID       [32]byte
	Lease     market.LeaseID
	Provider  identity.PeerID
	Requester identity.PeerID
	Class     market.Class
	Quantity  market.Quantity
	Price     market.Price
	Duration  time.Duration
}

// Granted is what a provider hands over: the grant, and the receipt with its
// signature.
type Granted struct {
	Grant   k8s.Grant
	Receipt []byte
	Signed  []byte
}

// RefusedError says that a provider will not provide: there is nothing left to
// wait for.
type RefusedError struct{ Status Status }

func (e *RefusedError) Error() string {
	switch e.Status {
	case StatusFailed:
		return "provisioning failed at the provider, which has undone it"
	case StatusGone:
		return "the provider has released it"
	default:
		return "the provider has no such reservation"
	}
}

// How often a pending claim is asked again.
const (
	pollFirst = 100 * time.Millisecond
	pollLast  = 2 * time.Second
)

// ClaimLease claims a lease and waits until it is granted. What comes back is
// validated: the grant's fields (k8s.Grant.Validate), the receipt's terms and
// the provider's signature. Claiming twice does no harm.
//
// Errors: *RefusedError; ErrReceipt and k8s's validation errors for a provider
// that lies; the context's and the link's, after which one may claim again.
func ClaimLease(ctx context.Context, link Opener, d Deal, now func() time.Time) (Granted, error) {
	for wait := pollFirst; ; wait = min(2*wait, pollLast) {
		r, err := askLease(ctx, link, LeaseRequest{Action: Claim, Lease: d.Lease[:]})
		if err != nil {
			return Granted{}, err
		}
		switch r.Status {
		case StatusGranted:
			return d.open(r, now())
		case StatusPending:
		default:
			return Granted{}, &RefusedError{Status: r.Status}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return Granted{}, ctx.Err()
		}
	}
}

// open validates a grant and its receipt.
func (d Deal) open(r LeaseReply, now time.Time) (Granted, error) {
	if r.Grant == nil {
		return Granted{}, ErrReceipt
	}
	g := r.Grant.typed()
	if err := g.Validate(now); err != nil {
		return Granted{}, err
	}
	got, err := OpenReceipt(r.Receipt, r.Signed, d.Provider)
	if err != nil {
		return Granted{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	if !got.sameDeal(d.receipt()) {
		return Granted{}, ErrReceipt
	}
	return Granted{Grant: g, Receipt: r.Receipt, Signed: r.Signed}, nil
}

// receipt states the deal; manifest and time are the provider's to add.
func (d Deal) receipt() Receipt {
	return Receipt{
		SID: d.SID[:], Lease: d.Lease[:], Provider: d.Provider, Requester: d.Requester, Class: d.Class.String(),
		Quantity: uint16(d.Quantity), Price: uint32(d.Price), Seconds: uint64(d.Duration / time.Second),
	}
}

// ConfirmLease tells a provider that its grant is stored, with the requester's
// signature under the receipt. A *RefusedError says that it came too late.
func ConfirmLease(ctx context.Context, link Opener, id market.LeaseID, signature []byte) error {
	r, err := askLease(ctx, link, LeaseRequest{Action: Confirm, Lease: id[:], Receipt: signature})
	if err == nil && r.Status != StatusConfirmed {
		err = &RefusedError{Status: r.Status}
	}
	return err
}

// ReleaseLease gives a lease back. It succeeds if nothing of it is left,
// whoever ended it.
func ReleaseLease(ctx context.Context, link Opener, id market.LeaseID) error {
	for wait := pollFirst; ; wait = min(2*wait, pollLast) {
		r, err := askLease(ctx, link, LeaseRequest{Action: Release, Lease: id[:]})
		switch {
		case err != nil:
			return err
		case r.Status == StatusGone || r.Status == StatusFailed:
			return nil
		case r.Status != StatusPending:
			return &RefusedError{Status: r.Status}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// askLease sends one request about a lease and reads the reply.
func askLease(ctx context.Context, link Opener, req LeaseRequest) (LeaseReply, error) {
	var r LeaseReply
	s, err := link.Open(ctx, KindLease)
	if err != nil {
		return r, err
	}
	defer s.Close()
	defer s.Bind(ctx)()
	if err = send(s, req); err == nil {
		err = receive(s, maxReply, &r)
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	return r, err
}

func (g Grant) typed() k8s.Grant {
	return k8s.Grant{Server: g.Server, CA: g.CA, Namespace: g.Namespace, Token: g.Token, Expires: time.Unix(g.Expires, 0).UTC()}
}

func grantOf(g k8s.Grant) *Grant {
	return &Grant{Server: g.Server, CA: g.CA, Namespace: g.Namespace, Token: g.Token, Expires: g.Expires.Unix()}
}
