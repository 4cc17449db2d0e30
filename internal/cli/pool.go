package cli

import "github.com/spf13/cobra"

func (a *app) poolCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "pool",
		Short: "Make a pool, invite members to it, join one",
		Long: `A pool is a market: a name, the nodes at which its network can be entered, and the keys that admit its members.
Providers serve members of their pool and nobody else, unless they say otherwise.`,
		Example: `  # The owner makes a pool and keeps the key that signs its members:
  angler pool create harbour --bootstrap dht.example.org:7000 --out harbour.yaml

  # Each member tells the owner its id, and joins with what it gets back:
  angler identity show -o name
  angler pool invite PEERID --role operator --operator acme --expires 720h --out acme.yaml
  angler pool join acme.yaml`,
	}, a.poolCreateCommand(), a.poolInviteCommand(), a.poolJoinCommand())
}
