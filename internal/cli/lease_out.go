package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/requester"
)

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
		Contexts []struct {
			Name string `json:"name"`
		} `json:"contexts"`
	}
	ours := yaml.Unmarshal(data, &k) == nil && len(k.Contexts) > 0
	for _, c := range k.Contexts {
		ours = ours && strings.HasPrefix(c.Name, "angler-")
	}
	return ours
}

// deliverLease writes the kubeconfig of a new lease and prints the outcome.
func (a *app) deliverLease(store *requester.Store, l requester.Lease, out string) error {
	config, err := l.Kubeconfig(requester.Access{})
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
