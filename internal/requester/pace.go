package requester

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/durable"
)

// Shape is what the time of a match depends on.
type Shape struct {
	Parties int           // the requester and the providers
	ANDs    int           // of the placement circuit
	RTT     time.Duration // the longest between the requester and a provider
	Strange int           // providers with whom no spare set is held
}

// What a match takes: a number of round trips, and computing that grows with the
// peers of a party. The constants are of one core of a server of 2024 (they
// follow from docs/performance.md); what this machine and its peers are to that
// is learnt.
const (
	roundTrips     = 7.0 // invitation, roster, readiness, and seven flights
	extraFlight    = 0.5 // base transfers, with strangers
	computeFixed   = 5 * time.Millisecond
	computePeer    = time.Millisecond
	computeAND     = 5 * time.Microsecond // a peer
	computeStrange = 6 * time.Millisecond // a peer
)

// Pace predicts how long matches take, and learns from those that happened. The
// model is fixed but for one factor on the computing, so a few matches teach it;
// its file is a few numbers that say nothing about any request. The methods may
// be called at once.
type Pace struct {
	path string // "": not kept

	mu    sync.Mutex
	state paceState
}

type paceState struct {
	Factor  float64 `json:"factor"`  // computing, of this machine and its peers, by the model's
	Matches int     `json:"matches"` // that it was learnt from
}

// Bounds of the factor, and how much the latest match counts.
const (
	slowest, fastest = 100.0, 0.02
	latest           = 0.25
)

// OpenPace reads what was learnt so far from path; "" keeps nothing. A file that
// is missing or damaged is a new beginning; damage is reported beside it.
func OpenPace(path string) (*Pace, error) {
	p := &Pace{path: path, state: paceState{Factor: 1}}
	if path == "" {
		return p, nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	var s paceState
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err == nil && !(s.Factor >= fastest && s.Factor <= slowest && s.Matches >= 0) { // not NaN either
		err = errors.New("out of range")
	}
	if err != nil {
		return p, fmt.Errorf("pace of matches in %s: %w", path, err)
	}
	p.state = s
	return p, nil
}

// Predict says how long a match takes, from its invitations to its result.
func (p *Pace) Predict(s Shape) time.Duration {
	if p == nil {
		return s.waiting() + s.computing()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.waiting() + time.Duration(p.state.Factor*float64(s.computing()))
}

// Learn takes what a match took. What cannot be written is returned; it is
// learnt nevertheless.
func (p *Pace) Learn(s Shape, took time.Duration) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := float64(took-s.waiting()) / float64(s.computing())
	seen = min(max(seen, fastest), slowest)
	weight := max(latest, 1/float64(p.state.Matches+1)) // the first ones count alike
	p.state.Factor = math.Exp((1-weight)*math.Log(p.state.Factor) + weight*math.Log(seen))
	p.state.Factor = min(max(p.state.Factor, fastest), slowest)
	p.state.Matches++
	if p.path == "" {
		return nil
	}
	raw, err := json.Marshal(p.state)
	if err != nil {
		return err
	}
	return durable.Replace(p.path, append(raw, '\n'))
}

// trips is how often a signal travels to and fro.
func (s Shape) trips() float64 {
	if s.Strange > 0 {
		return roundTrips + extraFlight
	}
	return roundTrips
}

// waiting is the time for signals to travel.
func (s Shape) waiting() time.Duration { return time.Duration(s.trips() * float64(s.RTT)) }

// computing is the time that a party computes.
func (s Shape) computing() time.Duration {
	peers := time.Duration(max(s.Parties-1, 1))
	return computeFixed + peers*(computePeer+time.Duration(s.ANDs)*computeAND) + time.Duration(s.Strange)*computeStrange
}
