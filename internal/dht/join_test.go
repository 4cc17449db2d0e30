package dht

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewRefusesABadConfiguration(t *testing.T) {
	for _, entry := range []string{"", "host", "host:", ":6881", "host:0", "host:65536", "host:port", "a:b:6881", "[::1"} {
		if _, err := New(Config{Conn: listen(t), Bootstrap: []string{entry}}); err == nil || !strings.Contains(err.Error(), "bootstrap node") {
			t.Errorf("bootstrap %q: %v", entry, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no socket: accepted")
	}
	if _, err := New(Config{Conn: listen(t), Rand: strings.NewReader("short")}); err == nil {
		t.Error("no randomness: accepted")
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	dead := listen(t) // bound, so nobody else gets the port, and silent
	saved := filepath.Join(t.TempDir(), "table")
	err := saveTable(saved, savedTable{nodes: []contact{{id: Key{1}, known: true, addr: addrPortOf(dead.LocalAddr())}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"dead bootstrap, provider":  {Bootstrap: []string{dead.LocalAddr().String()}},
		"dead bootstrap, requester": {Bootstrap: []string{dead.LocalAddr().String()}, Passive: true},
		"dead saved node":           {TablePath: saved, Passive: true},
		"unresolvable name":         {Bootstrap: []string{"no-such-host.invalid:6881"}},
		"another family":            {Bootstrap: []string{"[::1]:6881"}},
		"none named, requester":     {Passive: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.Conn, cfg.Rand, cfg.Resend = listen(t), seeded(1), 50*time.Millisecond
			n := start(t, cfg)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := n.Ready(ctx); !errors.Is(err, ErrNoBootstrap) {
				t.Errorf("ready: %v", err)
			}
			if err := n.Lookup(ctx, []Key{{1}}, func(netip.AddrPort) bool { return true }); !errors.Is(err, ErrNoBootstrap) {
				t.Errorf("lookup: %v", err)
			}
			if cfg.Passive {
				if err := n.Announce(ctx, Key{1}, 1); !errors.Is(err, ErrNoBootstrap) {
					t.Errorf("announce: %v", err)
				}
			}
			s := n.Stats()
			if s.Joined || !errors.Is(s.JoinErr, ErrNoBootstrap) || len(cfg.Bootstrap) > 0 && !errors.Is(s.Deserted, ErrNoBootstrap) {
				t.Errorf("stats: joined %v, %v, %v", s.Joined, s.JoinErr, s.Deserted)
			}
			if strings.Contains(s.JoinErr.Error(), "saved") != (cfg.Bootstrap == nil) {
				t.Errorf("saved nodes that there are not: %v", s.JoinErr)
			}
		})
	}
}

func TestReadyEndsWithItsContext(t *testing.T) {
	n, err := New(Config{Conn: listen(t), Rand: seeded(1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ready: %v", err)
	}
	if err := n.Lookup(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("lookup: %v", err)
	}
}

// A bootstrap node has itself in its list, as the pool file names it; it is
// ready without anybody else, and what is announced there is found.
func TestABootstrapNodeIsReadyAlone(t *testing.T) {
	conn := listen(t)
	n := start(t, Config{Conn: conn, Bootstrap: []string{conn.LocalAddr().String()}, Rand: seeded(1)})
	ready(t, n)
	if got := lookup(t, n, Key{1}); got != nil {
		t.Errorf("found %v", got)
	}
	if err := n.Announce(t.Context(), Key{1}, 4242); err != nil {
		t.Fatal(err)
	}
	requester := start(t, Config{Bootstrap: []string{n.Addr().String()}, Passive: true, Rand: seeded(2)})
	ready(t, requester)
	if got, want := lookup(t, requester, Key{1}), []netip.AddrPort{local(4242)}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// A provider that starts before its bootstrap node goes on trying.
func TestJoiningLate(t *testing.T) {
	t.Parallel()
	conn := listen(t)
	n := start(t, Config{Bootstrap: []string{conn.LocalAddr().String()}, Rand: seeded(1), Resend: 50 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := n.Ready(ctx); !errors.Is(err, ErrNoBootstrap) {
		t.Fatalf("ready: %v", err)
	}
	start(t, Config{Conn: conn, Rand: seeded(2)})
	for n.Ready(ctx) != nil {
		if !pause(ctx, 20*time.Millisecond) {
			t.Fatal("never joined")
		}
	}
	if s := n.Stats(); !s.Joined || s.JoinErr != nil || s.GoodNodes != 1 || s.External != local(1).Addr() {
		t.Errorf("stats: %+v", s)
	}
}

// Two providers that met through a bootstrap node find each other again after
// a restart without it, under their old ids.
func TestRestartWithoutBootstrap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bootstrap := start(t, Config{Rand: seeded(1)})
	cfg := func(i uint64, name string) Config {
		return Config{Bootstrap: []string{bootstrap.Addr().String()}, Rand: seeded(i), TablePath: filepath.Join(dir, name)}
	}
	other := start(t, cfg(2, "other"))
	ready(t, bootstrap, other)
	n := start(t, cfg(3, "n"))
	ready(t, n)
	settle(t, 2, bootstrap, other, n)
	id := n.ID()
	if err := n.Stats().Deserted; err != nil {
		t.Errorf("with the bootstrap node there: %v", err)
	}
	n.kill()
	bootstrap.kill()

	saved, err := loadTable(filepath.Join(dir, "n"))
	if err != nil || saved.id != id || len(saved.nodes) != 2 {
		t.Fatalf("saved %+v, %v", saved, err)
	}
	again := start(t, cfg(4, "n"))
	ready(t, again)
	if again.ID() != id {
		t.Errorf("id %s, was %s", again.ID(), id)
	}
	if s := again.Stats(); !s.Joined || !errors.Is(s.Deserted, ErrNoBootstrap) {
		t.Errorf("joined %v by saved nodes, and of the bootstrap node: %v", s.Joined, s.Deserted)
	}
	if err := again.Announce(t.Context(), Key{1}, 4242); err != nil {
		t.Fatal(err)
	}
	if got, want := lookup(t, other, Key{1}), []netip.AddrPort{local(4242)}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// A requester saves the nodes but no id, so that its runs are not linked, and
// is in nobody's table.
func TestPassiveNodesLeaveNoTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	bootstrap, nodes := pool(t, 3, Config{})
	var ids []Key
	for i := range uint64(2) {
		requester := start(t, Config{Bootstrap: []string{bootstrap.Addr().String()}, Passive: true, TablePath: path, Rand: seeded(10 + i)})
		ready(t, requester)
		lookup(t, requester, Key{1})
		ids = append(ids, requester.ID())
		requester.kill()
		saved, err := loadTable(path)
		if err != nil || saved.id != (Key{}) || len(saved.nodes) != 4 {
			t.Errorf("saved %+v, %v", saved, err)
		}
		for _, n := range append(nodes, bootstrap) {
			for _, c := range n.known() {
				if c.id == requester.ID() {
					t.Errorf("the requester is in the table of %s", n.ID())
				}
			}
		}
	}
	if ids[0] == ids[1] {
		t.Error("two runs have the same id")
	}
}

func TestAnUnreadableTableIsIgnored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table")
	if err := saveTable(path, savedTable{id: Key{1}}); err != nil {
		t.Fatal(err)
	}
	n, err := New(Config{Conn: listen(t), TablePath: path, Rand: seeded(1)})
	if err != nil || n.ID() != (Key{1}) {
		t.Errorf("id %s, %v", n.ID(), err)
	}
	for _, unreadable := range []string{t.TempDir(), "/dev/null/table"} {
		if _, err := New(Config{Conn: listen(t), TablePath: unreadable, Rand: seeded(1)}); err != nil {
			t.Errorf("%s: %v", unreadable, err)
		}
	}
}
