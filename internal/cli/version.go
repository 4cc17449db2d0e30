package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in releases and by make.
var version string

// Version is the version of this binary: what the linker was told, else what the module system knows, else "devel".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  angler version\n  angler version -o json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versionInfo{Version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			return a.print(view{data: v, names: []string{v.Version}, text: func(p *page) {
				p.line("angler %s (%s, %s)", v.Version, v.Go, v.Platform)
			}})
		},
	}
}
