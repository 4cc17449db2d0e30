// Command angler trades Kubernetes capacity in a dark pool; internal/cli has its commands.
package main

import (
	"os"

	"github.com/angler-dex/angler/internal/cli"
)

func main() { os.Exit(cli.Main()) }
