package mpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestRun: the driver over the network in memory, cold.
func TestRun(t *testing.T) {
	m := &trial{name: "run", fn: mpctest.Auction{Providers: 2, PriceBits: 3, QuantityBits: 2}, k: 8, workers: 1}
	parties := runAll(t, m)
	requireRight(t, parties, nil, m.inputs)
	for i, p := range parties {
		if p.Transcript() != parties[0].Transcript() {
			t.Errorf("party %d has another transcript", i)
		}
	}
	if s := parties[0].Stats(); s.Flights(0) != 8 || parties[1].Stats().Flights(1) != 9 || s.BytesSent() == 0 || s.ANDs == 0 {
		t.Errorf("stats %+v", s)
	}
}

// silent is a network that stops for good when a number of bytes has come.
type silent struct {
	Network
	left int
	err  error
}

func (s *silent) Recv(ctx context.Context, from int, buf []byte) error {
	if s.left -= len(buf); s.left < 0 {
		if s.err != nil {
			return s.err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Network.Recv(ctx, from, buf)
}

// TestRunLeavesNothing: cancelled or failed at any flight, Run ends all that it
// started (synctest fails if a goroutine is left), and the party keeps nothing.
func TestRunLeavesNothing(t *testing.T) {
	m := &trial{name: "leave", fn: mpctest.RandomFunction(1, 2, 9, 8, 2)}
	total := runAll(t, &trial{name: "leave", fn: m.fn, sets: dealt("leave", 0, 2)})[1].Stats().BytesReceived()
	errLink := errors.New("link down")
	for _, fault := range []error{nil, errLink} {
		for step := range 8 {
			synctest.Test(t, func(t *testing.T) {
				m.sets = dealt("leave", 0, 2)
				parties, nets := m.start(t), NewLocal(2)
				nets[1] = &silent{nets[1], total * step / 8, fault}
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				errs := make(chan error, 1)
				other := make(chan error, 1)
				go func() { other <- Run(ctx, parties[0], nets[0]) }()
				go func() { errs <- Run(ctx, parties[1], nets[1]) }()
				synctest.Wait() // everything that can happen has
				if fault == nil {
					cancel()
				}
				err := <-errs
				cancel()
				<-other //nolint:errcheck // its own end is tested elsewhere
				var abort *AbortError
				switch {
				case fault == nil && (!errors.Is(err, context.Canceled) || errors.As(err, &abort)):
					t.Errorf("step %d: cancelled: %v", step, err)
				case fault != nil && (!errors.Is(err, errLink) || !errors.As(err, &abort) || abort.Peer != 0):
					t.Errorf("step %d: link down: %v", step, err)
				}
				if _, ok := parties[1].Outputs(); ok || parties[1].Minted() != nil {
					t.Errorf("step %d: results after a failure", step)
				}
				requireWiped(t, parties[1])
				requireBurnt(t, m.sets[1])
				if err := parties[1].Step(nil, nil); !errors.Is(err, ErrEnded) {
					t.Errorf("step %d: a step after the end: %v", step, err)
				}
			})
		}
	}
}

// TestAbandoned: a party that is given up before its first step burns its sets.
func TestAbandoned(t *testing.T) {
	m := &trial{name: "abandoned", fn: mpctest.RandomFunction(1, 2, 9, 8, 2), sets: dealt("abandoned", 0, 2)}
	for i, p := range m.start(t) {
		p.Abandon()
		requireBurnt(t, m.sets[i])
		if err := p.Step(nil, nil); !errors.Is(err, ErrEnded) || p.Expect() != nil {
			t.Errorf("party %d: a step after the end: %v", i, err)
		}
	}
}

// TestProgress: each flight is told, once, in order.
func TestProgress(t *testing.T) {
	m := &trial{name: "progress", fn: mpctest.RandomFunction(1, 2, 9, 8, 2), sets: dealt("progress", 0, 2)}
	parties := m.start(t)
	told := make([][]int, 2)
	for i, p := range parties {
		p.cfg.Progress = func(flight int) { told[i] = append(told[i], flight) }
	}
	mpctest.Drive([]mpctest.Machine{parties[0], parties[1]}, nil)
	for i := range told {
		if !slices.Equal(told[i], []int{1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("party %d: %v", i, told[i])
		}
	}
}

// TestUnreached: in F9 a party that cannot be reached loses its outputs, nobody
// else does.
func TestUnreached(t *testing.T) {
	m := &trial{name: "unreached", fn: mpctest.RandomFunction(1, 3, 9, 8, 2), sets: dealt("unreached", 0, 3)}
	parties := m.start(t)
	machines := make([]mpctest.Machine, 3)
	for i, p := range parties {
		machines[i] = deaf{p}
	}
	mpctest.Drive(machines, nil)
	for i, p := range parties {
		out, ok := p.Outputs()
		if ok != (i != 2) {
			t.Fatalf("party %d: outputs %v", i, ok)
		}
		if i == 2 {
			continue
		}
		if want := wanted(t, p.circuit, m.inputs, i); !slices.Equal(out, want) || !slices.Equal(p.Unreached(), []int{2}) {
			t.Errorf("party %d: outputs %v, want %v; unreached %v", i, out, want, p.Unreached())
		}
	}
}

// plugged is a network over which nothing goes to party 1 from a flight on.
type plugged struct {
	Network
	flight int
	sid    [32]byte
	at     int // the flight that is being sent to party 1
}

func (p *plugged) Send(ctx context.Context, to int, chunk []byte) error {
	if to == 1 && bytes.HasPrefix(chunk, p.sid[:]) { // else it goes on with a frame
		p.at = int(chunk[32])
	}
	if to == 1 && p.at >= p.flight {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.Network.Send(ctx, to, chunk)
}

// TestPeerThatDoesNotRead: it holds up nothing that goes to others, in any
// flight, though it comes before them; and it loses its own outputs alone if
// it is the last flight.
func TestPeerThatDoesNotRead(t *testing.T) {
	for _, flight := range []int{2, 3, 9} {
		synctest.Test(t, func(t *testing.T) {
			m := &trial{name: "plugged", fn: mpctest.RandomFunction(1, 3, 9, 8, 2), sets: dealt("plugged", 0, 3)}
			parties, nets := m.start(t), NewLocal(3)
			nets[0] = &plugged{Network: nets[0], flight: flight, sid: parties[0].sid}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			errs := make([]error, 3)
			var wg sync.WaitGroup
			for i, p := range parties {
				wg.Go(func() { errs[i] = Run(ctx, p, nets[i]) })
			}
			synctest.Wait() // everything that can happen has
			if got := parties[2].flight; got <= flight {
				t.Errorf("F%d to party 1 held up party 2, which has made F%d", flight, got)
			}
			if _, ok := parties[2].Outputs(); ok != (flight == 9) {
				t.Errorf("F%d: outputs of party 2: %v", flight, ok)
			}
			cancel()
			wg.Wait()
			if flight == 9 {
				if errs[0] != nil || errs[2] != nil || errs[1] == nil || !slices.Equal(parties[0].Unreached(), []int{1}) {
					t.Errorf("errors %v, unreached %v", errs, parties[0].Unreached())
				}
			}
		})
	}
}

// deaf is a party that cannot send to party 2 in F9.
type deaf struct{ *Party }

func (d deaf) Step(in [][]byte, emit func(to int, chunk []byte) error) error {
	return d.Party.Step(in, func(to int, chunk []byte) error {
		if to == 2 && d.flight == lastFlight {
			return errors.New("gone")
		}
		return emit(to, chunk)
	})
}

// TestLocalFaults: what fails on one's own side is no abort by a peer, and
// wipes as well.
func TestLocalFaults(t *testing.T) {
	errOwn := errors.New("own fault")
	fn := mpctest.RandomFunction(1, 2, 9, 8, 2)
	for name, spoil := range map[string]func(c *Config){
		"inputs":     func(c *Config) { c.Inputs = func() ([]bool, error) { return nil, errOwn } },
		"decide":     func(c *Config) { c.Decide = func([]bool) error { return errOwn } },
		"randomness": func(c *Config) { c.Rand = io.MultiReader(io.LimitReader(c.Rand, 700), failing{errOwn}) },
		"few inputs": func(c *Config) { c.Inputs = func() ([]bool, error) { return make([]bool, 1), nil } },
	} {
		for self := range 2 {
			m := &trial{name: "local", fn: fn, sets: dealt("local", 0, 2)}
			parties := m.start(t)
			spoil(&parties[self].cfg)
			res := mpctest.Drive([]mpctest.Machine{parties[0], parties[1]}, nil)
			var abort *AbortError
			if err := res.Errors[self]; err == nil || errors.As(err, &abort) || name != "few inputs" && !errors.Is(err, errOwn) {
				t.Errorf("%s, party %d: %v", name, self, err)
			}
			if _, ok := parties[self].Outputs(); ok {
				t.Errorf("%s, party %d: outputs after a failure", name, self)
			}
			requireWiped(t, parties[self])
		}
	}
}

// TestDecidedStands: what Decide has taken is never taken back. If party 0
// cannot sign, or has no noise for the losers, it is not asked.
func TestDecidedStands(t *testing.T) {
	errOwn := errors.New("own fault")
	fn := mpctest.Auction{Providers: 2, PriceBits: 3, QuantityBits: 2}
	for name, spoil := range map[string]func(c *Config){
		"signature":       func(c *Config) { c.Sign = func([]byte) ([]byte, error) { return nil, errOwn } },
		"short signature": func(c *Config) { c.Sign = func([]byte) ([]byte, error) { return make([]byte, 63), nil } },
		"noise": func(c *Config) {
			sign := c.Sign
			c.Sign = func(msg []byte) ([]byte, error) {
				c.Rand = failing{errOwn}
				return sign(msg)
			}
		},
	} {
		decided := false
		m := &trial{name: "decided", fn: fn, sets: dealt("decided", 0, 3), inputs: [][]bool{
			{true, false, true, true, true}, // one unit for 7 at most
			{true, false, false, true, false}, {false, true, false, true, false},
		}}
		parties := m.start(t)
		p := parties[0]
		p.cfg.Decide = func([]bool) error { decided = true; return nil }
		spoil(&p.cfg)
		machines := []mpctest.Machine{p, parties[1], parties[2]}
		if res := mpctest.Drive(machines, nil); res.Errors[0] == nil {
			t.Fatalf("%s: no error", name)
		}
		if _, ok := p.Outputs(); ok || decided {
			t.Errorf("%s: failed, outputs %v, decided %v", name, ok, decided)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestTooLarge: a circuit whose bits no extension carries is an error, not a
// panic in the midst of a match.
func TestTooLarge(t *testing.T) {
	fits := auth.Shape{Leaky: 3 << 20, ANDs: 1 << 20}
	if err := checkRows([]auth.Shape{fits, fits}); err != nil {
		t.Error(err)
	}
	large := auth.Shape{Leaky: 3 << 25, ANDs: 1 << 23}
	if err := checkRows([]auth.Shape{fits, large}); err == nil {
		t.Errorf("%d rows accepted", large.Rows())
	}
}

// TestConfig: what cannot be run is refused before anything is drawn.
func TestConfig(t *testing.T) {
	good := func() Config {
		return Config{Self: 1, N: 2, Function: mpctest.RandomFunction(1, 2, 9, 8, 2), Rand: failing{io.EOF},
			Inputs: func() ([]bool, error) { return nil, nil }, Verify: func(_, _ []byte) bool { return false }}
	}
	if _, err := New(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(c *Config){
		"one party":        func(c *Config) { c.N = 1 },
		"too many":         func(c *Config) { c.N = MaxParties + 1 },
		"self":             func(c *Config) { c.Self = 2 },
		"no function":      func(c *Config) { c.Function = nil },
		"no randomness":    func(c *Config) { c.Rand = nil },
		"no inputs":        func(c *Config) { c.Inputs = nil },
		"other parties":    func(c *Config) { c.N = 3 },
		"no verification":  func(c *Config) { c.Verify = nil },
		"no signature":     func(c *Config) { c.Self = 0 },
		"k":                func(c *Config) { c.K = 3 },
		"a set of nobody":  func(c *Config) { c.Warm = map[int]WarmPair{2: {}} },
		"a set of oneself": func(c *Config) { c.Warm = map[int]WarmPair{1: {}} },
	} {
		c := good()
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
