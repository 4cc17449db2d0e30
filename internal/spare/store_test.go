package spare

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// mint makes one end of a set; the same seed makes the same.
func mint(tb testing.TB, seed uint64) mpc.WarmPair {
	tb.Helper()
	return mpctest.Deal(mpctest.Rand("spare", seed, 0), 2)[0][1]
}

// mirror is a set whose directions are called the other way round, as at the
// other end.
func mirror(p mpc.WarmPair) mpc.WarmPair {
	r, s := *p.Receiver, *p.Sender
	r.ID, s.ID = s.ID, r.ID
	return mpc.WarmPair{Receiver: &r, Sender: &s}
}

var (
	self   = identity.PeerID{1}
	friend = identity.PeerID{2}
	rival  = identity.PeerID{3}
	boot   = Host{1}
)

func open(tb testing.TB, dir string) *Store {
	tb.Helper()
	s, err := Open(Config{Dir: dir, Self: self, Host: boot})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func folder(tb testing.TB) string { tb.Helper(); return filepath.Join(tb.TempDir(), "spares") }

func (s *Store) only(p mpc.WarmPair, peer identity.PeerID) {
	s.Put(map[identity.PeerID]mpc.WarmPair{peer: p})
}

func names(tb testing.TB, dir string) (all []string) {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// What was put is taken once, whole, by the peer's name only, and is on no disk
// when it is handed out.
func TestOneUse(t *testing.T) {
	dir := folder(t)
	s := open(t, dir)
	p := mint(t, 1)
	s.only(p, friend)
	files := names(t, dir)
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, files[0]): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if _, ok := s.Newest(rival); ok {
		t.Error("somebody else's set")
	}
	if _, ok := s.Take(friend, ID{1}); ok {
		t.Error("a set that never was")
	}
	again := open(t, dir) // another process
	set, ok := again.Newest(friend)
	if !ok || set.ID != idOf(p) || !bytes.Equal(encode(head{}, set.Pair), encode(head{}, p)) {
		t.Fatal("not what was put")
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, ok = s.Take(friend, set.ID); ok {
		t.Error("taken twice")
	}
	if _, ok = s.Newest(friend); ok {
		t.Error("taken twice")
	}
}

// Two ends that put in the same order agree on the newest.
func TestNewestFirst(t *testing.T) {
	s := open(t, folder(t))
	for k := range 3 {
		s.only(mint(t, uint64(k)), friend)
		name := fileName(friend, idOf(mint(t, uint64(k))))
		at := time.Now().Add(time.Duration(k-3) * time.Minute)
		if err := os.Chtimes(s.path(name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for k := 2; k >= 0; k-- {
		if set, ok := s.Newest(friend); !ok || set.ID != idOf(mint(t, uint64(k))) {
			t.Errorf("not set %d", k)
		}
	}
}

// Neither a peer nor all of them fill the disk; the oldest go.
func TestBounds(t *testing.T) {
	s := open(t, folder(t))
	last := uint64(PerPeer + 3)
	for k := range last {
		s.only(mint(t, k), friend)
	}
	if n, err := s.Count(); err != nil || n != PerPeer {
		t.Errorf("%d sets of one peer: %v", n, err)
	}
	many := map[identity.PeerID]mpc.WarmPair{}
	for k := range Total {
		many[identity.PeerID{9, byte(k), byte(k >> 8)}] = mint(t, last+uint64(k))
	}
	past := time.Now().Add(-time.Hour)
	for _, n := range names(t, s.Dir) {
		if err := os.Chtimes(s.path(n), past, past); err != nil {
			t.Fatal(err)
		}
	}
	s.Put(many)
	if n, err := s.Count(); err != nil || n != Total {
		t.Errorf("%d sets in all: %v", n, err)
	}
	if _, ok := s.Newest(friend); ok {
		t.Error("the oldest was not dropped")
	}
}

// A store that is not there, and half a set, keep nothing.
func TestNothing(t *testing.T) {
	var none *Store
	none.only(mint(t, 1), friend)
	if _, ok := none.Newest(friend); ok {
		t.Error("a set out of nothing")
	}
	if _, ok := none.Take(friend, ID{}); ok {
		t.Error("a set out of nothing")
	}
	if n, err := none.Count(); n != 0 || err != nil {
		t.Error("it counts")
	}
	s := open(t, folder(t))
	s.only(mpc.WarmPair{Sender: mint(t, 1).Sender}, friend)
	if n, err := s.Count(); n != 0 || err != nil {
		t.Error("half a set is kept")
	}
}

// What is damaged, of elsewhere or of another name is never given out, and is
// gone after the attempt; so it is after the folder has been opened anew, unless
// only reading it whole can tell.
func TestFilesThatAreNoSets(t *testing.T) {
	good := func(h head) []byte { return encode(h, mint(t, 1)) }
	right := head{host: boot, self: self, peer: friend}
	name := fileName(friend, idOf(mint(t, 1)))
	flipped := good(right)
	flipped[fileSize/2] ^= 4
	for what, c := range map[string]struct {
		name string
		mode os.FileMode
		data []byte
		seen bool // by Open already
	}{
		"a changed bit":            {name, 0o600, flipped, false},
		"zeros":                    {name, 0o600, make([]byte, fileSize), true},
		"empty":                    {name, 0o600, nil, true},
		"truncated":                {name, 0o600, good(right)[:fileSize-1], true},
		"too long":                 {name, 0o600, append(good(right), 0), true},
		"of another boot":          {name, 0o600, good(head{host: Host{7}, self: self, peer: friend}), true},
		"of another identity":      {name, 0o600, good(head{host: boot, self: rival, peer: friend}), true},
		"of another peer":          {name, 0o600, good(head{host: boot, self: self, peer: rival}), true},
		"a copy by another name":   {fileName(friend, ID{5}), 0o600, good(right), false},
		"readable by other people": {name, 0o644, good(right), true},
	} {
		t.Run(what, func(t *testing.T) {
			dir := folder(t)
			s := open(t, dir)
			var log bytes.Buffer
			s.Log = slog.New(slog.NewTextHandler(&log, nil))
			put := func() {
				t.Helper()
				if err := os.WriteFile(s.path(c.name), c.data, c.mode); err != nil {
					t.Fatal(err)
				}
			}
			put()
			if _, ok := s.Newest(friend); ok {
				t.Error("it is used")
			}
			if left := names(t, dir); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			if !strings.Contains(log.String(), friend.Short()) {
				t.Errorf("nobody is told: %q", &log)
			}
			put()
			if left := names(t, open(t, dir).Dir); (len(left) == 0) != c.seen {
				t.Errorf("after opening: %v", left)
			}
		})
	}
}

// Of what processes leave behind that die, nothing is used: not what was being
// written, nor what was claimed and not yet deleted. What another process is
// writing just now stays.
func TestAfterACrash(t *testing.T) {
	dir := folder(t)
	s := open(t, dir)
	s.only(mint(t, 1), friend)
	name := names(t, dir)[0]
	if err := os.Rename(s.path(name), s.path(name+taken)); err != nil { // died after the claim
		t.Fatal(err)
	}
	for file, age := range map[string]time.Duration{unborn + "1": 2 * abandoned, unborn + "2": 0} {
		at := time.Now().Add(-age)
		if err := os.WriteFile(s.path(file), encode(head{host: boot, self: self, peer: friend}, mint(t, 2)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(s.path(file), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.Newest(friend); ok {
		t.Error("a set was given out that another process has claimed")
	}
	if _, ok := s.Take(friend, idOf(mint(t, 1))); ok {
		t.Error("a set was given out that another process has claimed")
	}
	open(t, dir)
	if left := names(t, dir); len(left) != 1 || left[0] != unborn+"2" {
		t.Errorf("left: %v", left)
	}
}

// What cannot be deleted is not given out.
func TestFolderThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 { // whom modes do not stop: the folder goes away instead
		s := open(t, folder(t))
		s.only(mint(t, 1), friend)
		if err := os.RemoveAll(s.Dir); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Newest(friend); ok {
			t.Error("a set out of nothing")
		}
		s.only(mint(t, 2), friend) // is not kept, and harms nobody
		return
	}
	s := open(t, folder(t))
	s.only(mint(t, 1), friend)
	if err := os.Chmod(s.Dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, ok := s.Newest(friend)
	if err := os.Chmod(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if ok {
		t.Error("it is still on disk, and was given out")
	}
}

// Many processes' worth of takers get each set once.
func TestRacingTakers(t *testing.T) {
	dir := folder(t)
	for round := range 20 {
		want := map[ID]bool{}
		w := open(t, dir)
		for k := range PerPeer {
			p := mint(t, uint64(round*PerPeer+k))
			want[idOf(p)] = true
			w.only(p, friend)
		}
		var mu sync.Mutex
		var all sync.WaitGroup
		got := map[ID]int{}
		for k := range 8 {
			s := open(t, dir)
			all.Go(func() {
				for {
					set, ok := s.Newest(friend)
					if !ok {
						return
					}
					mu.Lock()
					got[set.ID]++
					mu.Unlock()
					if k%2 == 0 {
						if _, err := Open(s.Config); err != nil { // a process that starts meanwhile
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
		for id, n := range got {
			if n != 1 || !want[id] {
				t.Fatalf("a set was given out %d times", n)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d sets of %d were given out", len(got), len(want))
		}
	}
}

// Processes that are killed at any moment lose sets, and never leave one that
// was given out.
func TestKilledProcesses(t *testing.T) {
	if dir := os.Getenv("SPARE_TEST_TAKER"); dir != "" {
		s := open(t, dir)
		for {
			if set, ok := s.Newest(friend); ok {
				fmt.Printf("took %x\n", set.ID) // by one write
			}
		}
	}
	dir := folder(t)
	s := open(t, dir)
	seen := map[string]bool{}
	for round := range 6 {
		c := exec.Command(os.Args[0], "-test.run=^TestKilledProcesses$")
		c.Env = append(os.Environ(), "SPARE_TEST_TAKER="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := make(chan string)
		go func() {
			defer close(lines)
			for s := bufio.NewScanner(out); s.Scan(); {
				lines <- s.Text()
			}
		}()
		took := func(line string) {
			id, ok := strings.CutPrefix(line, "took ")
			if ok && seen[id] {
				t.Fatalf("taken twice: %s", id)
			}
			seen[id] = seen[id] || ok
		}
		for n, k := 0, 0; n < 10; k++ {
			select {
			case line := <-lines:
				took(line)
				n++
			default:
				s.only(mint(t, uint64(round<<20+k)), friend)
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for line := range lines {
			took(line)
		}
		_ = c.Wait() // killed
		for _, name := range names(t, dir) {
			for id := range seen {
				if strings.Contains(name, id) && strings.HasSuffix(name, suffix) {
					t.Fatalf("given out, and there: %s", name)
				}
			}
		}
	}
}
