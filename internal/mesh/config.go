package mesh

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// Config says who a node is and what it allows. Zero limits mean the defaults
// below. The memory that hostile peers can make a node hold is at most
// MaxLinks × StreamWindow/2 + WindowBudget, plus some 50 KiB a link.
type Config struct {
	// Key is this node's identity.
	Key *identity.Key
	// Conn is the socket to use, which the node then owns and closes; a
	// *net.UDPConn is by far the fastest. If it is nil, Listen binds Addr.
	Conn net.PacketConn
	// Addr is the host:port to bind if Conn is nil; ":0" is any port of both
	// address families.
	Addr string
	// DialOnly makes a node that accepts no connections: requesters need no
	// inbound port. Peers can open streams on the links that it has dialled.
	DialOnly bool
	// Admit decides whether a peer that has dialled and proven its identity may
	// have a link; an error refuses it. It runs concurrently and must not block
	// for long. Nil admits everybody. Peers that this node dials are not asked
	// about.
	Admit func(identity.PeerID, netip.AddrPort) error
	// Rand gives the 16 bytes that tell this instance of the identity from
	// others; nil is crypto/rand. TLS draws its own randomness.
	Rand io.Reader
	// Log is for what an operator may want to know; nil discards it.
	Log *slog.Logger

	// MaxLinks bounds the connections in all (256).
	MaxLinks int
	// MaxLinksPerPrefix bounds the accepted connections from one IPv4 /24 or
	// IPv6 /48 (32). Loopback addresses are not counted.
	MaxLinksPerPrefix int
	// MaxLinksPerPeer bounds the accepted connections of one identity (8).
	MaxLinksPerPeer int
	// MaxHandshakes bounds the connections that are being set up from outside
	// (128). Beyond a quarter of them sources must validate their addresses.
	MaxHandshakes int
	// MaxStreams bounds the streams that a peer may have open on a connection,
	// counting those whose handlers still run (64).
	MaxStreams int

	// Handshake bounds the set-up of a connection, from its first packet to the
	// hellos (20 s); half of it without hearing anything ends it early.
	Handshake time.Duration
	// Idle is the silence after which a connection counts as lost (30 s, at
	// least 5 s). Keepalives go out every third of it.
	Idle time.Duration
	// Drain bounds how long a retired connection waits for its streams (5 min).
	Drain time.Duration

	// StreamWindow is how much unread data a stream may have in flight (8 MiB).
	StreamWindow uint64
	// LinkWindow is the same for all streams of a connection together (32 MiB).
	// A connection begins with half a StreamWindow and grows as it is read.
	LinkWindow uint64
	// WindowBudget bounds the growth of all windows together (1 GiB).
	WindowBudget uint64

	// countLoopback subjects loopback addresses to MaxLinksPerPrefix, for tests.
	countLoopback bool
}

// withDefaults returns the config with each zero replaced.
func (c Config) withDefaults() (Config, error) {
	if c.Key == nil {
		return Config{}, errors.New("mesh: no key")
	}
	if c.Idle != 0 && c.Idle < 5*time.Second {
		return Config{}, errors.New("mesh: an idle time under 5 s would lose links to a single lost packet")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	orDefault(&c.MaxLinks, 256)
	orDefault(&c.MaxLinksPerPrefix, 32)
	orDefault(&c.MaxLinksPerPeer, 8)
	orDefault(&c.MaxHandshakes, 128)
	orDefault(&c.MaxStreams, 64)
	orDefault(&c.Handshake, 20*time.Second)
	orDefault(&c.Idle, 30*time.Second)
	orDefault(&c.Drain, 5*time.Minute)
	orDefault(&c.StreamWindow, 8<<20)
	orDefault(&c.LinkWindow, 32<<20)
	orDefault(&c.WindowBudget, 1<<30)
	return c, nil
}

func orDefault[T int | uint64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// quic returns the transport's configuration.
func (c Config) quic(b *budget) *quic.Config {
	return &quic.Config{
		Versions:                       []quic.Version{quic.Version1},
		HandshakeIdleTimeout:           c.Handshake / 2, // quic-go gives the whole handshake twice this
		MaxIdleTimeout:                 c.Idle,
		KeepAlivePeriod:                c.Idle / 3,
		InitialStreamReceiveWindow:     c.StreamWindow,
		MaxStreamReceiveWindow:         c.StreamWindow,
		InitialConnectionReceiveWindow: min(c.StreamWindow/2, c.LinkWindow),
		MaxConnectionReceiveWindow:     max(c.LinkWindow, c.StreamWindow/2),
		AllowConnectionWindowIncrease:  b.grow,
		MaxIncomingStreams:             int64(c.MaxStreams),
		MaxIncomingUniStreams:          1, // the control stream
		// Without this a peer could reset streams and open new ones faster than
		// their handlers return.
		RequireStreamCreditRelease: true,
		Allow0RTT:                  false,
	}
}
