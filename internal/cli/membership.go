package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/angler-dex/angler/internal/identity"
)

// A pool that was joined is a folder of its name below pools/: pool.yaml if its file was installed, and the invitation that
// was accepted for each role, operator.yaml and requester.yaml. The folder signers/ has the keys of pools made here.

// joined is one pool that this identity knows.
type joined struct {
	Pool       identity.Pool
	Membership *identity.Membership // nil: a pool file alone
}

func (a *app) poolFile(name string) string { return filepath.Join(a.paths.pools(), name, "pool.yaml") }

func (a *app) memberFile(name string, role identity.Role) string {
	return filepath.Join(a.paths.pools(), name, string(role)+".yaml")
}

func (a *app) signerFile(name string) string { return filepath.Join(a.paths.signers(), name+".key") }

// readPool reads a pool or an invitation file.
func (a *app) readPool(path string) (joined, error) {
	data, err := a.readInput(path, identity.MaxFile)
	if err != nil {
		return joined{}, err
	}
	return parsePool(data)
}

// parsePool tells the two kinds of file apart by their fields.
func parsePool(data []byte) (joined, error) {
	var probe struct {
		Pool       any `json:"pool"`
		Membership any `json:"membership"`
	}
	if err := yaml.Unmarshal(data, &probe); err == nil && (probe.Pool != nil || probe.Membership != nil) {
		inv, err := identity.ParseInvitation(data)
		if err != nil {
			return joined{}, err
		}
		return joined{inv.Pool, &inv.Membership}, nil
	}
	p, err := identity.ParsePool(data)
	if err != nil {
		return joined{}, err
	}
	return joined{Pool: *p}, nil
}

// joinedNames lists the pools that were joined, sorted.
func (a *app) joinedNames() ([]string, error) {
	entries, err := os.ReadDir(a.paths.pools())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// poolName decides which joined pool is meant: --pool, else the only one.
func (a *app) poolName() (string, error) {
	names, err := a.joinedNames()
	if err != nil {
		return "", err
	}
	switch want := a.flags.pool; {
	case want != "" && slices.Contains(names, want):
		return want, nil
	case want != "":
		return "", usagef("--pool %q was not joined%s; join it with 'angler pool join FILE', or name a file, for example --pool ./pool.yaml", clean(want), nearest(want, names))
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", errors.New("no pool was joined: give the owner of one the id that 'angler identity show' prints, then run 'angler pool join FILE' with the invitation")
	}
	return "", usagef("several pools were joined (%s): choose one, for example --pool %s", strings.Join(names, ", "), names[0])
}

func isPath(pool string) bool {
	return strings.ContainsRune(pool, os.PathSeparator) || strings.HasSuffix(pool, ".yaml") || strings.HasSuffix(pool, ".yml")
}

// membership finds the pool of --pool and this identity's standing in it in one of the roles, the first that it has. A
// membership that does not hold is an error; having none is not: a pool file alone has none.
func (a *app) membership(id identity.PeerID, roles ...identity.Role) (joined, error) {
	if isPath(a.flags.pool) {
		j, err := a.readPool(a.flags.pool)
		if err != nil {
			return j, usagef("--pool: %w", err)
		}
		return j, a.checkMembership(j, id, roles...)
	}
	name, err := a.poolName()
	if err != nil {
		return joined{}, err
	}
	for _, role := range roles {
		var j joined
		j, err = a.readPool(a.memberFile(name, role))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return j, err
		}
		if j.Membership == nil {
			return j, fmt.Errorf("%s holds no membership: join the pool again", a.memberFile(name, role))
		}
		return j, a.checkMembership(j, id, roles...)
	}
	j, err := a.readPool(a.poolFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return j, fmt.Errorf("pool %s was joined in another role than %s: ask for an invitation as %s", name, roles[0], roles[0])
	}
	return j, err
}

func (a *app) checkMembership(j joined, id identity.PeerID, roles ...identity.Role) error {
	if j.Membership == nil {
		return nil
	}
	role := roles[0]
	if slices.Contains(roles, j.Membership.Role) {
		role = j.Membership.Role
	}
	return j.Pool.Verify(*j.Membership, id, role, a.now())
}

// poolOnly finds the pool of --pool, or the only one that was joined, in whatever role.
func (a *app) poolOnly() (joined, error) {
	if isPath(a.flags.pool) {
		j, err := a.readPool(a.flags.pool)
		if err != nil {
			err = usagef("--pool: %w", err)
		}
		return j, err
	}
	name, err := a.poolName()
	if err != nil {
		return joined{}, err
	}
	for _, path := range a.poolFiles(name) {
		j, err := a.readPool(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return j, err
		}
	}
	return joined{}, fmt.Errorf("nothing of pool %s is left here: join it again", name)
}

// poolFiles are the places where something of a pool may be.
func (a *app) poolFiles(name string) []string {
	return []string{a.memberFile(name, identity.RoleRequester), a.memberFile(name, identity.RoleOperator), a.poolFile(name)}
}
