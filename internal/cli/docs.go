package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// docsCommand writes what packages ship: manual pages, and the same as Markdown. It is hidden: it is for builds.
func (a *app) docsCommand() *cobra.Command {
	var dir string
	write := func(use, short string, gen func(root *cobra.Command) error) *cobra.Command {
		return &cobra.Command{
			Use: use, Short: short, Args: noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return fmt.Errorf("--dir: %w", err)
				}
				root := cmd.Root()
				root.DisableAutoGenTag = true
				return gen(root)
			},
		}
	}
	cmd := &cobra.Command{Use: "docs", Short: "Write manual pages", Hidden: true}
	cmd.PersistentFlags().StringVar(&dir, "dir", "man", "`folder` to write to")
	return group(cmd,
		write("man", "Write a manual page a command", func(root *cobra.Command) error {
			// A fixed date: the same sources make the same pages.
			date := time.Unix(0, 0).UTC()
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "Angler", Manual: "Angler", Date: &date}, dir)
		}),
		write("markdown", "Write a Markdown page a command", func(root *cobra.Command) error {
			return doc.GenMarkdownTree(root, dir)
		}),
	)
}
