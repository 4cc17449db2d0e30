package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/requester"
)

// stateExpired is shown for a lease that was kept to its end.
const stateExpired = "expired"

// lapses is after how long a lease that is still being claimed is over: no claim goes on for so long, and its provider has
// given up what nobody claimed or confirmed. A command that was killed leaves such a row.
const lapses = 10 * time.Minute

// leaseInfo is a requester's lease as the commands print it: never its credential.
type leaseInfo struct {
	control.Lease
	Policy     string `json:"policy"`
	Server     string `json:"server,omitempty"`     // API server
	Kubeconfig string `json:"kubeconfig,omitempty"` // file
	Reason     string `json:"reason,omitempty"`     // why it was lost
}

func (a *app) leaseInfo(store *requester.Store, l requester.Lease) leaseInfo {
	info := leaseInfo{Policy: l.Policy, Reason: l.Reason, Lease: control.Lease{
		ID: l.ID.String(), State: string(l.State), Class: l.Class.String(), Quantity: uint32(l.Quantity), Price: l.Price.String(),
		Provider: l.Provider.String(), Duration: control.Duration(l.Duration), Created: l.Created.UTC().Truncate(time.Second),
	}}
	if l.Grant != nil {
		info.Namespace, info.Server = l.Grant.Namespace, l.Grant.Server
	}
	if !l.Expires.IsZero() {
		at := l.Expires.UTC().Truncate(time.Second)
		info.Expires = &at
	}
	switch {
	case a.expired(l):
		info.State = stateExpired
	case a.lapsed(l):
		info.State, info.Reason = string(requester.Lost), "it was never claimed to the end"
	}
	if path := store.KubeconfigPath(l.ID); isFile(path) {
		info.Kubeconfig = path
	}
	return info
}

func (a *app) expired(l requester.Lease) bool {
	return (l.State == requester.Active || l.State == requester.Granted) && !l.Expires.IsZero() && !l.Expires.After(a.now())
}

func (a *app) lapsed(l requester.Lease) bool {
	return l.State == requester.Claiming && a.now().Sub(l.Created) > lapses
}

// live tells whether a lease is one that list shows without --all.
func (a *app) live(l requester.Lease) bool {
	return l.State != requester.Released && l.State != requester.Lost && !a.expired(l) && !a.lapsed(l)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// checkOut refuses, before anything is asked for, a place for a kubeconfig that could not be written or that holds somebody's
// clusters.
func (a *app) checkOut(out string) error {
	if out == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return flagError("out", fmt.Sprintf("%s: there is no folder %s", clean(out), filepath.Dir(out)), "--out lease.kubeconfig")
	}
	data, err := os.ReadFile(out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--out: %w", err)
	case !ownKubeconfig(data):
		return flagError("out", clean(out)+" is a file that angler did not write; it is left alone", "--out lease.kubeconfig")
	}
	return nil
}

// ownKubeconfig tells a file of ours: it may be replaced.
func ownKubeconfig(data []byte) bool {
	var k struct {
		Current  string `json:"current-context"`
		Contexts []any  `json:"contexts"`
	}
	return yaml.Unmarshal(data, &k) == nil && len(k.Contexts) == 1 && strings.HasPrefix(k.Current, "angler-")
}

// deliverLease writes the kubeconfig of a new lease and prints the outcome.
func (a *app) deliverLease(store *requester.Store, l requester.Lease, out string) error {
	config, err := l.Kubeconfig()
	if err != nil {
		return err
	}
	if a.flags.output == formatKubeconfig && out == "" {
		a.talk.done("lease %s", l.ID)
		return a.write(config)
	}
	path := out
	if path == "" {
		path = store.KubeconfigPath(l.ID)
	}
	if err := writeFile(path, config, true); err != nil {
		return fmt.Errorf("lease %s is yours, but its kubeconfig could not be written (%w): get it with 'angler lease kubeconfig %s'", l.ID.Short(), err, l.ID.Short())
	}
	if a.flags.output == formatKubeconfig {
		return a.write(config)
	}
	info := a.leaseInfo(store, l)
	info.Kubeconfig = path
	return a.print(view{data: info, names: []string{info.ID}, text: func(p *page) {
		a.leaseText(p, info)
		p.line("")
		p.line("kubectl --kubeconfig %s get resourcequota", path)
	}})
}

// leaseText is one lease for people.
func (a *app) leaseText(p *page, l leaseInfo) {
	p.field("lease", l.ID)
	p.field("state", l.State)
	p.field("reason", l.Reason)
	p.field("provider", l.Provider)
	p.field("units", fmt.Sprintf("%d of %s at %s an hour each", l.Quantity, shortClass(l.Class), l.Price))
	p.field("namespace", l.Namespace)
	p.field("server", l.Server)
	if l.Expires != nil {
		left := l.Expires.Sub(a.now())
		if left > 0 {
			p.field("expires", l.Expires.Format(time.RFC3339)+" (in "+age(left)+")")
		} else {
			p.field("expired", l.Expires.Format(time.RFC3339))
		}
	}
	p.field("kubeconfig", l.Kubeconfig)
}

// The key of an ephemeral identity is kept with its lease: only it can renew or release.

func (a *app) leaseKeyFile(id market.LeaseID) string {
	return filepath.Join(a.paths.leases(), id.String()+".key")
}

func (a *app) keepKey(id market.LeaseID, key *identity.Key) error {
	return writeFile(a.leaseKeyFile(id), key.MarshalPEM(), true)
}

// leaseKey is the identity that a lease belongs to.
func (a *app) leaseKey(id market.LeaseID) (*identity.Key, error) {
	key, err := identity.Load(a.leaseKeyFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return a.key()
	}
	return key, err
}
