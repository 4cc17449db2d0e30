package node

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/identity"
)

// dhtOnly is the configuration of a bootstrap node in a folder of its own.
func dhtOnly(t *testing.T) Config {
	t.Helper()
	key, err := identity.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "angler-node-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return Config{
		Key: key, Version: "test", TablePath: filepath.Join(dir, "dht.table"), Socket: filepath.Join(dir, "run", control.SocketName),
		DHTListen: "127.0.0.1:0", DHTOnly: true, Log: slog.New(slog.DiscardHandler),
	}
}

// run runs a daemon; ready is closed when it says that it is, and stop ends it
// and returns what Run returned.
func run(t *testing.T, cfg Config) (ready <-chan struct{}, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	said, done := make(chan struct{}), make(chan error, 1)
	cfg.Ready = func(Addresses) { close(said) }
	go func() { done <- Run(ctx, cfg) }()
	stop = func() error { cancel(); return <-done }
	return said, stop
}

// "Told once, when everything listens": a client that is told may call.
func TestReadyMeansListening(t *testing.T) {
	t.Parallel()
	cfg := dhtOnly(t)
	cfg.Metrics = "127.0.0.1:0"
	ready, stop := run(t, cfg)
	<-ready
	c, err := control.Dial(t.Context(), cfg.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s, err := c.Status(t.Context()); err != nil || s.Mode != control.ModeDHT {
		t.Errorf("status %q, %v", s.Mode, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(cfg.Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// A start that fails never says that it is ready, and leaves no socket.
func TestNotReadyWhenAPortIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for flag, change := range map[string]func(*Config){
		"--metrics":    func(c *Config) { c.Metrics = taken.Addr().String() },
		"--dht-listen": func(c *Config) { c.DHTListen = udp.LocalAddr().String() },
	} {
		cfg := dhtOnly(t)
		change(&cfg)
		cfg.Ready = func(Addresses) { t.Errorf("%s: ready, on a port that is taken", flag) }
		if err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
		if _, err := os.Lstat(cfg.Socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the socket is left behind: %v", flag, err)
		}
	}
}

// A second daemon of one state folder is told so, not that a port is in use,
// and does the first no harm.
func TestSecondDaemon(t *testing.T) {
	t.Parallel()
	cfg := dhtOnly(t)
	at := make(chan Addresses, 1)
	cfg.Ready = func(a Addresses) { at <- a }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg) }()
	second := cfg
	second.DHTListen = (<-at).DHT.String()
	second.Ready = nil
	if err := Run(t.Context(), second); !errors.Is(err, control.ErrRunning) {
		t.Errorf("the second daemon: %v", err)
	}
	if c, err := control.Dial(t.Context(), cfg.Socket); err != nil {
		t.Errorf("the first daemon: %v", err)
	} else {
		c.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// said is a log that tells of every line with a message.
type said struct {
	slog.Handler
	lines chan string
}

func (s said) Enabled(context.Context, slog.Level) bool { return true }

func (s said) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	select {
	case s.lines <- text:
	default: // nobody waits any more
	}
	return nil
}

func (s said) WithAttrs([]slog.Attr) slog.Handler { return s }

// "No bootstrap node reachable: the daemon says so, keeps trying."
func TestNoBootstrapNode(t *testing.T) {
	t.Parallel()
	cfg := dhtOnly(t)
	log := said{slog.DiscardHandler, make(chan string, 1000)}
	cfg.Bootstrap, cfg.Log = []string{"nobody.invalid:7401"}, slog.New(log)
	_, stop := run(t, cfg)
	for line := range log.lines {
		if strings.Contains(line, "cannot be found") && strings.Contains(line, "nobody.invalid") {
			break
		}
	}
	if err := stop(); err != nil {
		t.Errorf("the daemon has given up: %v", err)
	}
}

// An announcement in the public DHT carries no address, so one that is not
// advertised is announced nowhere, and the operator is told.
func TestMisplacedOnThePublicDHT(t *testing.T) {
	t.Parallel()
	cfg := dhtOnly(t)
	cfg.Advertise = []netip.AddrPort{netip.MustParseAddrPort("198.51.100.7:7400")}
	d := &daemon{cfg: cfg}
	if d.port() != 7400 {
		t.Errorf("port %d is announced, not the advertised one", d.port())
	}
	for _, tc := range []struct {
		public bool
		seen   string
		want   bool
	}{{true, "198.51.100.8", true}, {true, "198.51.100.7", false}, {false, "198.51.100.8", false}, {true, "", false}} {
		d.cfg.Public = tc.public
		var seen netip.Addr
		if tc.seen != "" {
			seen = netip.MustParseAddr(tc.seen)
		}
		if err := d.misplacedAt(seen); (err != nil) != tc.want || err != nil && !strings.Contains(err.Error(), "--advertise") {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}
