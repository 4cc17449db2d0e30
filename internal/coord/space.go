package coord

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/serf/coordinate"

	"github.com/angler-dex/angler/internal/durable"
)

// maxPeers bounds the peers of whom samples are kept for the median filter.
const maxPeers = 1024

// Space is a node's own place among the others. Its methods may be called at
// once.
type Space struct {
	mu     sync.Mutex
	client *coordinate.Client
	peers  []string // with samples in client, oldest first
	known  map[string]bool
}

// New begins at the origin.
func New() *Space {
	client, err := coordinate.NewClient(coordinate.DefaultConfig())
	if err != nil {
		panic("coord: " + err.Error()) // the defaults are valid
	}
	return &Space{client: client, known: map[string]bool{}}
}

// Load continues where Save left off. A file that is missing is a new
// beginning; one that is damaged is too, and is reported beside it.
func Load(path string) (*Space, error) {
	s := New()
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("network coordinate: %w", err)
	}
	c, err := Parse(raw)
	if err != nil {
		return s, fmt.Errorf("network coordinate in %s: %w", path, err)
	}
	return s, s.client.SetCoordinate(c.inSeconds())
}

// Save writes the coordinate, atomically and with mode 0600.
func (s *Space) Save(path string) error {
	if err := durable.Replace(path, s.Here().Append(nil)); err != nil {
		return fmt.Errorf("network coordinate: %w", err)
	}
	return nil
}

// Here is this node's coordinate.
func (s *Space) Here() Coordinate {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := rounded(s.client.GetCoordinate())
	if !ok {
		return Coordinate{} // the next samples bring it back
	}
	return c
}

// Estimate is the round-trip time to expect to a node.
func (s *Space) Estimate(at Coordinate) time.Duration { return s.Here().Distance(at) }

// Observe takes a round trip to a peer that says that it is at a place. Of each
// peer the median of its last samples counts. The error wraps ErrCoordinate, for
// a round-trip time that none on Earth has.
func (s *Space) Observe(peer string, at Coordinate, rtt time.Duration) error {
	if rtt <= 0 || rtt > farthest {
		return fmt.Errorf("%w: a round trip of %v", ErrCoordinate, rtt)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.known[peer] {
		if len(s.peers) == maxPeers {
			s.client.ForgetNode(s.peers[0])
			delete(s.known, s.peers[0])
			s.peers = s.peers[1:]
		}
		s.peers, s.known[peer] = append(s.peers, peer), true
	}
	if _, err := s.client.Update(peer, at.inSeconds(), rtt); err != nil {
		return fmt.Errorf("%w: %w", ErrCoordinate, err)
	}
	return nil
}
