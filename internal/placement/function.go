package placement

import (
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// Widths of the secret numbers, in bits.
const (
	QuantityBits = 16
	PriceBits    = 32
)

// MaxProviders is the most that a function is built for.
const MaxProviders = 64

// Errors of ParsePolicy, New, Build and of the encoding of inputs.
var (
	ErrPolicy    = errors.New("placement policy")
	ErrProviders = errors.New("number of providers out of range")
	ErrOrder     = errors.New("order of leaves is not a permutation")
	ErrInput     = errors.New("not an input of this placement policy")
)

// Request is what the requester enters. All of it is secret. What is not in the policy must be left out.
type Request struct {
	Quantity  uint16   // units, from 1
	MaxPrice  uint32   // the highest price of a unit that it takes
	Cap       uint16   // most units from one provider, with the parameter cap; 0: no bound
	Handicaps []uint32 // with the parameter handicap: added to the price of a unit for ranking, by party − 1; none: all 0
	Further   []uint16 // what one provider has to have of each dimension of the policy
}

// Step is one step of a supply curve: the price of each unit if From or more are taken.
type Step struct {
	From  uint16
	Price uint32
}

// MaxSteps is the most steps of a supply curve.
const MaxSteps = 8

// Offer is what a provider enters. All of it is secret. Steps are used if the policy has tiers, Price if it has not or if
// there are no steps; Further are one for each dimension of the policy.
type Offer struct {
	Quantity uint16 // units, 0: full
	Price    uint32 // of a unit
	Steps    []Step // rising in From, the first from 1
	Further  []uint16
}

// PriceOf is the price of a unit if quantity of them are taken, under a policy that has tiers.
func (o Offer) PriceOf(quantity uint16) uint32 {
	price := o.Price
	for _, s := range o.Steps {
		if quantity >= s.From {
			price = s.Price
		}
	}
	return price
}

// Award is what a winner learns.
type Award struct {
	Quantity uint16   // units to deliver, 1 to what it entered
	Price    uint32   // its own of a unit at that quantity
	Pays     uint32   // what it is paid for a unit: Price or more
	Further  []uint16 // what it has to provide of each dimension of the policy
}

// Win is a winner and its award, as the requester learns it. Price is 0 where the requester does not learn it
// (second-price).
type Win struct {
	Party int
	Award
}

// Result is what the requester learns. No wins: nothing matched, and it does not learn why.
type Result struct {
	Matched bool
	Wins    []Win // by party
}

// Function is what a match computes, as the protocol wants it, and what its inputs and outputs mean. Inputs and outputs are
// those of one party alone, in the order of the circuit.
type Function interface {
	// Policy is what the function was made from.
	Policy() Policy
	// Parties is the number of parties: the requester and the providers.
	Parties() int
	// Leaves is the length of the permutation that the joint coin draws for Build.
	Leaves() int
	// Build gives the circuit for an order of the leaves: leaf k is provider order[k]+1. Inputs, outputs and the number of
	// ANDs are the same for each order; the circuit of the identity is the template that names the function.
	Build(order []int) (*circuit.Circuit, error)
	// RequestInputs encodes what the requester enters. Errors wrap ErrInput and do not repeat the secrets.
	RequestInputs(Request) ([]bool, error)
	// OfferInputs encodes what a provider enters. Errors wrap ErrInput and do not repeat the secrets.
	OfferInputs(Offer) ([]bool, error)
	// Result reads what the requester has learnt from its inputs and outputs. It panics on a wrong number of them.
	Result(inputs, outputs []bool) Result
	// Award reads what a provider has learnt; false if it won nothing. It panics on a wrong number of bits.
	Award(party int, inputs, outputs []bool) (Award, bool)
	// Claims gives what the requester owes its signature to, by party: the terms for each winner.
	Claims(inputs, outputs []bool) map[int][]byte
	// Terms gives what the requester must have signed for a provider; false if it won nothing.
	Terms(party int, inputs, outputs []bool) ([]byte, bool)
}

// New gives the function of a policy's canonical text among 1 to MaxProviders providers. Errors wrap ErrPolicy or
// ErrProviders.
func New(policy string, providers int) (Function, error) {
	p, err := ParsePolicy(policy)
	if err != nil {
		return nil, err
	}
	if canonical := p.String(); canonical != policy {
		return nil, fmt.Errorf("%w %q is to be written %q", ErrPolicy, policy, canonical)
	}
	if err := checkProviders(providers); err != nil {
		return nil, err
	}
	return function{policy: p, providers: providers}, nil
}

// function is a policy among so many providers.
type function struct {
	policy    Policy
	providers int
}

func (f function) Policy() Policy { return f.policy }
func (f function) Parties() int   { return f.providers + 1 }
func (f function) Leaves() int    { return f.providers }

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
