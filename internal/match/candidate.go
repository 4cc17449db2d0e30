package match

import (
	"context"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
)

// Candidate is a provider that proved its identity and showed its own signed
// record.
type Candidate struct {
	Link   *mesh.Link
	Record identity.Record
}

// Meet asks whoever is at the other end of a link for its record and checks
// it: signed by the identity that the link proves, in date, and certified as an
// operator of the pool (nil: any).
func Meet(ctx context.Context, link *mesh.Link, pool *identity.Pool, now time.Time) (Candidate, error) {
	s, err := link.Open(ctx, KindRecord)
	if err != nil {
		return Candidate{}, err
	}
	defer s.Close()
	defer s.Bind(ctx)()
	raw, err := s.ReadFrame(identity.MaxRecord)
	if err != nil {
		return Candidate{}, fmt.Errorf("record of %s: %w", link.Peer().Short(), err)
	}
	rec, err := checkRecord(raw, link.Peer(), pool, now)
	return Candidate{Link: link, Record: rec}, err
}
