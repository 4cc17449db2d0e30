package match

import (
	"time"

	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
)

// OverStreams is the network that a match computes over, for streams that are
// open already: one to each other party by index, nil at the own place. silence
// is how long nothing may move on any of them. The streams stay the caller's to
// end.
func OverStreams(streams []*mesh.Stream, silence time.Duration) mpc.Network {
	n := newNetwork(len(streams), silence)
	copy(n.peers, streams)
	return n
}
