package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/identity"
)

func (a *app) poolCreateCommand() *cobra.Command {
	var bootstrap []string
	var out string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a pool and the key that signs its members",
		Long: `Make a pool. Its signing key stays in this state folder, in a file that only you can read: whoever has it can admit
members. The pool's file goes to --out, or to stdout; it holds no secret, but members must get it unaltered.`,
		Example: `  angler pool create harbour --bootstrap dht1.example.org:7000 --bootstrap dht2.example.org:7000 --out harbour.yaml`,
		Args:    oneArg("a name", "angler pool create harbour --bootstrap dht.example.org:7000"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.createPool(args[0], bootstrap, out)
		},
	}
	cmd.Flags().StringArrayVar(&bootstrap, "bootstrap", nil, "`host:port` of a DHT node to begin with; repeat it for several")
	cmd.Flags().StringVar(&out, "out", "", "`file` for the pool (default stdout)")
	sample(cmd.Flags(), "bootstrap", "dht.example.org:7000")
	sample(cmd.Flags(), "out", "harbour.yaml")
	return cmd
}

func (a *app) createPool(name string, bootstrap []string, out string) error {
	// Check all that can be checked before a key is made; any valid id does for that.
	draft, err := identity.Generate(a.rand)
	if err != nil {
		return err
	}
	pool := identity.Pool{Name: name, Bootstrap: bootstrap, Signers: []identity.PeerID{draft.ID()}}
	if err = pool.Validate(); err != nil {
		return asUsage(err)
	}
	path := a.signerFile(name)
	if exists(a.poolFile(name)) {
		if exists(path) {
			return fmt.Errorf("pool %s was made here already (%s): invite its members with 'angler pool invite', or choose another name", name, path)
		}
		return fmt.Errorf("another pool %s was joined here: choose another name", name)
	}
	if out != "" && exists(out) {
		return usagef("--out: %s exists; choose another file, for example --out %s-2.yaml", out, name)
	}
	signer, err := identity.LoadOrCreate(path, a.rand)
	if err != nil {
		return err
	}
	pool.Signers[0] = signer.ID()
	file, err := pool.Marshal()
	if err != nil {
		return err
	}
	if err = writeFile(a.poolFile(name), file, false); err != nil {
		return err
	}
	a.talk.done("made pool %s; its signing key is %s", name, path)
	if len(bootstrap) == 0 {
		a.talk.warn("the pool has no bootstrap node: members will need --bootstrap")
	}
	return a.deliver(out, file, pool, name)
}

// deliver writes a file that is the result of a command to --out, or prints it.
func (a *app) deliver(out string, file []byte, data any, name string) error {
	if out == "" {
		return a.print(view{data: data, names: []string{name}, text: func(p *page) { p.Write(file) }})
	}
	if err := writeFile(out, file, false); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	a.talk.done("wrote %s", out)
	if a.flags.output == formatTable || a.flags.output == formatWide {
		return nil
	}
	return a.print(view{data: data, names: []string{out}})
}
