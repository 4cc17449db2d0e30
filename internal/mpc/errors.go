package mpc

import (
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// AbortError ends a match by a fault of somebody else: a message that is
// missing, malformed or fails a check. A local fault (randomness, Inputs,
// Decide, Sign, a cancelled context) is an ordinary error.
type AbortError struct {
	Peer   int // who is at fault; −1 if that cannot be told
	Flight int // the flight whose messages were wrong
	Err    error
}

// Error says what failed. It contains no secret.
func (e *AbortError) Error() string {
	if e.Peer < 0 {
		return fmt.Sprintf("match aborted at flight %d: %v", e.Flight, e.Err)
	}
	return fmt.Sprintf("match aborted at flight %d by party %d: %v", e.Flight, e.Peer, e.Err)
}

// Unwrap gives the cause.
func (e *AbortError) Unwrap() error { return e.Err }

// ErrEnded is returned by a step of a party that has failed or finished.
var ErrEnded = errors.New("the match has ended")

// unknown stands for the peer where nobody can be blamed.
const unknown = -1

// ofSets leaves the peer out of an extension that does not fit, if its base OTs were cached:
// the two ends may hold different halves, and which of them is wrong, neither can tell.
// Such a set is used up, and the next match of the two starts cold.
func (p *Party) ofSets(err error) error {
	abort, ok := errors.AsType[*AbortError](err)
	if ok && abort.Peer >= 0 && !p.fresh[abort.Peer] && (errors.Is(err, ot.ErrCheck) || errors.Is(err, auth.ErrHash)) {
		return p.abort(unknown, abort.Err)
	}
	return err
}

func (p *Party) abort(peer int, err error) error {
	return &AbortError{Peer: peer, Flight: p.received, Err: err}
}

func (p *Party) abortf(peer int, format string, args ...any) error {
	return p.abort(peer, fmt.Errorf(format, args...))
}
