package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// Setup is what the parties of a measured match hold from earlier ones.
type Setup string

// The setups. No triples are made ahead in any of them.
const (
	Cold          Setup = "cold"           // nobody holds anything
	RequesterCold Setup = "requester-cold" // providers hold cached sets among themselves
	Warm          Setup = "warm"           // every pair holds them
)

// Setups lists them.
func Setups() []Setup { return []Setup{Cold, RequesterCold, Warm} }

// Bounds of Options.
const (
	MaxRuns = 1000
	MaxRTT  = 2 * time.Second
)

// Options says what to measure. Callers have checked its values.
type Options struct {
	Providers  int              // 1 to placement.MaxProviders
	Policy     string           // one that placement knows
	Circuit    *circuit.Circuit // computed instead of a placement, among as many parties as it has
	Setup      Setup            // of a private match
	RTT        time.Duration    // between any two parties; 0 is what loopback has
	Runs       int              // 1 to MaxRuns
	K          int              // of the OT extension: 4 or 8; 0 is what the round trip suggests
	InTheClear bool             // offers go to the requester unprotected, instead of a match

	Rand io.Reader        // safe for concurrent use
	Now  func() time.Time // monotonic
	Run  func(k int)      // if not nil, told the number of each run, from 1, before it begins
}

// Match measures. It returns when everything that it started has ended, which
// after the end of ctx can take as long as one step of all parties.
//
// Errors are faults of this machine or of ours: there is no other.
func Match(ctx context.Context, o Options) (Report, error) {
	fn, err := o.function()
	if err != nil {
		return Report{}, err
	}
	var samples []sample
	for k := range o.Runs {
		if o.Run != nil {
			o.Run(k + 1)
		}
		s, err := o.run(ctx, fn)
		if err != nil {
			return Report{}, fmt.Errorf("run %d: %w", k+1, err)
		}
		samples = append(samples, s)
	}
	return o.report(samples), nil
}

// k is that of the OT extension: as a requester chooses it who does not know its
// links' bandwidth, unless the caller has.
func (o Options) k() int {
	if o.K != 0 {
		return o.K
	}
	return int(match.ChooseK(0, runtime.GOMAXPROCS(0), o.RTT))
}

// Figures returns what a match of these options costs a party by its public
// parameters, before anything runs: what memory to reserve follows from it.
func (o Options) Figures() (mpc.Stats, error) {
	fn, err := o.function()
	if err != nil {
		return mpc.Stats{}, err
	}
	t := &trial{fn: fn, k: o.k(), rand: o.Rand}
	p, err := t.party(0, nil, nil, nil)
	if err != nil {
		return mpc.Stats{}, err
	}
	defer p.Abandon()
	return p.Stats(), nil
}

// run is one run: world, sets, match.
func (o Options) run(ctx context.Context, fn mpc.Function) (sample, error) {
	t, err := newTrial(fn, o.Rand)
	if err != nil {
		return sample{}, err
	}
	t.k = o.k()
	var sets []map[int]mpc.WarmPair
	if !o.InTheClear {
		if sets, err = o.Setup.sets(ctx, t); err != nil {
			return sample{}, fmt.Errorf("cached sets: %w", err)
		}
	}
	began := o.Now()
	w, err := newWorld(ctx, fn.Parties(), o.RTT, o.Rand)
	if err != nil {
		return sample{}, fmt.Errorf("connect: %w", err)
	}
	defer w.close()
	connect := o.Now().Sub(began)
	if err = t.renew(w.sites[0].key); err != nil {
		return sample{}, err
	}
	runtime.GC() // what the sets and the handshakes left is not the match's to clear
	cpu := cpuTime()
	var s sample
	if o.InTheClear {
		s, err = t.playInTheClear(ctx, w, o.Now)
	} else {
		s, err = t.play(ctx, w, sets, o.Now)
	}
	if err != nil {
		return sample{}, err
	}
	s.cpu, s.connect = cpuTime()-cpu, connect
	return s, nil
}

// errWrong is a run whose outputs are not those of its circuit.
var errWrong = errors.New("bench: the parties' outputs are not what the circuit gives")
