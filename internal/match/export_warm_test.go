package match

import (
	"context"

	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/spare"
)

// NameSet opens a session over a stream, as party 0, and returns the set that
// both ends then have.
func NameSet(ctx context.Context, s *mesh.Stream, store *spare.Store) (spare.Set, error) {
	set, err := openSession(ctx, s, [32]byte{}, 0, store)
	if err != nil {
		return spare.Set{}, err
	}
	return agreed(ctx, s, set)
}

// SessionHeader is the length of what opens a session stream.
const SessionHeader = sessionHeader
