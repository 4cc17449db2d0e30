package mpc

import (
	"fmt"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/ot"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// params are the public parameters, from which the size of every message
// follows. They never change once made.
type params struct {
	sid, roster   [32]byte
	self, n, k    int
	function      Function
	template      *circuit.Circuit
	ands          int // AND gates of the circuit
	ell           int // triples: ands, padded
	bucket        int // B
	inputWires    [][]circuit.Wire
	outputCounts  []int // by party
	ownOutputs    int   // of party 0, all of them private
	mostOutputs   int   // of a provider, the one with the most
	mostPrivate   int   // … that are private
	mostDisclosed int   // … that are conditional
	shapes        []auth.Shape
	fresh         []bool // by peer: F1 runs with it
	offsetFrom    []bool // by peer: it sends δ, its choice being a cached one
	offsetTo      []bool // by peer: it is sent δ
}

func newParams(c *Config) (*params, error) {
	template, err := c.Function.Build(identity(c.Function.Leaves()))
	if err != nil {
		return nil, fmt.Errorf("mpc: circuit: %w", err)
	}
	if err := template.Validate(); err != nil {
		return nil, fmt.Errorf("mpc: circuit: %w", err)
	}
	if template.Parties != c.N {
		return nil, fmt.Errorf("mpc: a circuit for %d parties among %d", template.Parties, c.N)
	}
	m := &params{sid: c.SID, roster: c.Roster, self: c.Self, n: c.N, k: c.K, function: c.Function, template: template, ands: template.ANDs()}
	m.ell, m.bucket = triple.Plan(m.ands)
	for i := range m.n {
		m.inputWires = append(m.inputWires, template.InputsOf(i))
		m.shapes = append(m.shapes, auth.Shape{Leaky: m.bucket * m.ell, ANDs: m.ands, Inputs: len(m.inputWires[i])})
		private, disclosed := len(outputsOf(template, i, circuit.Private)), len(outputsOf(template, i, circuit.Conditional))
		m.outputCounts = append(m.outputCounts, private+disclosed)
		if i == 0 {
			m.ownOutputs = private
			continue
		}
		m.mostPrivate, m.mostDisclosed = max(m.mostPrivate, private), max(m.mostDisclosed, disclosed)
		m.mostOutputs = max(m.mostOutputs, private+disclosed)
	}
	if err := checkRows(m.shapes); err != nil {
		return nil, err
	}
	m.fresh, m.offsetFrom, m.offsetTo = make([]bool, m.n), make([]bool, m.n), make([]bool, m.n)
	for j := range m.n {
		w := c.Warm[j]
		m.fresh[j] = j != m.self && (w.Sender == nil || w.Receiver == nil)
		m.offsetFrom[j] = w.Sender != nil
		m.offsetTo[j] = w.Receiver != nil
	}
	return m, nil
}

// checkRows refuses what no OT extension can carry.
func checkRows(shapes []auth.Shape) error {
	for i, s := range shapes {
		if rows := max(s.Rows(), s.Pairs()); rows > ot.MaxRows {
			return fmt.Errorf("mpc: circuit: party %d needs %d authenticated bits, at most %d", i, rows, ot.MaxRows)
		}
	}
	return nil
}

// leakyANDs is how many leaky ANDs are made.
func (m *params) leakyANDs() int { return m.bucket * m.ell }

// openedBits is how many bits are opened in F6.
func (m *params) openedBits() int { return triple.PerGate(m.bucket) * m.ands }

// sameShape tells whether the circuit for the drawn order is one that the
// template promised.
func (m *params) sameShape(c *circuit.Circuit) bool {
	if c.Parties != m.n || c.ANDs() != m.ands || len(c.Inputs) != len(m.template.Inputs) || len(c.Outputs) != len(m.template.Outputs) {
		return false
	}
	for w, o := range c.Inputs {
		if o != m.template.Inputs[w] {
			return false
		}
	}
	for k, o := range c.Outputs {
		if t := m.template.Outputs[k]; o.Party != t.Party || o.Class != t.Class {
			return false
		}
	}
	return true
}

func identity(n int) []int {
	order := make([]int, n)
	for k := range order {
		order[k] = k
	}
	return order
}
