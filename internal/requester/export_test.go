package requester

import "github.com/angler-dex/angler/internal/durable"

// Tamper has around stand between the store and the disk: it is told of every
// write, and does it or not.
func (s *Store) Tamper(around func(write func() error) error) {
	s.replace = func(path string, data []byte) error {
		return around(func() error { return durable.Replace(path, data) })
	}
}
