package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/identity"
)

// identityInfo is what `identity show` prints.
type identityInfo struct {
	ID          identity.PeerID  `json:"id"`
	File        string           `json:"file"`
	Memberships []membershipInfo `json:"memberships"`
}

type membershipInfo struct {
	Pool     string        `json:"pool"`
	Role     identity.Role `json:"role"`
	Operator string        `json:"operator"`
	Expires  time.Time     `json:"expires"`
	Problem  string        `json:"problem,omitempty"` // why it does not hold now
}

func (a *app) identityCommand() *cobra.Command {
	show := &cobra.Command{
		Use:   "show",
		Short: "Print this identity's peer id and memberships",
		Long: `Print the peer id of this state folder and the pools that it was admitted to. If there is no identity yet, one is
made: a file that only you can read. Give the id to a pool's owner to be invited.`,
		Example: "  angler identity show\n  angler identity show -o name    # the id alone",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			key, err := a.key()
			if err != nil {
				return err
			}
			info := identityInfo{ID: key.ID(), File: a.paths.identity()}
			if info.Memberships, err = a.memberships(key.ID()); err != nil {
				return err
			}
			return a.print(view{data: info, names: []string{info.ID.String()}, text: info.text})
		},
	}
	return group(&cobra.Command{Use: "identity", Short: "The key that names this party"}, show)
}

func (i identityInfo) text(p *page) {
	p.field("id", i.ID.String())
	p.field("file", i.File)
	if len(i.Memberships) == 0 {
		p.field("pools", "none joined")
		return
	}
	p.line("")
	t := newTable("POOL", "ROLE", "OPERATOR", "EXPIRES", "STATE")
	for _, m := range i.Memberships {
		state := "valid"
		if m.Problem != "" {
			state = m.Problem
		}
		t.row(m.Pool, string(m.Role), m.Operator, m.Expires.Format(time.RFC3339), state)
	}
	t.write(p)
}

// key is this party's identity; it is made the first time.
func (a *app) key() (*identity.Key, error) { return identity.LoadOrCreate(a.paths.identity(), a.rand) }

// memberships lists what was joined, pool by pool.
func (a *app) memberships(id identity.PeerID) ([]membershipInfo, error) {
	names, err := a.joinedNames()
	if err != nil {
		return nil, err
	}
	list := []membershipInfo{}
	for _, name := range names {
		for _, role := range []identity.Role{identity.RoleOperator, identity.RoleRequester} {
			j, err := a.readPool(a.memberFile(name, role))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if j.Membership == nil {
				return nil, fmt.Errorf("%s holds no membership: join the pool again", a.memberFile(name, role))
			}
			m := membershipInfo{Pool: name, Role: role, Operator: j.Membership.Operator, Expires: j.Membership.NotAfter}
			if err := a.checkMembership(j, id, role); err != nil {
				m.Problem = err.Error()
			}
			list = append(list, m)
		}
	}
	return list, nil
}
