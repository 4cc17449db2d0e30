package identity

import (
	"fmt"
	"time"
)

// Skew is how far a peer's clock may be off from ours.
const Skew = 5 * time.Minute

// sealed is a signed statement as it travels: the exact bytes that were signed,
// and the signature.
type sealed struct {
	Body      []byte `cbor:"1,keyasint"`
	Signature []byte `cbor:"2,keyasint"`
}

// lastSecond is the last second of the year 9999, after which RFC 3339 has no
// text for a time.
const lastSecond = 253402300799

// wireTime returns the time of a second that travelled.
func wireTime(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// checkPeriod refuses a period that is empty, reversed, or out of the years
// 1970 to 9999, and times that are not whole seconds of UTC.
func checkPeriod(from, to time.Time) error {
	for _, t := range []time.Time{from, to} {
		if s := t.Unix(); s < 0 || s > lastSecond || t != wireTime(s) {
			return fmt.Errorf("%w: a time is not a whole second of UTC", ErrMalformed)
		}
	}
	if !from.Before(to) {
		return fmt.Errorf("%w: the validity period is empty", ErrMalformed)
	}
	return nil
}

// checkNow tells whether now is in the period, give or take Skew.
func checkNow(from, to, now time.Time) error {
	if now.Before(from.Add(-Skew)) {
		return fmt.Errorf("%w: it begins at %s, and the clock here says %s", ErrNotYetValid, from.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if now.After(to.Add(Skew)) {
		return fmt.Errorf("%w at %s (the clock here says %s)", ErrExpired, to.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// printable tells whether text is 1 to max characters of printable ASCII with
// no space at either end.
func printable(text string, max int) bool {
	if text == "" || len(text) > max || text[0] == ' ' || text[len(text)-1] == ' ' {
		return false
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
