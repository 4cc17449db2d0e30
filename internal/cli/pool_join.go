package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/identity"
)

func (a *app) poolJoinCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "join FILE",
		Short: "Join a pool with an invitation",
		Long: `Check that an invitation was signed for this identity and holds now, and install it. FILE is what 'angler pool invite'
wrote, or - for stdin. A pool file without a membership can be joined too: then only providers that serve anybody will answer.`,
		Example: "  angler pool join acme.yaml",
		Args:    oneArg("an invitation file", "angler pool join acme.yaml"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.join(args[0]) },
	}
}

// joinInfo is what `pool join` prints.
type joinInfo struct {
	Pool    string        `json:"pool"`
	Role    identity.Role `json:"role,omitempty"`
	Expires *time.Time    `json:"expires,omitempty"`
	File    string        `json:"file"`
}

func (a *app) join(from string) error {
	j, err := a.readPool(from)
	if err != nil {
		return usagef("invitation %s: %w", from, err)
	}
	if err = a.checkSamePool(j.Pool); err != nil {
		return err
	}
	info := joinInfo{Pool: j.Pool.Name, File: a.poolFile(j.Pool.Name)}
	file, err := j.Pool.Marshal()
	if j.Membership != nil {
		key, kerr := a.key()
		if kerr != nil {
			return kerr
		}
		inv := &identity.Invitation{Pool: j.Pool, Membership: *j.Membership}
		if verr := inv.Verify(key.ID(), a.now()); verr != nil {
			return fmt.Errorf("invitation %s: %w", from, verr)
		}
		info.Role, info.Expires = j.Membership.Role, &j.Membership.NotAfter
		info.File = a.memberFile(j.Pool.Name, info.Role)
		file, err = inv.Marshal()
	}
	if err != nil {
		return err
	}
	if err := writeFile(info.File, file, true); err != nil {
		return err
	}
	switch {
	case info.Expires != nil:
	case a.isMember(info.Pool):
		a.talk.warn("%s has no membership in it: the one in pool %s that was here goes on counting", from, info.Pool)
	default:
		a.talk.warn("joined pool %s without a membership: only providers that serve anybody will answer", info.Pool)
	}
	return a.print(view{data: info, names: []string{info.Pool}, text: func(p *page) {
		if info.Expires == nil {
			p.line("joined pool %s", info.Pool)
			return
		}
		p.line("joined pool %s as %s until %s", info.Pool, info.Role, info.Expires.Format(time.RFC3339))
	}})
}

// isMember says whether an invitation to a pool was accepted here.
func (a *app) isMember(pool string) bool {
	return slices.ContainsFunc([]identity.Role{identity.RoleRequester, identity.RoleOperator}, func(role identity.Role) bool {
		_, err := os.Stat(a.memberFile(pool, role))
		return err == nil
	})
}

// checkSamePool refuses a pool that has the name of one that was joined but none of its signers: somebody else's.
func (a *app) checkSamePool(pool identity.Pool) error {
	for _, path := range a.poolFiles(pool.Name) {
		old, err := a.readPool(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(pool.Signers, func(id identity.PeerID) bool { return slices.Contains(old.Pool.Signers, id) }) {
			return fmt.Errorf("another pool %s was joined, signed by other keys: if this one is right, remove %s first", pool.Name, path)
		}
	}
	return nil
}
