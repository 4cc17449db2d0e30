package placement

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// MaxProviders is the most that a function is built for.
const MaxProviders = 64

// Errors of New and Build.
var (
	ErrPolicy    = errors.New("unknown placement policy")
	ErrProviders = errors.New("number of providers out of range")
	ErrOrder     = errors.New("order of leaves is not a permutation")
)

// Function is what a match computes, as the protocol wants it. Inputs and outputs are those of one party alone, in the order of
// the circuit.
type Function interface {
	// Parties is the number of parties: the requester and the providers.
	Parties() int
	// Leaves is the length of the permutation that the joint coin draws for Build.
	Leaves() int
	// Build gives the circuit for an order of the leaves: leaf k is provider order[k]+1. Inputs, outputs and the number of
	// ANDs are the same for each order; the circuit of the identity is the template that names the function.
	Build(order []int) (*circuit.Circuit, error)
	// Claims gives what the requester owes its signature to, by party: the terms for each winner.
	Claims(inputs, outputs []bool) map[int][]byte
	// Terms gives what the requester must have signed for a provider; false if it won nothing.
	Terms(party int, inputs, outputs []bool) ([]byte, bool)
}

// LowestPricePolicy names [LowestPrice].
const LowestPricePolicy = "lowest-price"

var policies = map[string]func(providers int) Function{
	LowestPricePolicy: func(providers int) Function { return LowestPrice{Providers: providers} },
}

// Policies lists the names that New knows, sorted.
func Policies() []string {
	names := make([]string, 0, len(policies))
	for name := range policies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// New gives the function of a policy among 1 to MaxProviders providers. Errors wrap ErrPolicy or ErrProviders.
func New(policy string, providers int) (Function, error) {
	build, ok := policies[policy]
	if !ok {
		return nil, fmt.Errorf("%w %q: known are %s", ErrPolicy, policy, strings.Join(Policies(), ", "))
	}
	if err := checkProviders(providers); err != nil {
		return nil, err
	}
	return build(providers), nil
}

func checkProviders(n int) error {
	if n < 1 || n > MaxProviders {
		return fmt.Errorf("%w: %d, must be 1 to %d", ErrProviders, n, MaxProviders)
	}
	return nil
}

// checkOrder wants a permutation of 0 … n−1.
func checkOrder(order []int, n int) error {
	seen := make([]bool, n)
	for _, k := range order {
		if k < 0 || k >= n || seen[k] {
			return fmt.Errorf("%w of %d", ErrOrder, n)
		}
		seen[k] = true
	}
	if len(order) != n {
		return fmt.Errorf("%w of %d: it has %d entries", ErrOrder, n, len(order))
	}
	return nil
}
