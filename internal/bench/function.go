package bench

import (
	"fmt"
	"io"

	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/placement"
)

// What is asked for; offers are drawn so that some fit and some do not.
const (
	wantedUnits = 32
	wantedPrice = 50_000
)

// function is what is computed: a placement, or a circuit of the caller's.
func (o Options) function() (mpc.Function, error) {
	if o.Circuit != nil {
		return fixed{o.Circuit}, nil
	}
	return placement.New(o.Policy, o.Providers)
}

// draw gives every party of a function inputs.
func draw(fn mpc.Function, rnd io.Reader) ([][]bool, error) {
	if f, ok := fn.(fixed); ok {
		return f.draw(rnd)
	}
	return market(fn.(placement.Function), rnd)
}

// market draws a request and offers.
func market(fn placement.Function, rnd io.Reader) ([][]bool, error) {
	none := make([]uint16, len(fn.Policy().Further))
	request, err := fn.RequestInputs(placement.Request{Quantity: wantedUnits, MaxPrice: wantedPrice, Further: none})
	if err != nil {
		return nil, err
	}
	inputs := [][]bool{request}
	for len(inputs) < fn.Parties() {
		var b [3]byte
		if _, err := io.ReadFull(rnd, b[:]); err != nil {
			return nil, fmt.Errorf("randomness: %w", err)
		}
		price := uint32(b[1])<<8 | uint32(b[2])
		offer, err := fn.OfferInputs(placement.Offer{Quantity: uint16(b[0] % (2 * wantedUnits)), Price: price, Further: none})
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, offer)
	}
	return inputs, nil
}

// fixed is a circuit that no coin arranges and in which nobody wins anything.
type fixed struct{ circuit *circuit.Circuit }

func (f fixed) Parties() int                                { return f.circuit.Parties }
func (f fixed) Leaves() int                                 { return 0 }
func (f fixed) Build([]int) (*circuit.Circuit, error)       { return f.circuit, nil }
func (f fixed) Claims(_, _ []bool) map[int][]byte           { return nil }
func (f fixed) Terms(_ int, _, _ []bool) (_ []byte, _ bool) { return nil, false }

// draw gives each party random bits.
func (f fixed) draw(rnd io.Reader) ([][]bool, error) {
	inputs := make([][]bool, f.circuit.Parties)
	bits := make([]byte, len(f.circuit.Inputs))
	if _, err := io.ReadFull(rnd, bits); err != nil {
		return nil, fmt.Errorf("randomness: %w", err)
	}
	for w, owner := range f.circuit.Inputs {
		inputs[owner] = append(inputs[owner], bits[w]&1 == 1)
	}
	return inputs, nil
}

// ReadCircuit reads a file in Bristol Fashion as a circuit among the requester
// and a number of providers: the input values go round the parties, the
// requester first, and it alone learns the outputs.
func ReadCircuit(r io.Reader, providers int) (*circuit.Circuit, error) {
	c, _, err := circuit.ReadBristol(r, func(inputBits, outputBits []int) (circuit.Bristol, error) {
		plan := circuit.Bristol{Parties: 1 + providers}
		for k := range inputBits {
			plan.Owners = append(plan.Owners, k%plan.Parties)
		}
		for range outputBits {
			plan.Recipients = append(plan.Recipients, []int{0})
		}
		return plan, nil
	})
	return c, err
}
