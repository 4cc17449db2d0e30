package match_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

// What a hostile peer may send on a stream of any kind, and for as long as it
// likes.
var garbage = map[string]func(rnd *rand.Rand, s *mesh.Stream) error{
	"nothing": func(_ *rand.Rand, s *mesh.Stream) error { return s.CloseWrite() },
	"noise": func(rnd *rand.Rand, s *mesh.Stream) error {
		b := make([]byte, 1+rnd.IntN(4096))
		for k := range b {
			b[k] = byte(rnd.Uint32())
		}
		_, err := s.Write(b)
		return errors.Join(err, s.CloseWrite())
	},
	"a frame of 4 GiB": func(_ *rand.Rand, s *mesh.Stream) error {
		_, err := s.Write(binary.BigEndian.AppendUint32(nil, 1<<32-1))
		return err
	},
	"a frame that does not end": func(_ *rand.Rand, s *mesh.Stream) error {
		_, err := s.Write(append(binary.BigEndian.AppendUint32(nil, 1000), 1, 2, 3))
		return errors.Join(err, s.CloseWrite())
	},
	"an empty frame": func(_ *rand.Rand, s *mesh.Stream) error { return s.WriteFrame(nil) },
	"an empty map":   func(_ *rand.Rand, s *mesh.Stream) error { return s.WriteFrame([]byte{0xa0}) },
	"a reset": func(_ *rand.Rand, s *mesh.Stream) error {
		_, err := s.Write([]byte{0, 0})
		s.Reset()
		return err
	},
}

// A peer that sends garbage ends its own stream, and the daemon goes on: an
// honest match runs in the midst of it.
func TestGarbage(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	a, b := m.Provider("a", 9, 5), m.Provider("b", 9, 7)
	hostile, honest := m.Requester("hostile"), m.Requester("honest")
	ctx := m.Context()
	each := 20
	if testing.Short() {
		each = 4
	}
	link := hostile.Link(ctx, a)
	var all sync.WaitGroup
	for kind := match.KindRecord; kind <= match.KindLease; kind++ {
		for name, send := range garbage {
			all.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(kind), uint64(len(name))))
				for range each {
					s, err := link.Open(ctx, kind)
					if err != nil {
						t.Errorf("%s: the link is gone: %v", name, err)
						return
					}
					_ = send(rnd, s) // it may have been reset already
					_ = s.SetDeadline(time.Now().Add(50 * time.Millisecond))
					_, _ = io.Copy(io.Discard, s)
					s.Reset()
				}
			})
		}
	}
	if out := mustPlay(t, m, honest, m.Request(3, 10), a, b); out.Parts[0].Member.ID != a.Key.ID() {
		t.Errorf("matched %v: %d parts", out.Matched(), len(out.Parts))
	}
	all.Wait()
	if n := a.Match.Busy(); n != 0 {
		waitFor(t, "places to be free", func() bool { return a.Match.Busy() == 0 })
	}
}

// Session streams for matches that nobody knows wait for a while, few of them,
// and thousands more are refused. Matches go on.
func TestStreamsForUnknownSessions(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	a, b := m.Provider("a", 9, 5), m.Provider("b", 9, 7)
	hostile, honest := m.Requester("hostile"), m.Requester("honest")
	ctx, cancel := context.WithCancel(m.Context())
	streams := 2000
	if testing.Short() {
		streams = 300
	}
	link := hostile.Link(ctx, a)
	var all sync.WaitGroup
	for worker := range 40 {
		all.Go(func() {
			for k := range streams / 40 {
				s, err := link.Open(ctx, match.KindSession)
				if err != nil {
					return
				}
				_, _ = fmt.Fprintf(s, "%032d%c%032d", worker*streams+k, 1, 0)
				_ = s.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
				_, _ = io.Copy(io.Discard, s)
				s.Reset()
				if n, rooms := a.Match.Parked(); n > 3*match.MaxParked || rooms > 3*match.MaxParked {
					t.Errorf("%d streams wait for %d matches that nobody knows", n, rooms)
				}
			}
		})
	}
	waitFor(t, "streams to wait", func() bool { n, _ := a.Match.Parked(); return n > 0 })
	if out := mustPlay(t, m, honest, m.Request(3, 10), a, b); out.Parts[0].Member.ID != a.Key.ID() {
		t.Errorf("matched %v: %d parts", out.Matched(), len(out.Parts))
	}
	all.Wait()
	cancel()
	hostile.Stop()
	waitFor(t, "the streams to be forgotten", func() bool {
		n, rooms := a.Match.Parked()
		return n == 0 && rooms == 0
	})
}

