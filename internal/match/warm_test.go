package match_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
	"github.com/angler-dex/angler/internal/spare"
)

// circle is a requester and three providers that keep spare sets.
type circle struct {
	*matchtest.Market
	t         *testing.T
	requester *matchtest.Requester
	spares    *spare.Store // the requester's
	providers []*member
}

// member is one of the providers, and what its matches were like.
type member struct {
	*matchtest.Provider
	dir    string
	boot   spare.Host
	spares *spare.Store
	every  time.Duration // between looks at the stock; 0: none is kept

	mu     sync.Mutex
	stats  []mpc.Stats
	before func(context.Context, *mpc.Party) error
}

func newCircle(t *testing.T) *circle {
	t.Helper()
	matchtest.CheckLeaks(t)
	c := &circle{Market: matchtest.New(t), t: t}
	c.requester = c.Requester("asker")
	c.spares = openSpares(t, filepath.Join(t.TempDir(), "asker"), c.requester.Key.ID(), spare.Host{})
	for k := range 3 {
		m := &member{Provider: c.NewProvider(fmt.Sprint("p", k)), dir: filepath.Join(t.TempDir(), fmt.Sprint(k))}
		m.Edit = func(cfg *match.ProviderConfig) {
			m.spares = openSpares(t, m.dir, m.Key.ID(), m.boot)
			cfg.Spares = m.spares
		}
		m.Prepare = func(p *match.Provider) {
			p.Drive(m.drive)
			p.Stock(m.every, time.Millisecond)
		}
		m.Start()
		m.Offer(20, market.Price(5+k))
		c.providers = append(c.providers, m)
	}
	return c
}

func openSpares(t *testing.T, dir string, self identity.PeerID, boot spare.Host) *spare.Store {
	t.Helper()
	s, err := spare.Open(spare.Config{Dir: dir, Self: self, Host: boot})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// drive is mpc.Run, and notes what it was like.
func (m *member) drive(ctx context.Context, p *mpc.Party, net mpc.Network) error {
	m.mu.Lock()
	before := m.before
	m.mu.Unlock()
	if before != nil {
		if err := before(ctx, p); err != nil {
			p.Abandon()
			return err
		}
	}
	err := mpc.Run(ctx, p, net)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats = append(m.stats, p.Stats())
	return err
}

// prelude sets what comes before the flights.
func (m *member) prelude(f func(context.Context, *mpc.Party) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = f
}

// last is what the last match was like.
func (m *member) last() mpc.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats[len(m.stats)-1]
}

// play runs a match among all, which must end well, and be won by the cheapest.
func (c *circle) play() {
	c.t.Helper()
	out, err := c.try()
	if err != nil || out.Parts[0].Member.ID != c.providers[0].Key.ID() {
		c.t.Fatalf("matched %v, error %v", out.Matched(), err)
	}
}

func (c *circle) try() (match.Outcome, error) {
	ctx := c.Context()
	s := c.requester.Seeker()
	s.Spares = c.spares
	var all []*matchtest.Provider
	for _, p := range c.providers {
		all = append(all, p.Provider)
	}
	out, leave, err := s.Play(ctx, c.Request(1, 10), c.requester.Candidates(ctx, all...), 3, func(match.Outcome) error { return nil })
	leave(ctx)
	return out, err
}

// baseOTs is what one pair sends one way for base OTs: header and message.
const baseOTs = 67 + 8224

// cold asserts with how many others each provider made base OTs in the last
// match.
func (c *circle) cold(want ...int) {
	c.t.Helper()
	for k, p := range c.providers {
		s := p.last()
		if s.Sent[1] != want[k]*baseOTs || s.Received[1] != want[k]*baseOTs || s.Cold != (want[k] > 0) {
			c.t.Errorf("provider %d sent %d bytes in F1, want base OTs with %d", k, s.Sent[1], want[k])
		}
	}
}

