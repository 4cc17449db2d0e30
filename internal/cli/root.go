package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// globalFlags are the flags that every command has.
type globalFlags struct {
	output   string
	quiet    bool
	timeout  time.Duration
	config   string
	stateDir string
	socket   string
	pool     string
}

// Groups of commands in the help.
const (
	groupProvide = "provide"
	groupRequest = "request"
	groupMember  = "member"
	groupTry     = "try"
)

const rootLong = `Angler is a dark pool for Kubernetes capacity. Providers offer shares of their clusters, requesters ask for some,
and a computation among all of them finds who serves whom: nobody learns how much a provider has or what it asks,
and nobody but the provider that wins learns how much was requested.

Every flag under Global Flags, and those of serve and request, can also be set in the environment (ANGLER_OUTPUT,
ANGLER_SERVE_LISTEN) and in the configuration file (output: json, serve: {listen: ":7946"}). Flags win over the
environment, the environment wins over the file.`

const rootExample = `  # What does each party learn? A whole match in one process:
  angler simulate -f scenario.yaml

  # Offer ten units of 1 cpu and 1 Gi, at 0.03 an hour each:
  angler serve --capacity cpu=10,memory=10Gi &
  angler offer --cpu 10 --price 0.03

  # Get a namespace with 32 cpus, and use it:
  angler request --cpu 32 --out lease.kubeconfig
  kubectl --kubeconfig lease.kubeconfig get quota`

func (a *app) rootCommand() *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:               "angler",
		Short:             "A dark pool for Kubernetes capacity",
		Long:              rootLong + "\n\nExit codes:\n" + strings.TrimRight(exitCodes(), "\n"),
		Example:           rootExample,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	root.SetFlagErrorFunc(flagFault)
	f := root.PersistentFlags()
	f.SortFlags = false
	f.StringVarP(&a.flags.output, "output", "o", formatTable, "output `format`: table, wide, json, yaml or name")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "no progress, notes or warnings on stderr")
	f.DurationVar(&a.flags.timeout, "timeout", 0, "bound on the whole command, such as 5m (default none)")
	f.StringVar(&a.flags.pool, "pool", "", "`name` of a pool that was joined, or a pool or invitation file (default the only one joined)")
	f.StringVar(&a.flags.stateDir, "state-dir", "", "`folder` of everything: identity, pools, ledger, leases, socket, config.yaml (default XDG folders)")
	f.StringVar(&a.flags.socket, "socket", "", "`path` of the daemon's control socket (default in $XDG_RUNTIME_DIR/angler or the state folder)")
	f.StringVar(&a.flags.config, "config", "", "configuration `file` (default $XDG_CONFIG_HOME/angler/config.yaml)")
	settings(f, "", "config")
	_ = root.RegisterFlagCompletionFunc("output", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return formatsOf(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	root.AddGroup(
		&cobra.Group{ID: groupProvide, Title: "Provide capacity:"},
		&cobra.Group{ID: groupRequest, Title: "Get capacity:"},
		&cobra.Group{ID: groupMember, Title: "Pools and identities:"},
		&cobra.Group{ID: groupTry, Title: "Try and measure:"},
	)
	group(root,
		in(groupProvide, a.serveCommand()), in(groupProvide, a.offerCommand()), in(groupProvide, a.statusCommand()), in(groupProvide, a.drainCommand()),
		in(groupRequest, a.requestCommand()), in(groupRequest, a.leaseCommand()), in(groupRequest, a.receiptCommand()),
		in(groupTry, a.simulateCommand()), in(groupTry, a.benchCommand()),
		in(groupMember, a.poolCommand()), in(groupMember, a.identityCommand()),
		a.versionCommand(), a.completionCommand(), a.docsCommand(),
	)
	root.SetHelpCommand(helpCommand())
	return root
}

// in puts a command into a group of the help.
func in(group string, cmd *cobra.Command) *cobra.Command {
	cmd.GroupID = group
	return cmd
}

// helpCommand is cobra's, but a topic that does not exist is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err != nil || target == nil {
				return noSuchCommand(cmd.Root(), args)
			}
			if len(rest) > 0 {
				return asUsage(noSuchCommand(target, rest))
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}
