package requester

import (
	"time"

	"github.com/angler-dex/angler/internal/durable"
)

// Tamper has around stand between the store and the disk: it is told of every
// write, and does it or not.
func (s *Store) Tamper(around func(write func() error) error) {
	s.replace = func(path string, data []byte) error {
		return around(func() error { return durable.Replace(path, data) })
	}
}

// AskWithin sets how long a provider may put off what it is asked.
func AskWithin(d time.Duration) (restore func()) {
	before := asking.within
	asking.within = d
	return func() { asking.within = before }
}
