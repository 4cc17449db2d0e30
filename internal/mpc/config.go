package mpc

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/angler-dex/angler/internal/mpc/auth"
)

// MaxParties bounds n.
const MaxParties = 128

// SignatureSize is the length of party 0's signature, and of the noise that
// stands in its place.
const SignatureSize = 64

// WarmPair is what a cached set is for one peer: Sender holds both seeds of
// each base OT, Receiver choice bits and the chosen seeds. Either may be nil;
// both ends must agree about which are there. A set serves one match: New takes
// it over, and its contents are wiped with the match's other secrets.
type WarmPair = auth.Base

// Config is one party's view of a match to be run.
type Config struct {
	SID    [32]byte // session id: hash of everything that the parties agreed on
	Roster [32]byte // hash of the identities in party order
	Self   int
	N      int
	K      int // SoftSpoken's k: 2, 4 or 8; 0 is 4, the least work

	Function Function
	Rand     io.Reader // cryptographically secure; everything else is deterministic
	Workers  int       // goroutines a step may use; 0 is one a processor

	// Inputs gives the party's input bits. It is called once, in the step that
	// emits F5, after every earlier check has passed: there inputs bind.
	Inputs func() ([]bool, error)
	// Decide takes the verified outputs: at party 0 before F9 leaves, at a
	// provider after F9 has been verified. An error aborts the match; once it has
	// returned nil the match stands: all that could still fail has been done. It
	// may be nil.
	Decide func(outputs []bool) error
	// Sign is party 0's signature over a claim. Party 0 only.
	Sign func(msg []byte) ([]byte, error)
	// Verify verifies it. Providers only.
	Verify func(msg, sig []byte) bool

	// Progress, if not nil, is told the number of each flight once it has been
	// made, from the goroutine that steps.
	Progress func(flight int)

	Warm map[int]WarmPair // cached base OTs by peer
}

func (c *Config) check() error {
	switch {
	case c.N < 2 || c.N > MaxParties:
		return fmt.Errorf("mpc: %d parties, not 2 to %d", c.N, MaxParties)
	case c.Self < 0 || c.Self >= c.N:
		return fmt.Errorf("mpc: party %d of %d", c.Self, c.N)
	case c.Function == nil || c.Rand == nil || c.Inputs == nil:
		return errors.New("mpc: function, randomness or inputs missing")
	case c.Function.Parties() != c.N:
		return fmt.Errorf("mpc: a function for %d parties among %d", c.Function.Parties(), c.N)
	case c.Self == 0 && c.Sign == nil:
		return errors.New("mpc: party 0 cannot sign")
	case c.Self != 0 && c.Verify == nil:
		return errors.New("mpc: a provider cannot verify party 0's signature")
	}
	if c.K == 0 {
		c.K = 4
	}
	if c.K != 2 && c.K != 4 && c.K != 8 {
		return fmt.Errorf("mpc: k = %d, not 2, 4 or 8", c.K)
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	for j := range c.Warm {
		if j < 0 || j >= c.N || j == c.Self {
			return fmt.Errorf("mpc: cached base transfers with party %d", j)
		}
	}
	return nil
}