// kept asserts how many sets everybody has: the requester, then the providers.
func (c *circle) kept(want ...int) {
	c.t.Helper()
	stores := []*spare.Store{c.spares}
	for _, p := range c.providers {
		stores = append(stores, p.spares)
	}
	for k, s := range stores {
		if n, err := s.Count(); err != nil || n != want[k] {
			c.t.Errorf("party %d has %d sets, want %d (%v)", k, n, want[k], err)
		}
	}
}

// files lists every set that anybody has.
func (c *circle) files() map[string]bool {
	c.t.Helper()
	all := map[string]bool{}
	dirs := []string{c.spares.Dir}
	for _, p := range c.providers {
		dirs = append(dirs, p.dir)
	}
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			c.t.Fatal(err)
		}
		for _, n := range names {
			all[n] = true
		}
	}
	return all
}

// Parties that have met skip the base OTs the next time, and every time after
// that, with other sets; one that was started on another boot of its machine
// has none, and the others go on with theirs.
func TestPartiesThatHaveMet(t *testing.T) {
	c := newCircle(t)
	c.play()
	c.cold(3, 3, 3)
	c.kept(3, 3, 3, 3)
	first := c.providers[1].last()
	seen := c.files()
	if len(seen) != 12 {
		t.Fatalf("%d sets of 6 pairs", len(seen))
	}
	for range 2 {
		c.play()
		c.cold(0, 0, 0)
		c.kept(3, 3, 3, 3)
		s := c.providers[1].last()
		if first.Flights(1) != 9 || s.Flights(1) != 8 || s.BytesSent() >= first.BytesSent() {
			t.Errorf("%d flights and %d bytes after %d and %d", s.Flights(1), s.BytesSent(), first.Flights(1), first.BytesSent())
		}
		for f := range c.files() {
			if seen[f] {
				t.Fatalf("a set outlived the match that it was for: %s", f)
			}
			seen[f] = true
		}
	}
	p := c.providers[2]
	p.boot = spare.Host{1}
	p.Stop()
	p.Start()
	c.kept(3, 3, 3, 0)
	c.play()
	c.cold(1, 1, 3)
	c.kept(3, 3, 3, 3)
	c.play()
	c.cold(0, 0, 0)
}

