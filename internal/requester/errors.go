package requester

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// How a request can end without a lease. The command line gives each an exit
// code.
var (
	ErrNoFit    = errors.New("no offer fits")
	ErrDeadline = errors.New("the deadline passed before there was a result")
	ErrAborted  = errors.New("the match was aborted")
)

// TooFewError says that too few providers were found, or agreed to take part.
type TooFewError struct {
	Found  int // that take part
	Busy   int // that were found, and did not accept: they serve others, or nobody like us
	Wanted int

	Far     int   // that were found beyond the longest round trip
	Outside int   // that were found outside the region, or do not say where they are
	Other   int   // that were found and take part in matches of other policies alone
	Apart   int   // that were found and have no address, IPv4 or IPv6, at which the others can connect to them
	Foreign int   // that were found and speak other versions of the protocol alone
	Search  error // what kept us from looking further; may be nil
}

func (e *TooFewError) Unwrap() error { return e.Search }

func (e *TooFewError) Error() string {
	taking := fmt.Sprintf("%d providers for this class take part", e.Found)
	if e.Found == 1 {
		taking = "1 provider for this class takes part"
	}
	if e.Busy > 0 {
		taking += fmt.Sprintf(", %d found are busy or decline", e.Busy)
	}
	if e.Far > 0 {
		taking += fmt.Sprintf(", %d found beyond --max-rtt", e.Far)
	}
	if e.Outside > 0 {
		taking += fmt.Sprintf(", %d found outside --region", e.Outside)
	}
	if e.Other > 0 {
		taking += fmt.Sprintf(", %d found take part in other policies alone", e.Other)
	}
	if e.Apart > 0 {
		taking += fmt.Sprintf(", %d found have addresses of the other family (IPv4, IPv6) alone", e.Apart)
	}
	if e.Foreign > 0 {
		taking += fmt.Sprintf(", %d found speak another version of the protocol (this program speaks %d: use the same release as they)", e.Foreign, match.Version)
	}
	if e.Search != nil {
		taking += fmt.Sprintf(", and looking for more failed (%v)", e.Search)
	}
	return fmt.Sprintf("%s; --min-providers asks for %d", taking, e.Wanted)
}

// PolicyError says that providers of the class were found, and that none of them
// takes part in matches of this policy.
type PolicyError struct {
	Policy string
	Known  []string // those in which they do, sorted
}

func (e *PolicyError) Error() string {
	text := fmt.Sprintf("no provider of this class takes part in matches of policy %s; those found take part in %s", e.Policy, strings.Join(e.Known, ", "))
	if e.Handicap() {
		text += ", with handicaps only where that is said"
	}
	return text
}

// Handicap says whether the policy has handicaps, which providers enter only if their
// offer says so.
func (e *PolicyError) Handicap() bool {
	_, parameters := market.PolicyParts(e.Policy)
	return slices.Contains(parameters, "handicap")
}

// ProvisionError says that winners did not hand over usable namespaces.
type ProvisionError struct {
	Reason    string            // of the first, in words for people
	Err       error             // may be nil
	Providers []identity.PeerID // that failed
	Winners   int               // that there were
}

func (e *ProvisionError) Error() string {
	text := "the winner did not provision: "
	if e.Winners > 1 {
		text = fmt.Sprintf("%d of %d winners did not provision: ", len(e.Providers), e.Winners)
	}
	if e.Err != nil {
		return fmt.Sprintf("%s%s: %v", text, e.Reason, e.Err)
	}
	return text + e.Reason
}

func (e *ProvisionError) Unwrap() error { return e.Err }
