package identity

import (
	"errors"

	"github.com/angler-dex/angler/internal/wire"
)

// What can be wrong with a statement that a peer shows. The errors that this
// package returns wrap these and say whose statement it is and what to do.
var (
	// ErrMalformed: the bytes are not what they should be: not the format, not
	// canonical, over a cap, or with a field out of its range.
	ErrMalformed = wire.ErrMalformed
	// ErrNotSigned: no valid signature, or none of a key that may sign it.
	ErrNotSigned = errors.New("not signed by a key that may sign it")
	// ErrExpired: the end of the validity period, plus Skew, has passed.
	ErrExpired = errors.New("expired")
	// ErrNotYetValid: the validity period begins later than now plus Skew.
	ErrNotYetValid = errors.New("not valid yet")
	// ErrWrongPool: a membership of another pool.
	ErrWrongPool = errors.New("membership of another pool")
	// ErrWrongMember: a membership of another peer.
	ErrWrongMember = errors.New("membership of another peer")
	// ErrWrongRole: a membership in another role.
	ErrWrongRole = errors.New("membership in another role")
	// ErrKeyMode: others than its owner may read or replace a key file.
	ErrKeyMode = errors.New("key file is open to other users")
)
