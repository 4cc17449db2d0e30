package spare

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
)

// How many sets are kept; the oldest go first. A pair needs one for each match
// that it is in at once.
const (
	PerPeer = 4
	Total   = 512
)

// abandoned is after how long an unfinished file belongs to nobody any more.
const abandoned = time.Hour

// Names in the folder.
const (
	suffix = ".set"
	taken  = ".taken"
	unborn = ".new-"
)

// Config says where sets are kept, and whose they are.
type Config struct {
	Dir  string // a folder of state, not one that caches are restored to
	Self identity.PeerID
	Host Host         // see ThisHost
	Log  *slog.Logger // nil discards
}

// Store is a folder of sets. Processes may share it. A set that is not there,
// or cannot be deleted, costs its match the base OTs and nothing else, so
// faults of the folder are logged, and the answer is: none. A nil Store holds
// nothing and keeps nothing.
type Store struct{ Config }

// Open returns the store in a folder, which is made with mode 0700 if needed.
// What is there and can never be used is deleted: sets of another boot, machine
// or identity, files that are no sets, what a process that died left behind.
func Open(cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{cfg}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("spare sets: %w", err)
	}
	if err := os.Chmod(s.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("spare sets: %w", err)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("spare sets: %w", err)
	}
	swept := false
	for _, e := range entries {
		if s.useless(e) {
			swept = true
			if err = durable.Remove(s.path(e.Name())); err != nil {
				return nil, fmt.Errorf("spare sets: %w", err)
			}
		}
	}
	if swept {
		err = durable.SyncFolder(s.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("spare sets: %w", err)
	}
	return s, nil
}

// OpenHere is Open for this boot of this machine.
func OpenHere(dir string, self identity.PeerID, log *slog.Logger) (*Store, error) {
	host, err := ThisHost()
	if err != nil {
		return nil, fmt.Errorf("spare sets: %w", err)
	}
	return Open(Config{Dir: dir, Self: self, Host: host, Log: log})
}

// useless tells whether a file of ours can be deleted unread.
func (s *Store) useless(e fs.DirEntry) bool {
	info, err := e.Info()
	name := e.Name()
	switch {
	case err != nil || info.IsDir():
		return false // gone, or not ours
	case strings.HasPrefix(name, unborn):
		return time.Since(info.ModTime()) > abandoned
	case strings.HasSuffix(name, taken):
		return true // whoever takes it has it open
	case !strings.HasSuffix(name, suffix):
		return false
	case !proper(info):
		return true
	}
	f, err := os.Open(s.path(name))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	b := make([]byte, headSize)
	if _, err = f.ReadAt(b, 0); err != nil {
		return true
	}
	h, err := parseHead(b)
	return err != nil || h.host != s.Host || h.self != s.Self || !strings.HasPrefix(name, h.peer.String()+"-")
}

// Put keeps the sets that a match has minted, by peer, each for one later
// match. It must be told of a set once only.
func (s *Store) Put(minted map[identity.PeerID]mpc.WarmPair) {
	if s == nil || len(minted) == 0 {
		return
	}
	for peer, pair := range minted {
		if pair.Receiver == nil || pair.Sender == nil {
			continue
		}
		if err := s.put(peer, pair); err != nil {
			s.Log.Warn("spare set not kept", "peer", peer.Short(), "err", err)
		}
	}
	if err := s.trim(); err != nil {
		s.Log.Warn("spare sets not counted", "err", err)
	}
}

func (s *Store) put(peer identity.PeerID, pair mpc.WarmPair) error {
	b := encode(head{host: s.Host, self: s.Self, peer: peer}, pair)
	defer clear(b)
	f, err := os.CreateTemp(s.Dir, unborn) // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), s.path(fileName(peer, idOf(pair))))
	}
	if err != nil {
		return errors.Join(err, durable.Remove(f.Name()))
	}
	return nil
}

// Count is how many sets there are.
func (s *Store) Count() (int, error) {
	if s == nil {
		return 0, nil
	}
	files, err := s.list("")
	return len(files), err
}

// trim deletes the oldest sets beyond the bounds.
func (s *Store) trim() error {
	files, err := s.list("")
	if err != nil {
		return err
	}
	of := map[string]int{}
	kept := 0
	for _, f := range files { // newest first
		peer, _, _ := strings.Cut(f.name, "-")
		if of[peer] < PerPeer && kept < Total {
			of[peer]++
			kept++
			continue
		}
		err = errors.Join(err, durable.Remove(s.path(f.name)))
	}
	return err
}

// file is a set's, unread.
type file struct {
	name string
	at   time.Time
}

// list returns the sets whose names begin with prefix, newest first.
func (s *Store) list(prefix string) ([]file, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || !strings.HasSuffix(e.Name(), suffix) || e.IsDir() {
			continue
		}
		if info, err := e.Info(); err == nil { // else gone
			files = append(files, file{e.Name(), info.ModTime()})
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return b.at.Compare(a.at) })
	return files, nil
}

func (s *Store) path(name string) string { return filepath.Join(s.Dir, name) }

func fileName(peer identity.PeerID, id ID) string {
	return peer.String() + "-" + hex.EncodeToString(id[:]) + suffix
}
