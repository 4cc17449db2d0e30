package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// nearest is a question after the known word that is closest to a wrong one, or nothing.
func nearest(word string, known []string) string {
	best, at := "", (len(word)+1)/2+1
	for _, k := range known {
		if d := distance(word, k); d < at || strings.HasSuffix(k, "."+word) {
			best, at = k, min(d, at)
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// group makes a command that only has subcommands: alone it prints its help, with a word that is none of them it says which
// was meant.
func group(cmd *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(subs...)
	cmd.Args = noSuchCommand
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// noSuchCommand is the argument check of a command that takes subcommands and no arguments.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return usagef("unknown command %q for %q%s", args[0], cmd.CommandPath(), nearest(args[0], names))
}

// noArgs is the argument check of a command that takes none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q takes no arguments, it got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// oneArg is the argument check of a command that takes exactly one; what names it, example shows it.
func oneArg(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return usagef("%q needs %s; for example %s", cmd.CommandPath(), what, example)
		case 1:
			return nil
		}
		return usagef("%q takes one argument, %s; it got %d", cmd.CommandPath(), what, len(args))
	}
}
