package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Example: `  source <(angler completion bash)
  angler completion zsh > "${fpath[1]}/_angler"
  angler completion fish > ~/.config/fish/completions/angler.fish`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := oneArg("a shell", "angler completion bash")(cmd, args); err != nil {
				return err
			}
			if !slices.Contains(shells, args[0]) {
				return usagef("shell %q is none of %s; for example angler completion bash", args[0], strings.Join(shells, ", "))
			}
			return nil
		},
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.io.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.io.Out)
			case "fish":
				return root.GenFishCompletion(a.io.Out, true)
			default:
				return root.GenPowerShellCompletionWithDesc(a.io.Out)
			}
		},
	}
}
