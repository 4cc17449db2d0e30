package dht

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestAnnounceRefusesBadPorts(t *testing.T) {
	n := start(t, Config{Rand: seeded(1)})
	for _, port := range []int{-1, 0, 65536} {
		if err := n.Announce(t.Context(), Key{1}, port); err == nil {
			t.Errorf("port %d: accepted", port)
		}
	}
}

// An announcement lies at 8 nodes, so that most of them may go.
func TestAnnouncementsAreReplicated(t *testing.T) {
	_, nodes := pool(t, 20, Config{})
	key := ClassKey("lab", "", "x")
	announceAll(t, key, nodes[:1])
	if got := nodes[0].Stats(); got.LastAnnounceNodes < replicas || got.LastAnnounce.IsZero() {
		t.Errorf("stats: %+v", got)
	}
	holders := 0
	for _, n := range nodes {
		if len(stored(n.store, key)) > 0 {
			holders++
		}
	}
	if holders < replicas-1 { // the bootstrap node may be one
		t.Errorf("stored at %d nodes", holders)
	}
}

// Whoever is known to lie is told, since it may be slandered, but others take
// its place.
func TestLiarsAreNoReplicas(t *testing.T) {
	_, nodes := pool(t, 20, Config{})
	key := ClassKey("lab", "", "x")
	slices.SortFunc(nodes[1:], func(a, b running) int { return nearer(key, a.ID(), b.ID()) })
	for _, n := range nodes[1:5] {
		nodes[0].liars.renew(n.Addr())
	}
	announceAll(t, key, nodes[:1])
	holders := 0
	for _, n := range nodes[5:] {
		if len(stored(n.store, key)) > 0 {
			holders++
		}
	}
	if got := nodes[0].Stats().LastAnnounceNodes; got < replicas || holders < replicas-2 { // it may be one itself, and so the bootstrap node
		t.Errorf("taken by %d nodes, stored at %d besides liars", got, holders)
	}
}

func TestLookupOfSeveralKeysTellsEachAddressOnce(t *testing.T) {
	_, nodes := pool(t, 10, Config{})
	cell := "u09t"
	var keys []Key
	for _, c := range append(Neighbours(cell), cell, cell) {
		keys = append(keys, ClassKey("lab", c, "x"))
	}
	var want []netip.AddrPort
	for i, key := range keys {
		want = append(want, announceAll(t, key, nodes[i%3:i%3+2])...) // ports 5001 and 5002, many times
	}
	slices.SortFunc(want, netip.AddrPort.Compare)
	if got := lookup(t, nodes[9], keys...); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("found %v, want %v", got, slices.Compact(want))
	}
}

func TestLookupEndsWhenItsCallerHasEnough(t *testing.T) {
	_, nodes := pool(t, 10, Config{})
	key := ClassKey("lab", "", "x")
	announceAll(t, key, nodes[:6])
	calls := 0
	err := nodes[9].Lookup(t.Context(), []Key{key, {1}, {2}}, func(netip.AddrPort) bool {
		calls++
		return calls < 3
	})
	if err != nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestLookupEndsWithItsContext(t *testing.T) {
	_, nodes := pool(t, 10, Config{})
	key := ClassKey("lab", "", "x")
	announceAll(t, key, nodes[:6])
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := nodes[9].Lookup(ctx, []Key{key}, func(netip.AddrPort) bool {
		calls++
		cancel()
		return true
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// KeepAnnounced over hours of a clock that the test turns: at no time is the
// key not found; a new key is announced at once; one that is dropped goes.
func TestKeepAnnounced(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	_, nodes := pool(t, 8, Config{Now: clock.now, Limits: StoreLimits{TTL: 30 * time.Minute}})
	provider, requester := nodes[0], nodes[7]
	first, second := ClassKey("lab", "", "first"), ClassKey("lab", "", "second")

	var mu sync.Mutex
	keys := []Key{first}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- provider.KeepAnnounced(ctx, func() []Key {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(keys)
		}, 4242)
	}()
	want := []netip.AddrPort{local(4242)}
	announcedAt := func(at time.Time) {
		t.Helper()
		limit, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		for provider.Stats().LastAnnounce.Before(at) {
			if !pause(limit, 5*time.Millisecond) {
				t.Fatal("not announced")
			}
		}
	}
	announcedAt(clock.now())
	if got := lookup(t, requester, first); !slices.Equal(got, want) {
		t.Fatalf("found %v", got)
	}
	for range 3 { // each time the announcement before the last has expired
		clock.advance(17 * time.Minute) // more than Reannounce + 20 % = 14:24
		if got := lookup(t, requester, first); !slices.Equal(got, want) {
			t.Errorf("found %v before it could have been announced again", got)
		}
		announcedAt(clock.now())
	}
	mu.Lock()
	keys = []Key{second}
	mu.Unlock()
	clock.advance(time.Second)
	announcedAt(clock.now())
	if got := lookup(t, requester, second); !slices.Equal(got, want) {
		t.Errorf("a new key: found %v", got)
	}
	if got := provider.Stats().AnnouncedKeys; got != 1 {
		t.Errorf("%d keys are kept announced", got)
	}
	clock.advance(29 * time.Minute)
	announcedAt(clock.now())
	clock.advance(2 * time.Minute)
	if got := lookup(t, requester, first); got != nil {
		t.Errorf("a dropped key: found %v", got)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestTurnsGrowApartAndFailuresComeSooner(t *testing.T) {
	clock := newHandClock()
	n, err := New(Config{Conn: listen(t), Rand: seeded(1), Now: clock.now, Reannounce: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	within := func(name string, at time.Time, mean time.Duration) {
		t.Helper()
		if wait := at.Sub(clock.now()); wait < mean*8/10 || wait > mean*12/10 {
			t.Errorf("%s: waits %v, want about %v", name, wait, mean)
		}
	}
	var next turn
	for i, mean := range []time.Duration{15 * time.Second, time.Minute, 10 * time.Minute, 10 * time.Minute} {
		next.next(n, true)
		within("success "+string(rune('0'+i)), next.at, mean)
	}
	for i, mean := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute} {
		next.next(n, false)
		within("failure "+string(rune('0'+i)), next.at, mean)
	}
	next.next(n, true)
	within("recovery", next.at, 10*time.Minute)
	seen := make(map[time.Time]bool)
	for range 10 {
		next.next(n, true)
		seen[next.at] = true
	}
	if len(seen) < 9 {
		t.Errorf("ten waits have %d lengths", len(seen))
	}
}
