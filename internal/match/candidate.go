package match

import (
	"context"
	"errors"
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
// operator of the pool (nil: any). ctx bounds it.
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
	if err != nil {
		return Candidate{}, err
	}
	return Candidate{Link: link, Record: rec}, nil
}

// Why a record is not acceptable, beside the errors of package identity.
var (
	errOtherRecord  = errors.New("record is of another identity")
	errNoMembership = errors.New("record has no membership of the pool")
)

// checkRecord opens a provider's record and, in a pool, its membership.
func checkRecord(raw []byte, id identity.PeerID, pool *identity.Pool, now time.Time) (identity.Record, error) {
	rec, err := identity.OpenRecord(raw, now)
	if err == nil && rec.ID != id {
		err = errOtherRecord
	}
	if err == nil {
		err = checkMember(rec, pool, now)
	}
	if err != nil {
		return identity.Record{}, err
	}
	return rec, nil
}

// checkMember wants a record's owner to be an operator of a pool, if there is one.
func checkMember(rec identity.Record, pool *identity.Pool, now time.Time) error {
	switch {
	case pool == nil:
		return nil
	case rec.Membership == nil:
		return errNoMembership
	}
	return pool.Verify(*rec.Membership, rec.ID, identity.RoleOperator, now)
}
