package cli

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/bench"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/catalog"
	"github.com/angler-dex/angler/internal/placement"
)

// textbook are circuits that other engines are measured with, too: party 0 and 1 enter one value each, party 0 learns the result.
var textbook = map[string]func(catalog.Roles) (*circuit.Circuit, error){
	"adder-64":      func(r catalog.Roles) (*circuit.Circuit, error) { return catalog.Adder(r, 64) },
	"comparator-64": func(r catalog.Roles) (*circuit.Circuit, error) { return catalog.Comparator(r, 64) },
	"product-64":    func(r catalog.Roles) (*circuit.Circuit, error) { return catalog.Product(r, 64) },
	"aes-128":       catalog.AES128,
	"sha-256":       catalog.SHA256Compress,
}

func (a *app) benchCircuitCommand() *cobra.Command {
	var providers int
	names := strings.Join(slices.Sorted(maps.Keys(textbook)), ", ")
	cmd := &cobra.Command{
		Use:   "circuit NAME",
		Short: "Print a circuit in Bristol Fashion, for other engines or for 'bench match --circuit'",
		Long: `Print a circuit in Bristol Fashion, the text format that engines for multi-party computation exchange. NAME is one of
` + names + `, or a placement policy, whose circuit is printed for --providers providers.
What a match discloses to winners without a gate costs one here: the format cannot say it.

One line on stderr says how large it is.`,
		Example: `  angler bench circuit aes-128 >aes.txt
  angler bench match --circuit aes.txt --providers 4 --setup warm
  angler bench circuit "split;winners=4" --providers 8 >split.txt`,
		Args: oneArg("the name of a circuit", "angler bench circuit aes-128"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := circuitOf(args[0], providers)
			if err != nil {
				return err
			}
			c = c.Unconditional() // as it will stand in the file
			a.talk.done("%s: %v", args[0], c.Stats())
			return c.WriteBristol(a.io.Out, circuit.Bristol{})
		},
	}
	cmd.Flags().IntVar(&providers, "providers", 8, "`number` of providers of a placement, 1 to 64")
	return cmd
}

func circuitOf(name string, providers int) (*circuit.Circuit, error) {
	if build, ok := textbook[name]; ok {
		return build(catalog.Roles{Parties: 2, Left: 0, Right: 1, Recipients: []int{0}})
	}
	if providers < 1 || providers > placement.MaxProviders {
		return nil, flagError("providers", "must be 1 to "+strconv.Itoa(placement.MaxProviders), "--providers 8")
	}
	fn, err := placement.New(name, providers)
	if err != nil {
		return nil, usagef("%q is neither a circuit (%s) nor a policy: %w; for example aes-128", clean(name), strings.Join(slices.Sorted(maps.Keys(textbook)), ", "), err)
	}
	order := make([]int, fn.Leaves())
	for k := range order {
		order[k] = k
	}
	return fn.Build(order)
}

// readCircuit reads the file of --circuit.
func readCircuit(path string, providers int) (*circuit.Circuit, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, flagError("circuit", err.Error(), "--circuit aes.txt")
	}
	defer f.Close()
	c, err := bench.ReadCircuit(f, providers)
	if err != nil {
		return nil, flagError("circuit", fmt.Sprintf("%s: %v", clean(path), err), "--circuit aes.txt, as 'angler bench circuit aes-128' prints it")
	}
	return c, nil
}
