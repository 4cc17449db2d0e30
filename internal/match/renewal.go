package match

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Renewal is a longer term that a provider has promised.
type Renewal struct {
	Total   time.Duration // the whole term, from the grant
	Receipt []byte        // to be signed: SignReceipt
	Signed  []byte        // the provider's signature under it
	Taken   bool          // it was confirmed before
	Void    time.Duration // how long the promise binds, from when it was given
	Record  []byte        // as in Standing
}

// String leaves the receipt out, as does LogValue.
func (r Renewal) String() string { return "renewal" }

// GoString is String: %#v would print the deal.
func (r Renewal) GoString() string { return r.String() }

// LogValue is for log/slog.
func (r Renewal) LogValue() slog.Value { return slog.StringValue(r.String()) }

// PrepareRenewal asks a provider to promise a lease a longer term: total, from
// its grant. The lease of several parts is renewed in all or in none: prepare
// all, store what came back, then confirm all, while the promises bind. Preparing
// the same term again returns the same promise.
//
// last is the receipt of the present term, which the new one must follow. Errors:
// *RefusedError, of StatusDenied if the lease goes on but is not renewed;
// *LieError for a receipt that says something else; the context's and the link's.
func PrepareRenewal(ctx context.Context, link Opener, d Deal, last []byte, total time.Duration, now func() time.Time) (Renewal, error) {
	r, err := settled(ctx, link, LeaseRequest{Action: Prepare, Lease: d.Lease[:], Seconds: seconds(total)})
	switch {
	case err != nil:
		return Renewal{}, err
	case r.Status != StatusPrepared:
		return Renewal{}, r.refusal()
	}
	before, err := ReadReceipt(last)
	if err != nil {
		return Renewal{}, err
	}
	got, err := OpenReceipt(r.Receipt, r.Signed, d.Provider)
	if err != nil {
		return Renewal{}, &LieError{Err: fmt.Errorf("%w: %w", ErrReceipt, err)}
	}
	if got.Seconds != seconds(total) || !got.follows(before, last) {
		return Renewal{}, &LieError{Err: ErrReceipt}
	}
	return Renewal{
		Total: total, Receipt: r.Receipt, Signed: r.Signed, Taken: r.Void == 0, Record: d.fresh(r, now()),
		Void: time.Duration(min(r.Void, uint64(time.Hour/time.Second))) * time.Second,
	}, nil
}

// ConfirmRenewal takes a promise, with the requester's signature under its
// receipt. It may be repeated. A *RefusedError of StatusDenied says that the
// promise binds no more and that the lease ends as it would have.
func ConfirmRenewal(ctx context.Context, link Opener, d Deal, r Renewal, signature []byte) error {
	answer, err := settled(ctx, link, LeaseRequest{Action: Renew, Lease: d.Lease[:], Seconds: seconds(r.Total), Receipt: signature})
	if err == nil && answer.Status != StatusRenewed {
		err = answer.refusal()
	}
	return err
}
