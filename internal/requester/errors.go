package requester

import (
	"errors"
	"fmt"
)

// How a request can end without a lease. The command line gives each an exit
// code.
var (
	ErrNoFit    = errors.New("no offer fits")
	ErrDeadline = errors.New("the deadline passed before there was a result")
	ErrAborted  = errors.New("the match was aborted")
)

// TooFewError says that too few providers were found, or agreed to take part.
type TooFewError struct{ Found, Wanted int }

func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d providers for this class take part, --min-providers asks for %d", e.Found, e.Wanted)
}

// ProvisionError says that a winner did not hand over a usable namespace.
type ProvisionError struct {
	Reason string // in words for people
	Err    error  // may be nil
}

func (e *ProvisionError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("the winner did not provision: %s: %v", e.Reason, e.Err)
	}
	return "the winner did not provision: " + e.Reason
}

func (e *ProvisionError) Unwrap() error { return e.Err }
