package cli

import "github.com/spf13/cobra"

func (a *app) benchCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "bench",
		Short: "Measure on this machine",
	}, a.benchMatchCommand(), a.benchDiscoveryCommand(), a.benchCircuitCommand())
}
