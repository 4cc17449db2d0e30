package match

import (
	"context"
	"fmt"
	"log/slog"
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
	Duration  time.Duration // the term; a renewal makes it longer
	Policy    string
	Workload  [32]byte          // SHA-256 of the manifests that it is for; zero: none
	Further   []market.Quantity // by dimension of the policy
}

// Granted is what a provider hands over: the grant, and the receipt with its
// signature.
type Granted struct {
	Grant   k8s.Grant
	Receipt []byte
	Signed  []byte
	Issued  time.Time // when, by the provider's clock: the lease began then
	Record  []byte    // the provider's signed record, if it sent one that is good; for the next connection
}

// String leaves the secrets out, as does LogValue.
func (d Deal) String() string { return "deal of lease " + d.Lease.Short() }

// GoString is String: %#v would print the secrets.
func (d Deal) GoString() string { return d.String() }

// LogValue is for log/slog.
func (d Deal) LogValue() slog.Value { return slog.StringValue(d.String()) }

// LieError says that a provider's answer to a claim is not what was agreed, or
// not one that can be used safely.
type LieError struct{ Err error }

func (e *LieError) Error() string { return "the provider's grant is not acceptable: " + e.Err.Error() }
func (e *LieError) Unwrap() error { return e.Err }

// RefusedError says that a provider will not do what it was asked to. Unless its
// Status is StatusDenied, the lease is not, or not any more.
type RefusedError struct {
	Status Status
	Notice market.NoticeKind // what the provider says about the end of the lease
	Spent  bool              // it was renewed as often as a lease can be
}

func (e *RefusedError) Error() string {
	switch e.Status {
	case StatusFailed:
		return "provisioning failed at the provider, which has undone it"
	case StatusGone:
		switch e.Notice {
		case market.NoticeReclaim:
			return "the provider has taken it back"
		case market.NoticeDeleted:
			return "its namespace was deleted in the provider's cluster"
		}
		return "the provider has released it"
	case StatusDenied:
		if e.Spent {
			return fmt.Sprintf("a lease is renewed %d times at most, and this one was: ask for another when it ends, or renew by longer terms", maxRenewals)
		}
		if e.Notice == market.NoticeReclaim {
			return "the provider is taking the lease back"
		}
		return "the provider does not do that for the lease as it stands"
	default:
		return "the provider has no such reservation"
	}
}

// ClaimLease claims a lease and waits until it is granted. What comes back is
// validated: the grant's fields (k8s.Grant.Validate), the receipt's terms and
// the provider's signature. Claiming twice does no harm.
//
// Errors: *RefusedError; *LieError for a provider that answers something else
// than was agreed; the context's and the link's, after which one may claim again.
func ClaimLease(ctx context.Context, link Opener, d Deal, now func() time.Time) (Granted, error) {
	r, err := settled(ctx, link, LeaseRequest{Action: Claim, Lease: d.Lease[:], Workload: d.workload()})
	switch {
	case err != nil:
		return Granted{}, err
	case r.Status != StatusGranted:
		return Granted{}, r.refusal()
	}
	g, err := d.open(r, now())
	if err != nil {
		return Granted{}, &LieError{Err: err}
	}
	return g, nil
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
	return Granted{Grant: g, Receipt: r.Receipt, Signed: r.Signed, Issued: time.Unix(got.Issued, 0).UTC(), Record: d.fresh(r, now)}, nil
}

// fresh is the record that a reply carries, if it is the provider's own and in
// date.
func (d Deal) fresh(r LeaseReply, now time.Time) []byte {
	rec, err := identity.OpenRecord(r.Record, now)
	if err != nil || rec.ID != d.Provider {
		return nil
	}
	return r.Record
}

// furtherOf writes amounts as a receipt has them.
func furtherOf(amounts []market.Quantity) []uint16 {
	var further []uint16
	for _, q := range amounts {
		further = append(further, uint16(q))
	}
	return further
}

func (d Deal) workload() []byte {
	if d.Workload == [32]byte{} {
		return nil
	}
	return d.Workload[:]
}

// receipt states the deal; manifest and time are the provider's to add.
func (d Deal) receipt() Receipt {
	return Receipt{
		SID: d.SID[:], Lease: d.Lease[:], Provider: d.Provider, Requester: d.Requester, Class: d.Class.String(),
		Quantity: uint16(d.Quantity), Price: uint32(d.Price), Seconds: uint64(d.Duration / time.Second),
		Policy: d.Policy, Workload: d.workload(), Further: furtherOf(d.Further),
	}
}

// ConfirmLease tells a provider that its grant is stored, with the requester's
// signature under the receipt. A *RefusedError says that it came too late.
func ConfirmLease(ctx context.Context, link Opener, id market.LeaseID, signature []byte) error {
	r, err := settled(ctx, link, LeaseRequest{Action: Confirm, Lease: id[:], Receipt: signature})
	if err == nil && r.Status != StatusConfirmed {
		err = r.refusal()
	}
	return err
}

// ReleaseLease gives a lease back and waits until it is over. It succeeds if
// nothing of it is left, whoever ended it, and if the provider knows nothing of
// it (any more).
func ReleaseLease(ctx context.Context, link Opener, id market.LeaseID) error {
	r, err := settled(ctx, link, LeaseRequest{Action: Release, Lease: id[:]})
	if err != nil {
		return err
	}
	switch r.Status {
	case StatusGone, StatusFailed, StatusRefused:
		return nil
	}
	return r.refusal()
}

// How often a pending request is repeated, and how long one may take: a provider
// answers within answerWithinPoll.
const (
	pollFirst = 100 * time.Millisecond
	pollLast  = 2 * time.Second
	askWithin = answerWithinPoll + writeWithin
)

// settled repeats a request about a lease until it is not pending any more.
func settled(ctx context.Context, link Opener, req LeaseRequest) (LeaseReply, error) {
	for wait := pollFirst; ; wait = min(2*wait, pollLast) {
		r, err := askLease(ctx, link, req)
		if err != nil || r.Status != StatusPending {
			return r, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return LeaseReply{}, ctx.Err()
		}
	}
}

// askLease sends one request about a lease and reads the reply.
func askLease(ctx context.Context, link Opener, req LeaseRequest) (LeaseReply, error) {
	asking, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	s, err := link.Open(asking, KindLease)
	if err != nil {
		return LeaseReply{}, err
	}
	defer s.Close()
	defer s.Bind(asking)()
	var r LeaseReply
	if err = send(s, req); err == nil {
		err = receive(s, maxReply, &r)
	}
	switch {
	case ctx.Err() != nil:
		return LeaseReply{}, ctx.Err()
	case err != nil:
		return LeaseReply{}, fmt.Errorf("lease %.4x: %w", req.Lease, err)
	}
	return r, nil
}