// Who has lost its sets, or has them damaged, starts cold with everybody.
func TestLostAndDamagedSets(t *testing.T) {
	c := newCircle(t)
	c.play()
	if err := os.RemoveAll(c.spares.Dir); err != nil {
		t.Fatal(err)
	}
	c.spares = openSpares(t, c.spares.Dir, c.requester.Key.ID(), spare.Host{})
	files, err := filepath.Glob(filepath.Join(c.providers[1].dir, "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, error %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err = os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.play()
	c.cold(2, 3, 2) // 0 and 2 still have each other's
	c.play()
	c.cold(0, 0, 0)
}

// A match that fails burns the sets that it took, at all ends, and leaves none;
// the next one starts cold.
func TestFailedMatchBurnsItsSets(t *testing.T) {
	c := newCircle(t)
	c.play()
	faults := errors.New("fault")
	c.providers[1].prelude(func(context.Context, *mpc.Party) error { return faults })
	if _, err := c.try(); err == nil {
		t.Fatal("the match went on")
	}
	c.kept(0, 0, 0, 0)
	c.providers[1].prelude(nil)
	c.play()
	c.cold(3, 3, 3)
}

// Two matches at once of the same parties never use one set: of each pair one
// match is warm, for a single set was there.
func TestOneSetForTwoMatches(t *testing.T) {
	c := newCircle(t)
	c.play()
	for _, p := range c.providers {
		var both sync.WaitGroup
		both.Add(2)
		p.prelude(func(context.Context, *mpc.Party) error {
			both.Done()
			both.Wait() // both have agreed on sets
			return nil
		})
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := c.try(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for k, p := range c.providers {
		waitFor(t, "both matches to end", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.stats) == 3 })
		if f1 := p.stats[1].Sent[1] + p.stats[2].Sent[1]; f1 < 3*baseOTs || f1 > 6*baseOTs || f1%baseOTs != 0 {
			t.Errorf("provider %d sent %d bytes in F1 of both matches: sets served twice", k, f1)
		}
	}
	for _, p := range c.providers {
		p.prelude(nil)
	}
	c.play() // and whatever is left serves the next
	c.cold(0, 0, 0)
}

// A peer whose half of a set is another than it says fails that match, of which nobody
// can tell whose half is wrong, and the one after starts cold.
func TestPeerThatLiesAboutItsSet(t *testing.T) {
	c := newCircle(t)
	liar := c.providers[2]
	sets := mpctest.Deal(mpctest.Rand("right", 1, 0), 2)
	wrong := mpctest.Deal(mpctest.Rand("wrong", 2, 0), 2)
	right, lie := sets[0][1], wrong[1][0]
	lie.Sender.ID, lie.Receiver.ID = right.Receiver.ID, right.Sender.ID
	c.spares.Put(map[identity.PeerID]mpc.WarmPair{liar.Key.ID(): right})
	liar.spares.Put(map[identity.PeerID]mpc.WarmPair{c.requester.Key.ID(): lie})
	_, err := c.try()
	var failed *match.FailedError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v", err)
	}
	if len(failed.Drop) != 0 {
		t.Errorf("%d providers are left out for halves of a set that differ", len(failed.Drop))
	}
	c.kept(0, 0, 0, 0)
	c.play()
	c.cold(3, 3, 3)
}

// What a peer answers about a set that was named to it: only a clear yes lets
// the set be used, and in any case it is gone.
func TestAnswersAboutSets(t *testing.T) {
	m := matchtest.New(t)
	ctx := m.Context()
	peer, err := mesh.Listen(mesh.Config{Key: matchtest.Key(t), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	named, answers := make(chan []byte, 1), make(chan []byte, 1)
	peer.Handle(match.KindSession, func(_ context.Context, s *mesh.Stream) {
		header := make([]byte, match.SessionHeader)
		_, _ = io.ReadFull(s, header)
		named <- header
		_, _ = s.Write(<-answers)
	})
	run, stop := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- peer.Run(run) }()
	defer func() {
		stop()
		if ended := <-ran; ended != nil {
			t.Error(ended)
		}
	}()
	r := m.Requester("asker")
	link, err := r.Node.Connect(ctx, peer.Self(), []netip.AddrPort{peer.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	store := openSpares(t, filepath.Join(t.TempDir(), "sets"), r.Key.ID(), spare.Host{})
	for _, c := range []struct {
		answer []byte
		use    bool
		fails  bool
	}{
		{[]byte{1}, true, false},
		{[]byte{1, 1, 1}, true, false}, // the rest is the first flight's
		{[]byte{0}, false, false},
		{[]byte{2}, false, true},
		{[]byte{0xff}, false, true},
		{nil, false, true},
	} {
		pair := mpctest.Deal(mpctest.Rand("answers", 1, 0), 2)[0][1]
		store.Put(map[identity.PeerID]mpc.WarmPair{peer.Self(): pair})
		answers <- c.answer
		s, err := link.Open(ctx, match.KindSession)
		if err != nil {
			t.Fatal(err)
		}
		set, err := match.NameSet(ctx, s, store)
		s.Reset()
		header := <-named
		if (err != nil) != c.fails || (set.Pair.Sender != nil) != c.use {
			t.Errorf("answer %x: used %v, error %v", c.answer, set.Pair.Sender != nil, err)
		}
		if string(header[33:]) == string(make([]byte, 32)) || (c.use && string(header[33:]) != string(set.ID[:])) {
			t.Errorf("named %x", header[33:])
		}
		if n, err := store.Count(); n != 0 || err != nil {
			t.Errorf("answer %x: the set is still there", c.answer)
		}
	}
}
