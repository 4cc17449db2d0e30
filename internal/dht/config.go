package dht

import (
	"cmp"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Config describes a node. Conn is required; zero fields take their defaults.
type Config struct {
	// Conn is the UDP socket (not the QUIC one: both protocols use the same
	// first bytes). Run closes it.
	Conn net.PacketConn
	// Bootstrap are the nodes to join by, as host:port, or Mainline. A
	// non-passive node without any founds a network: it waits for others to come.
	Bootstrap []string
	// Passive nodes ask but do not answer and are not put into others' tables
	// (BEP 43): for short-lived requesters.
	Passive bool
	// Public turns on BEP 42 (a node's id must fit its address) and refuses
	// private addresses from strangers. Private networks leave it off.
	Public bool
	// PublicIP is the address that others see, from which a Public node's id
	// is made. Without it the id follows what most of the nodes that answer say.
	PublicIP netip.Addr
	// TablePath is where the routing table is kept between runs; "" keeps none.
	TablePath string

	// ID is the node's place in the key space; zero: the saved one, else a
	// random one. Only experiments choose it.
	ID Key

	Limits StoreLimits // of the peers stored for others

	// SendRate and SendBurst limit this node's packets a second; defaults 500
	// and 500. Answers beyond it are dropped, questions wait.
	SendRate  float64
	SendBurst int
	// Resend is how long an answer is waited for before the question is sent
	// again, and after the last time before it counts as failed; default 500 ms.
	Resend time.Duration
	// Reannounce is the mean time between announcements of a key by
	// KeepAnnounced; default two fifths of Limits.TTL. Each wait is drawn from
	// ±20 % around it.
	Reannounce time.Duration

	Log  *slog.Logger     // nil: none
	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand; for ids, samples, jitter, and what strangers must not guess
}

func (c Config) withDefaults() (Config, error) {
	if c.Conn == nil {
		return c, errors.New("dht: no socket")
	}
	for _, entry := range c.Bootstrap {
		if err := CheckBootstrap(entry); err != nil {
			return c, fmt.Errorf("dht: %w", err)
		}
	}
	c.mainline()
	c.Limits = c.Limits.withDefaults()
	c.SendRate = cmp.Or(c.SendRate, 500)
	c.SendBurst = cmp.Or(c.SendBurst, 500)
	c.Resend = cmp.Or(c.Resend, 500*time.Millisecond)
	c.Reannounce = cmp.Or(c.Reannounce, c.Limits.TTL*2/5)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = crand.Reader
	}
	return c, nil
}

// dice is a source of randomness for samples, jitter and transaction ids, a
// stream cipher under a seed from Config.Rand. It may be used by several
// goroutines.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(r io.Reader) (*dice, error) {
	var seed [32]byte
	if _, err := io.ReadFull(r, seed[:]); err != nil {
		return nil, fmt.Errorf("dht: randomness: %w", err)
	}
	return &dice{rng: rand.New(rand.NewChaCha8(seed))}, nil
}

func (d *dice) shuffle(n int, swap func(i, j int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rng.Shuffle(n, swap)
}

// around draws from mean ± 20 %.
func (d *dice) around(mean time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(float64(mean) * (0.8 + 0.4*d.rng.Float64()))
}

func (d *dice) tid() [4]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], d.rng.Uint32())
	return b
}

func (d *dice) key() Key {
	d.mu.Lock()
	defer d.mu.Unlock()
	var k Key
	for i := range k {
		k[i] = byte(d.rng.Uint32())
	}
	return k
}
