package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/identity"
)

type inviteFlags struct {
	role, operator, out, key string
	expires                  time.Duration
}

func (a *app) poolInviteCommand() *cobra.Command {
	var f inviteFlags
	cmd := &cobra.Command{
		Use:   "invite PEERID",
		Short: "Admit a member to a pool that was made here",
		Long: `Sign a membership for a peer. The invitation goes to --out, or to stdout; it serves only the peer that it names, so it
needs no secrecy. Give each organisation one --operator name: a private match counts distinct operators, because
several providers of one organisation could otherwise surround a single honest one.`,
		Example: `  angler pool invite 4w2q… --role operator --operator acme --expires 720h --out acme.yaml
  angler pool invite 4w2q… --role requester --operator ci-team | ssh ci angler pool join -`,
		Args: oneArg("the peer id that 'angler identity show' prints at the member", "angler pool invite PEERID --role operator --operator acme"),
		RunE: func(_ *cobra.Command, args []string) error { return a.invite(args[0], f) },
	}
	cmd.Flags().StringVar(&f.role, "role", "", "what the member may do: operator (provide) or requester")
	cmd.Flags().StringVar(&f.operator, "operator", "", "`name` of the organisation behind the member")
	cmd.Flags().DurationVar(&f.expires, "expires", 30*24*time.Hour, "how long the membership holds")
	cmd.Flags().StringVar(&f.out, "out", "", "`file` for the invitation (default stdout)")
	cmd.Flags().StringVar(&f.key, "signing-key", "", "`file` of the pool's signing key (default the one made by pool create)")
	sample(cmd.Flags(), "role", "operator")
	sample(cmd.Flags(), "operator", "acme")
	sample(cmd.Flags(), "expires", "720h")
	return cmd
}

func (a *app) invite(peer string, f inviteFlags) error {
	id, err := identity.ParsePeerID(peer)
	if err != nil {
		return usagef("PEERID: %w; 'angler identity show' prints a valid one", err)
	}
	role, err := identity.ParseRole(f.role)
	if err != nil {
		return flagError("role", "is operator or requester", "--role operator")
	}
	if f.operator == "" {
		return flagError("operator", "names the organisation behind the member and is required", "--operator acme")
	}
	if f.expires < time.Minute {
		return flagError("expires", "is less than a minute", "--expires 720h")
	}
	pool, err := a.ownPool()
	if err != nil {
		return err
	}
	path := f.key
	if path == "" {
		path = a.signerFile(pool.Name)
	}
	signer, err := identity.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the signing key of pool %s is not here (%s): only who made the pool can invite, or name the key with --signing-key", pool.Name, path)
	}
	if err != nil {
		return err
	}
	now := a.now()
	m, err := identity.SignMembership(signer, identity.Membership{
		Pool: pool.Name, Member: id, Role: role, Operator: f.operator, NotBefore: now, NotAfter: now.Add(f.expires),
	})
	if err != nil {
		return asUsage(err)
	}
	inv := &identity.Invitation{Pool: pool, Membership: m}
	if err = inv.Verify(id, now); err != nil {
		return fmt.Errorf("the invitation would not hold: %w", err)
	}
	file, err := inv.Marshal()
	if err != nil {
		return err
	}
	a.talk.done("signed %s as %s of %s (%s) until %s", id.Short(), role, pool.Name, f.operator, m.NotAfter.Format(time.RFC3339))
	return a.deliver(f.out, file, inv, id.String())
}

// ownPool is the pool that --pool means, which must have a file here; alone, the only one.
func (a *app) ownPool() (identity.Pool, error) {
	path := a.flags.pool
	if !isPath(path) {
		name, err := a.poolName()
		if err != nil {
			return identity.Pool{}, err
		}
		path = a.poolFile(name)
	}
	j, err := a.readPool(path)
	if errors.Is(err, fs.ErrNotExist) {
		return identity.Pool{}, usagef("no pool file %s: name the pool's file, for example --pool harbour.yaml", path)
	}
	return j.Pool, err
}
