package mpc

import "github.com/angler-dex/angler/internal/mpc/circuit"

// Function is what a match computes. It is public: every party has the same
// one. Its methods are pure.
type Function interface {
	// Parties is n; party 0 is the requester.
	Parties() int
	// Leaves is how many things the coin puts into a random order before the
	// circuit is fixed, 0 for none.
	Leaves() int
	// Build makes the circuit for an order of the leaves. Inputs, number of AND
	// gates and recipients of the outputs are the same for every order;
	// Build of 0, 1, 2, … is the template, whose hash is part of the session id.
	Build(order []int) (*circuit.Circuit, error)
	// Claims tells, at party 0, what it signs for whom, given its own inputs and
	// outputs.
	Claims(inputs, outputs []bool) map[int][]byte
	// Terms tells, at a provider, what party 0 must have signed for it; false
	// if nothing.
	Terms(party int, inputs, outputs []bool) ([]byte, bool)
}
