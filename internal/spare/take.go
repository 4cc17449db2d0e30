package spare

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/identity"
)

// Newest takes the newest set that is kept for a peer, for one match. When it
// returns, the set is on no disk and in no other hands. The caller wipes it,
// unless a match does.
func (s *Store) Newest(peer identity.PeerID) (Set, bool) {
	if s == nil {
		return Set{}, false
	}
	files, err := s.list(peer.String() + "-")
	if err != nil {
		s.Log.Warn("spare sets cannot be listed", "err", err)
		return Set{}, false
	}
	for _, f := range files {
		if set, ok := s.give(peer, f.name); ok {
			return set, true
		}
	}
	return Set{}, false
}

// Has says whether a set is kept for a peer. Whoever then takes it may still find
// that somebody was faster.
func (s *Store) Has(peer identity.PeerID) bool {
	if s == nil {
		return false
	}
	files, err := s.list(peer.String() + "-")
	return err == nil && len(files) > 0
}

// Take is Newest for the set with an id.
func (s *Store) Take(peer identity.PeerID, id ID) (Set, bool) {
	if s == nil {
		return Set{}, false
	}
	return s.give(peer, fileName(peer, id))
}

func (s *Store) give(peer identity.PeerID, name string) (Set, bool) {
	set, err := s.take(peer, name)
	switch {
	case err == nil:
		return set, true
	case !errors.Is(err, fs.ErrNotExist): // else somebody else was faster, or it never was
		s.Log.Warn("spare set not used", "peer", peer.Short(), "err", err)
	}
	return Set{}, false
}

// take claims, reads and deletes one file, in this order; see the package's
// comment. Whatever is wrong with it, it is not there afterwards.
func (s *Store) take(peer identity.PeerID, name string) (Set, error) {
	path := s.path(name)
	info, err := os.Lstat(path)
	if err != nil {
		return Set{}, err
	}
	if !proper(info) {
		return Set{}, errors.Join(errNotASet, durable.Remove(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return Set{}, errors.Join(err, durable.Remove(path))
	}
	defer f.Close()
	claimed := path + taken
	if err = os.Rename(path, claimed); err != nil {
		return Set{}, err
	}
	b := make([]byte, fileSize)
	defer clear(b)
	_, readErr := io.ReadFull(f, b)
	if err = errors.Join(durable.Remove(claimed), durable.SyncFolder(s.Dir)); err != nil {
		return Set{}, fmt.Errorf("it cannot be deleted: %w", err)
	}
	if readErr != nil {
		return Set{}, fmt.Errorf("%w: %w", errNotASet, readErr)
	}
	h, set, err := parse(b)
	if err != nil {
		return Set{}, err
	}
	if h != (head{host: s.Host, self: s.Self, peer: peer}) || fileName(peer, set.ID) != name {
		set.Wipe()
		return Set{}, errForeign
	}
	return set, nil
}

var errForeign = errors.New("set of another boot, machine or identity, or under another name")

// proper tells whether a file can be a set: regular, of the right size, and for
// no other user's eyes.
func proper(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Mode().Perm()&0o077 == 0 && info.Size() == int64(fileSize)
}
