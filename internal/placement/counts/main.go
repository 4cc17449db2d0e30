// Command counts prints what the placement functions cost: AND gates and multiplicative depth among 8, 16 and 32 providers.
// It is what `make counts` runs.
package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/angler-dex/angler/internal/placement"
)

var policies = []string{
	"lowest-price", "lowest-price;handicap", "lowest-price;tiers", "lowest-price;with=storage",
	"second-price", "second-price;handicap",
	"split;winners=4", "split", "split;cap", "split;handicap", "split;tiers",
	"fit;winners=4", "fit", "fit;cap;handicap;tiers",
}

var sizes = []int{8, 16, 32}

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "counts:", err)
		os.Exit(1)
	}
}

func write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AND gates (depth), prices of 32 bits, quantities of 16\t8 providers\t16\t32")
	for _, policy := range policies {
		fmt.Fprint(w, policy)
		for _, n := range sizes {
			f, err := placement.New(policy, n)
			if err != nil {
				return err
			}
			order := make([]int, f.Leaves())
			for k := range order {
				order[k] = k
			}
			c, err := f.Build(order)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "\t%d (%d)", c.ANDs(), c.Depth())
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