// Requesters that do not keep to what they signed, or to any order: the match
// ends, nothing is held, and the next one runs.
func TestHostileRequester(t *testing.T) {
	for name, act := range map[string]func(ctx context.Context, t *testing.T, r *matchtest.Requester, table *match.Table){
		"a roster signed by nobody": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			s := table.Roster()
			s.Signature[0] ^= 1
			tell(ctx, t, table, s)
		},
		"a roster for more units of time": func(ctx context.Context, t *testing.T, r *matchtest.Requester, table *match.Table) {
			if err := table.Edit(r.Key, func(r *match.Roster) { r.Seconds++ }); err != nil {
				t.Fatal(err)
			}
			tell(ctx, t, table, table.Roster())
		},
		"a roster of another circuit": func(ctx context.Context, t *testing.T, r *matchtest.Requester, table *match.Table) {
			if err := table.Edit(r.Key, func(r *match.Roster) { r.Circuit[0] ^= 1 }); err != nil {
				t.Fatal(err)
			}
			tell(ctx, t, table, table.Roster())
			if got, _ := table.Final(ctx, 0); got.State != match.Withdrawn {
				t.Errorf("report %v", got)
			}
		},
		"a roster, and away": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			tell(ctx, t, table, table.Roster())
		},
		"a roster, and stop": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			tell(ctx, t, table, table.Roster())
			tell(ctx, t, table, match.Notice{Stop: true})
			if got, _ := table.Final(ctx, 0); got.State != match.Stopped {
				t.Errorf("report %v", got)
			}
		},
		"a notice that is none": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			tell(ctx, t, table, table.Roster())
			tell(ctx, t, table, match.Notice{})
			tell(ctx, t, table, make([]byte, 1000))
		},
		"a stream as another party": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			tell(ctx, t, table, table.Roster())
			if _, err := table.SessionAs(ctx, 0, 1); err != nil {
				t.Fatal(err)
			}
			if got, _ := table.Final(ctx, 0); got.State != match.Unreachable || got.Peer != 0 {
				t.Errorf("report %v", got)
			}
		},
		"noise for the first flight": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			tell(ctx, t, table, table.Roster())
			s, err := table.SessionAs(ctx, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			for range 64 {
				if _, err := s.Write(randomBytes(t, 16<<10)); err != nil {
					break // it has been noticed
				}
			}
			if got, _ := table.Final(ctx, 0); got.State != match.Aborted || got.Flight != 1 {
				t.Errorf("report %v", got)
			}
		},
		"the end for the first flight": func(ctx context.Context, t *testing.T, _ *matchtest.Requester, table *match.Table) {
			tell(ctx, t, table, table.Roster())
			s, err := table.SessionAs(ctx, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, _ := table.Final(ctx, 0); got.State != match.Broken || got.Peer != 0 {
				t.Errorf("report %v", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			m.Patience.Meet = time.Hour // nobody is waited for that has left
			p := m.Provider("p", 9, 5)
			r := m.Requester("hostile")
			ctx := m.Context()
			table, err := match.Sit(ctx, r.Seeker(), m.Request(3, 10), r.Candidates(ctx, p))
			if err != nil {
				t.Fatal(err)
			}
			act(ctx, t, r, table)
			table.Leave()
			waitFor(t, "the place to be free", func() bool { return p.Match.Busy() == 0 })
			if _, held := p.Used(); held != 0 {
				t.Errorf("%d units are held", held)
			}
			if out := mustPlay(t, m, r, m.Request(3, 10), p); !out.Matched() {
				t.Error("no match afterwards")
			}
		})
	}
}

func tell(ctx context.Context, t *testing.T, table *match.Table, v any) {
	t.Helper()
	if err := table.Tell(ctx, 0, v); err != nil {
		t.Log(err) // the provider may have had enough
	}
}

// A requester that goes away in the midst of a match leaves nothing held, and
// nobody waiting for it.
func TestRequesterLeaves(t *testing.T) {
	flights := []int{1, 2, 3, 4, 5, 6, 7, 8}
	if testing.Short() {
		flights = []int{3, 6}
	}
	for _, flight := range flights {
		for name, leave := range map[string]func(r *matchtest.Requester, cancel context.CancelFunc){
			"in order": func(_ *matchtest.Requester, cancel context.CancelFunc) { cancel() },
			"at once":  func(r *matchtest.Requester, _ context.CancelFunc) { go r.Stop() },
		} {
			t.Run(fmt.Sprintf("flight %d %s", flight, name), func(t *testing.T) {
				matchtest.CheckLeaks(t)
				m := matchtest.New(t)
				r := m.Requester("asker")
				ctx, cancel := context.WithCancel(m.Context())
				defer cancel()
				a := m.NewProvider("a")
				atFlight(a, flight, func(ctx context.Context, _ *matchtest.Provider) error {
					leave(r, cancel)
					<-ctx.Done() // the provider notices
					return ctx.Err()
				})
				a.Start()
				a.Offer(9, 5)
				b := m.Provider("b", 9, 7)
				_, left, err := r.Seeker().Play(ctx, m.Request(3, 10), r.Candidates(ctx, a, b), 2, func(match.Outcome) error { return nil })
				left(ctx)
				if err == nil {
					t.Fatal("a result without a requester")
				}
				for _, p := range []*matchtest.Provider{a, b} {
					waitFor(t, "a place to be free", func() bool { return p.Match.Busy() == 0 })
					if reserved, held := p.Used(); reserved != 0 || held != 0 {
						t.Errorf("%s has %d units reserved and %d held", p.Name, reserved, held)
					}
				}
			})
		}
	}
}
