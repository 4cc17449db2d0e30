package match_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/spare"
	"github.com/angler-dex/angler/internal/wire"
)

// stocking is how often providers look at their stock in tests.
const stocking = 5 * time.Millisecond

// restock starts every provider again, with a stock or without; the sets stay.
func (c *circle) restock(every time.Duration) {
	c.t.Helper()
	for _, p := range c.providers {
		p.Stop()
		p.every = every
		p.Start()
	}
}

// introduce makes all providers know each other.
func (c *circle) introduce() {
	c.t.Helper()
	var all []identity.Record
	for _, p := range c.providers {
		all = append(all, c.record(p.Provider))
	}
	for _, p := range c.providers {
		p.Match.Introduce(all...)
	}
}

func (c *circle) record(p *matchtest.Provider) identity.Record {
	c.t.Helper()
	raw, err := p.Record()
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := identity.OpenRecord(raw, c.Clock.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// stocked waits until every pair of providers has a set in common.
func (c *circle) stocked() {
	c.t.Helper()
	waitFor(c.t, "every pair of providers to have a set", func() bool {
		for k, p := range c.providers {
			for _, q := range c.providers[:k] {
				if !c.common(p, q) {
					return false
				}
			}
		}
		return true
	})
}

func (c *circle) common(p, q *member) bool {
	c.t.Helper()
	a, err := p.spares.Of(q.Key.ID())
	b, err2 := q.spares.Of(p.Key.ID())
	if err != nil || err2 != nil {
		c.t.Fatal(err, err2)
	}
	return slices.ContainsFunc(a, func(id spare.ID) bool { return slices.Contains(b, id) })
}

// Providers that have met have sets again after a match that burnt theirs, and the next
// match is cold with the requester alone; a set serves once.
func TestStockAfterFailedMatch(t *testing.T) {
	c := newCircle(t)
	c.restock(stocking)
	c.play()
	c.cold(3, 3, 3)
	c.stocked()
	faults := errors.New("fault")
	c.providers[1].prelude(func(context.Context, *mpc.Party) error { return faults })
	if _, err := c.try(); err == nil {
		t.Fatal("the match went on")
	}
	c.providers[1].prelude(nil)
	c.stocked()
	seen := c.files()
	c.play()
	c.cold(1, 1, 1)
	for range 2 {
		c.play()
		c.stocked()
		c.cold(0, 0, 0)
	}
	for _, p := range c.providers {
		if n := p.Match.Acquaintances(); n != 2 {
			t.Errorf("%d acquaintances", n)
		}
	}
	if len(seen) == 0 {
		t.Error("no sets")
	}
}

// A pair of which one end has lost its half, by a crash or a new boot, finds out and makes
// another set. Nothing of the old half is used.
func TestStockOfHalves(t *testing.T) {
	c := newCircle(t)
	c.restock(stocking)
	c.introduce()
	c.stocked()
	p := c.providers[1]
	lost, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil || len(lost) != 2 {
		t.Fatalf("files %v, error %v", lost, err)
	}
	p.Stop()
	for _, f := range lost {
		if err = os.Remove(f); err != nil { // as taking does, before a crash
			t.Fatal(err)
		}
	}
	p.Start()
	c.introduce()
	c.stocked()
	for _, f := range lost {
		if c.files()[f] {
			t.Errorf("%s is back", f)
		}
	}
	c.play()
	c.cold(1, 1, 1)
}

// A link that is lost comes back, though no set is wanted.
func TestStockKeepsLinks(t *testing.T) {
	c := newCircle(t)
	c.restock(stocking)
	c.introduce()
	c.stocked()
	low := slices.MinFunc(c.providers, func(a, b *member) int { return a.Key.ID().Compare(b.Key.ID()) })
	lost := low.Node.Links()
	if len(lost) != 2 {
		t.Fatalf("%d links", len(lost))
	}
	for _, l := range lost {
		l.Close()
		<-l.Done()
	}
	waitFor(t, "links to both others", func() bool {
		for _, l := range lost {
			if !slices.ContainsFunc(low.Node.Links(), func(now *mesh.Link) bool { return now != l && now.Peer() == l.Peer() }) {
				return false
			}
		}
		return true
	})
	low.Stop() // what it was about is over
	if said := c.Log.String(); strings.Contains(said, "close called for canceled stream") {
		t.Error("what was found to be kept is called a failure")
	}
}

// A provider that is in a match makes no sets.
func TestStockWaitsForIdleness(t *testing.T) {
	c := newCircle(t)
	c.restock(stocking)
	inside, leave := make(chan struct{}, 3), make(chan struct{})
	for _, p := range c.providers {
		p.prelude(func(ctx context.Context, _ *mpc.Party) error {
			inside <- struct{}{}
			select {
			case <-leave:
			case <-ctx.Done():
			}
			return nil
		})
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.try()
		ended <- err
	}()
	for range c.providers {
		<-inside
	}
	low, high := c.providers[0], c.providers[1]
	if low.Key.ID().Compare(high.Key.ID()) > 0 {
		low, high = high, low
	}
	link, err := low.Node.Connect(c.Context(), high.Key.ID(), []netip.AddrPort{high.Wire.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	if a := askStock(t, c.Context(), link, match.StockAsk{Nonce: make([]byte, 32)}); a.State != match.StockLater {
		t.Errorf("answer %+v in a match", a)
	}
	c.kept(0, 0, 0, 0)
	close(leave)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func askStock(t *testing.T, ctx context.Context, link *mesh.Link, ask any) (a match.StockAnswer) {
	t.Helper()
	s, err := link.Open(ctx, match.KindStock)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	if err = s.WriteFrame(wire.Encode(ask)); err != nil {
		t.Fatal(err)
	}
	b, err := s.ReadFrame(1 << 10)
	if err != nil {
		t.Fatal(err)
	}
	if err = wire.Decode(b, 1<<10, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// outsider is a peer that says what it likes.
type outsider struct {
	*mesh.Node
	key  *identity.Key
	link *mesh.Link
}

// intrude connects a peer of a lower identity than the first provider.
func (c *circle) intrude(certified bool) *outsider {
	c.t.Helper()
	victim := c.providers[0]
	o := &outsider{key: matchtest.Key(c.t)}
	for o.key.ID().Compare(victim.Key.ID()) > 0 {
		o.key = matchtest.Key(c.t)
	}
	var err error
	if o.Node, err = mesh.Listen(mesh.Config{Key: o.key, Addr: "127.0.0.1:0"}); err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.Context())
	ran := make(chan error, 1)
	go func() { ran <- o.Run(ctx) }()
	c.t.Cleanup(func() {
		stop()
		if ended := <-ran; ended != nil {
			c.t.Error(ended)
		}
	})
	if certified {
		m := c.Certify(o.key.ID(), identity.RoleOperator, "outsider")
		victim.Match.Introduce(identity.Record{ID: o.key.ID(), Membership: &m})
	}
	if o.link, err = o.Connect(ctx, victim.Key.ID(), []netip.AddrPort{victim.Wire.Addr()}); err != nil {
		c.t.Fatal(err)
	}
	return o
}

// Who was in no roster with a provider gets nothing from it, not even an answer.
func TestStockRefusesStrangers(t *testing.T) {
	c := newCircle(t)
	o := c.intrude(false)
	s, err := o.link.Open(c.Context(), match.KindStock)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.WriteFrame(wire.Encode(match.StockAsk{Nonce: make([]byte, 32)})) // may be reset already
	if b, err := s.ReadFrame(1 << 10); err == nil || errors.Is(err, io.EOF) && len(b) > 0 {
		t.Errorf("answered %x", b)
	}
	c.kept(0, 0, 0, 0)
}

// What a hostile acquaintance says makes no set, and no second one before the pause is over.
func TestStockHostile(t *testing.T) {
	c := newCircle(t)
	victim := c.providers[0]
	ctx := c.Context()
	o := c.intrude(true)
	good := match.StockAsk{Nonce: make([]byte, 32)}
	for name, ask := range map[string]any{
		"garbage":         []byte{1, 2, 3},
		"a short nonce":   match.StockAsk{Nonce: make([]byte, 31)},
		"a short id":      match.StockAsk{Nonce: make([]byte, 32), Have: [][]byte{make([]byte, 31)}},
		"many ids":        match.StockAsk{Nonce: make([]byte, 32), Have: slices.Repeat([][]byte{make([]byte, 32)}, spare.PerPeer+1)},
		"a frame too big": bytes.Repeat([]byte{0}, 1<<10),
	} {
		s, err := o.link.Open(ctx, match.KindStock)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.WriteFrame(wire.Encode(ask)) // may be reset already
		if _, err = s.ReadFrame(1 << 10); err == nil {
			t.Errorf("%s was answered", name)
		}
		s.Reset()
	}
	var id spare.ID
	var first []byte
	for name, cheat := range map[string]func(base, set []byte){
		"a point that is none": func(base, _ []byte) { clear(base[:64]); base[0] = 2 },
		"the identity":         func(base, _ []byte) { clear(base[32:64]) },
		"another id":           func(_, set []byte) { set[0] ^= 1 },
	} {
		s, base, err := o.begin(ctx, good, victim)
		if err != nil {
			t.Fatal(name, err)
		}
		message := bytes.Clone(base.Message())
		first = message
		cheat(message, id[:])
		_, _ = s.Write(message)
		_, _ = io.CopyN(io.Discard, s, spare.MessageSize) // a victim that has found the fault says no more
		_, _ = s.Write(id[:])
		if b, err := io.ReadAll(s); err == nil && len(b) > 32 {
			t.Errorf("%s: %d bytes more", name, len(b))
		}
		s.Reset()
	}
	// A replay of what it sent before is another exchange: nonce and connection are in it.
	s, _, err := o.begin(ctx, good, victim)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Write(first)
	_, _ = io.CopyN(io.Discard, s, spare.MessageSize)
	_, _ = s.Write(id[:])
	_, _ = io.ReadAll(s)
	s.Reset()
	n, err := victim.spares.Count()
	if n != 0 || err != nil {
		t.Errorf("%d sets, error %v", n, err)
	}
	victim.Match.Pause(time.Hour)
	s, _, err = o.begin(ctx, good, victim)
	if err != nil {
		t.Fatal(err)
	}
	if a := askStock(t, ctx, o.link, good); a.State != match.StockLater {
		t.Errorf("two at once: %+v", a)
	}
	s.Reset()
	waitFor(t, "the first to end", func() bool { return !victim.Match.Stocking() })
	if a := askStock(t, ctx, o.link, good); a.State != match.StockLater {
		t.Errorf("before the pause is over: %+v", a)
	}
}

// begin asks until the provider is ready to make a set, and makes an own message.
func (o *outsider) begin(ctx context.Context, ask match.StockAsk, victim *member) (*mesh.Stream, *spare.Making, error) {
	for ctx.Err() == nil {
		s, err := o.link.Open(ctx, match.KindStock)
		if err != nil {
			return nil, nil, err
		}
		if err = s.WriteFrame(wire.Encode(ask)); err != nil {
			return nil, nil, err
		}
		b, err := s.ReadFrame(1 << 10)
		if err != nil {
			return nil, nil, err
		}
		var a match.StockAnswer
		if err = wire.Decode(b, 1<<10, &a); err != nil {
			return nil, nil, err
		}
		if a.State == match.StockMake && len(a.Nonce) == 32 {
			base, err := spare.Make([32]byte{1}, 0, rand.Reader)
			return s, base, err
		}
		if a.State != match.StockLater {
			return nil, nil, fmt.Errorf("answer %+v", a)
		}
		s.Reset()
	}
	return nil, nil, ctx.Err()
}

// The acquaintances are bounded; the last ones stay.
func TestAcquaintancesAreBounded(t *testing.T) {
	c := newCircle(t)
	p := c.providers[0]
	for range match.MaxAcquaintances + 10 {
		key := matchtest.Key(t)
		m := c.Certify(key.ID(), identity.RoleOperator, "o")
		p.Match.Introduce(identity.Record{ID: key.ID(), Membership: &m})
	}
	if n := p.Match.Acquaintances(); n != match.MaxAcquaintances {
		t.Errorf("%d acquaintances", n)
	}
}

// Whose certificate has run out is no acquaintance any more.
func TestStockAsksForCertificates(t *testing.T) {
	c := newCircle(t)
	o := c.intrude(true)
	ask := match.StockAsk{Nonce: make([]byte, 32)}
	c.Clock.Pass(25 * time.Hour)
	if a := askStock(t, c.Context(), o.link, ask); a.State != match.StockLater {
		t.Errorf("answer %+v", a)
	}
}

func FuzzStockMessages(f *testing.F) {
	f.Add(wire.Encode(match.StockAsk{Nonce: make([]byte, 32), Have: [][]byte{make([]byte, 32)}}))
	f.Add(wire.Encode(match.StockAnswer{State: match.StockMake, Nonce: make([]byte, 32)}))
	f.Add([]byte{0xa1, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		var ask match.StockAsk
		if wire.Decode(b, 1<<10, &ask) == nil && !bytes.Equal(wire.Encode(ask), b) {
			t.Errorf("%x has two encodings", b)
		}
		var answer match.StockAnswer
		if wire.Decode(b, 1<<10, &answer) == nil && !bytes.Equal(wire.Encode(answer), b) {
			t.Errorf("%x has two encodings", b)
		}
	})
}
