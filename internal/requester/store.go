package requester

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/market"
)

// Errors of a Store.
var (
	// ErrNoLease says that no stored lease has this id, or more than one begins so.
	ErrNoLease = errors.New("no such lease")
	// ErrDamaged says that a lease's file is not what Put wrote.
	ErrDamaged = errors.New("damaged")
)

const (
	suffix = ".json"
	// maxLeaseFile bounds what is written and read back, in bytes: 64 parts, each
	// with the largest grant and a hundred renewals with the largest receipts.
	maxLeaseFile = 32 << 20
	// abandoned is after how long an unfinished file belongs to nobody any more.
	abandoned = time.Hour
)

// Store is the folder of a requester's leases, one file each. Processes may
// share it: every file is replaced as a whole.
type Store struct {
	dir     string
	replace func(path string, data []byte) error // durable.Replace
}

// OpenStore returns the store in dir, which is made with mode 0700 if needed.
// What a process that died has left unfinished there is deleted: it may hold
// credentials.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lease store: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lease store: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && unfinished(e.Name()) && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, e.Name())) // if it cannot be deleted it harms nobody else
		}
	}
	return &Store{dir: dir, replace: durable.Replace}, nil
}

// Dir is the store's folder: kubeconfigs are written there by default.
func (s *Store) Dir() string { return s.dir }

// KubeconfigPath is where a lease's kubeconfig is written unless --out names
// another place.
func (s *Store) KubeconfigPath(id market.LeaseID) string {
	return filepath.Join(s.dir, id.Short()+kubeconfigSuffix)
}

// ProxyPath is where the kubeconfig of a lease's proxy is while that runs: each has
// its own, by a port that it listens on, which no other can at the same time.
func (s *Store) ProxyPath(id market.LeaseID, port uint16) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%d%s", proxyPrefix(id), port, kubeconfigSuffix))
}

// Kubeconfigs lists what there is of a lease's kubeconfigs in the folder, those
// that proxies which were killed have left there among them.
func (s *Store) Kubeconfigs(id market.LeaseID) []string {
	entries, _ := os.ReadDir(s.dir) // what cannot be read holds nothing that we wrote
	var paths []string
	for _, e := range entries {
		path := filepath.Join(s.dir, e.Name())
		proxy := strings.HasPrefix(e.Name(), proxyPrefix(id)) && strings.HasSuffix(e.Name(), kubeconfigSuffix)
		if proxy || path == s.KubeconfigPath(id) {
			paths = append(paths, path)
		}
	}
	return paths
}

const kubeconfigSuffix = ".kubeconfig"

func proxyPrefix(id market.LeaseID) string { return id.Short() + ".proxy-" }

func (s *Store) path(id market.LeaseID) string { return filepath.Join(s.dir, id.String()+suffix) }

// Put writes a lease; it is durable and whole when Put returns, and whoever
// reads meanwhile sees the one before.
func (s *Store) Put(l Lease) error {
	text, err := l.encode()
	if err == nil && len(text) > maxLeaseFile {
		err = errors.New("larger than a lease") // it could not be read back
	}
	if err == nil {
		err = s.replace(s.path(l.ID), text)
	}
	if err != nil {
		return fmt.Errorf("store lease %s: %w", l.ID.Short(), err)
	}
	return nil
}

// Get reads the lease whose id begins with prefix: ErrNoLease if there is not
// exactly one, ErrDamaged if its file is not a lease.
func (s *Store) Get(prefix string) (Lease, error) {
	ids, err := s.ids()
	if err != nil {
		return Lease{}, err
	}
	var hits []market.LeaseID
	for _, id := range ids {
		if prefix != "" && strings.HasPrefix(id.String(), prefix) {
			hits = append(hits, id)
		}
	}
	if len(hits) != 1 {
		return Lease{}, fmt.Errorf("%w: %d leases begin with %.60q (angler lease list shows all)", ErrNoLease, len(hits), prefix)
	}
	return s.read(hits[0])
}

// Part finds one part of a lease: by the beginning of the part's id, by its name
// in the kubeconfig, with or without the leading angler-, or by the lease's id.
// part is -1 if that names a lease of several parts. Errors are as of Get.
func (s *Store) Part(name string) (l Lease, part int, err error) {
	name = strings.TrimPrefix(name, "angler-")
	if short, number, ok := strings.Cut(name, "-"); ok {
		if l, err = s.Get(short); err != nil {
			return l, 0, err
		}
		for k := range l.Parts {
			if _, n, _ := strings.Cut(strings.TrimPrefix(l.Context(k), "angler-"), "-"); n == number {
				return l, k, nil
			}
		}
		return l, 0, fmt.Errorf("%w: lease %s has no part %.20q", ErrNoLease, l.ID.Short(), number)
	}
	if l, err = s.Get(name); err == nil {
		if len(l.Parts) == 1 {
			return l, 0, nil
		}
		return l, -1, nil
	}
	leases, _ := s.List() // the readable ones
	hits := 0
	for _, x := range leases {
		for k, p := range x.Parts {
			if name != "" && strings.HasPrefix(p.ID.String(), name) {
				l, part = x, k
				hits++
			}
		}
	}
	if hits != 1 {
		return Lease{}, 0, err
	}
	return l, part, nil
}

// List returns all leases, newest first. A file that cannot be read is an
// error, for a lease that is silently missing is one that nobody releases; the
// others are returned beside it.
func (s *Store) List() ([]Lease, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	var leases []Lease
	var bad []error
	for _, id := range ids {
		l, err := s.read(id)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		leases = append(leases, l)
	}
	slices.SortFunc(leases, func(a, b Lease) int { return b.Created.Compare(a.Created) })
	return leases, errors.Join(bad...)
}

// ids lists the leases that there are files of.
func (s *Store) ids() ([]market.LeaseID, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lease store: %w", err)
	}
	var ids []market.LeaseID
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok {
			continue
		}
		if id, err := market.ParseLeaseID(name); err == nil { // else somebody else's file
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *Store) read(id market.LeaseID) (Lease, error) {
	path := s.path(id)
	f, err := os.Open(path)
	if err != nil {
		return Lease{}, fmt.Errorf("lease %s: %w", id.Short(), err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLeaseFile+1))
	if err != nil {
		return Lease{}, fmt.Errorf("lease %s: %w", id.Short(), err)
	}
	if len(text) > maxLeaseFile {
		return Lease{}, fmt.Errorf("%s: %w: larger than a lease", path, ErrDamaged)
	}
	l, err := parseLease(text)
	if err != nil {
		return Lease{}, fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
	}
	if l.ID != id {
		return Lease{}, fmt.Errorf("%s: %w: it is of another lease", path, ErrDamaged)
	}
	return l, nil
}

// unfinished tells whether a name is that of a lease's temporary file, as
// package durable or an earlier version names them.
func unfinished(name string) bool {
	return strings.HasPrefix(name, ".") && strings.Contains(name, suffix+".")
}
