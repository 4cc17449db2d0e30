package requester

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// State is where a lease stands for its requester.
type State string

// The states of a lease at the requester.
const (
	Claiming State = "claiming" // the match was won; nothing is granted yet
	Granted  State = "granted"  // the grant is stored, the provider does not know
	Active   State = "active"   // confirmed
	Released State = "released" // given back
	Lost     State = "lost"     // the provider refused, failed or tore it down
)

// Lease is one lease as its requester keeps it. It holds a credential: its
// file has mode 0600.
type Lease struct {
	ID       market.LeaseID  `json:"id"`
	SID      []byte          `json:"sid"`
	State    State           `json:"state"`
	Class    market.Class    `json:"class"`
	Quantity market.Quantity `json:"quantity"`
	Price    market.Price    `json:"price"`
	Duration time.Duration   `json:"duration"`
	Policy   string          `json:"policy"`
	Provider identity.PeerID `json:"provider"`
	Record   []byte          `json:"record"` // the provider's signed record: where it is reached
	Roster   []byte          `json:"roster"` // body of the signed roster: what the sid is the hash of
	Grant    *k8s.Grant      `json:"grant,omitempty"`
	Receipt  []byte          `json:"receipt,omitempty"`
	Signed   []byte          `json:"signed,omitempty"` // the provider's signature under the receipt
	Created  time.Time       `json:"created"`
	Expires  time.Time       `json:"expires,omitzero"`
	Reason   string          `json:"reason,omitempty"` // why it was lost
}

// ErrNoLease says that no stored lease has this id, or more than one begins so.
var ErrNoLease = errors.New("no such lease")

// maxLeaseFile bounds what is read back, in bytes.
const maxLeaseFile = 1 << 20

// Store is the folder of a requester's leases, one file each.
type Store struct{ dir string }

// OpenStore returns the store in dir, which is made with mode 0700 if needed.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("lease store: %w", err)
	}
	return &Store{dir: dir}, nil
}

// Dir is the store's folder: kubeconfigs are written there by default.
func (s *Store) Dir() string { return s.dir }

func (s *Store) path(id market.LeaseID) string { return filepath.Join(s.dir, id.String()+".json") }

// Put writes a lease so that it is durable and whole when Put returns: to a
// temporary file, synced, renamed, the folder synced.
func (s *Store) Put(l Lease) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("store lease %s: %w", l.ID.Short(), err)
	}
	if err := WriteFile(s.path(l.ID), append(text, '\n')); err != nil {
		return fmt.Errorf("store lease %s: %w", l.ID.Short(), err)
	}
	return nil
}

// WriteFile replaces the file at path atomically and durably, with mode 0600.
func WriteFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already if the rename succeeded
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get reads the lease whose id begins with prefix; ErrNoLease if there is not
// exactly one.
func (s *Store) Get(prefix string) (Lease, error) {
	if prefix == "" || strings.ContainsAny(prefix, "/\\.*?[") {
		return Lease{}, fmt.Errorf("%w: %.60q", ErrNoLease, prefix)
	}
	hits, err := filepath.Glob(filepath.Join(s.dir, prefix+"*.json"))
	if err != nil || len(hits) != 1 {
		return Lease{}, fmt.Errorf("%w: %d leases begin with %.60q (angler lease list shows all)", ErrNoLease, len(hits), prefix)
	}
	return s.read(hits[0])
}

func (s *Store) read(path string) (Lease, error) {
	var l Lease
	info, err := os.Stat(path)
	if err != nil {
		return l, err
	}
	if info.Size() > maxLeaseFile {
		return l, fmt.Errorf("%s: larger than a lease", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("%s is damaged: %w", path, err)
	}
	return l, nil
}

// List returns all leases, newest first. A file that cannot be read is an
// error, for a lease that is silently missing is one that nobody releases; the
// others are returned beside it.
func (s *Store) List() ([]Lease, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var leases []Lease
	var bad []error
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		l, err := s.read(filepath.Join(s.dir, e.Name()))
		if err != nil {
			bad = append(bad, err)
			continue
		}
		leases = append(leases, l)
	}
	slices.SortFunc(leases, func(a, b Lease) int { return b.Created.Compare(a.Created) })
	return leases, errors.Join(bad...)
}

// KubeconfigPath is where a lease's kubeconfig is written unless --out names
// another place.
func (s *Store) KubeconfigPath(id market.LeaseID) string {
	return filepath.Join(s.dir, id.Short()+".kubeconfig")
}
