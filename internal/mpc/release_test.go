package mpc

import (
	"reflect"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestReleaseGate: without any one of the proofs, or with proofs of another
// session, the gate stays shut.
func TestReleaseGate(t *testing.T) {
	m := &trial{name: "gate", fn: mpctest.RandomFunction(1, 3, 9, 8, 2), sets: dealt("gate", 0, 3)}
	parties, _ := m.run(t)
	for i, p := range parties {
		full := p.clear
		if _, err := full.open(p.sid); err != nil {
			t.Fatalf("party %d: all checks passed, but: %v", i, err)
		}
		if _, err := full.open([32]byte{1}); err == nil {
			t.Errorf("party %d: opened with another session's proofs", i)
		}
		fields := reflect.TypeFor[clearance]()
		for k := range fields.NumField() {
			if fields.Field(k).Name == "echoes" {
				continue
			}
			c := full
			switch k {
			case 0:
				c.extended = clearance{}.extended
			case 1:
				c.rows = clearance{}.rows
			case 2:
				c.coin = clearance{}.coin
			case 3:
				c.sameDelta = clearance{}.sameDelta
			case 4:
				c.verified = clearance{}.verified
			case 5:
				c.opened = clearance{}.opened
			default:
				t.Fatalf("no test for proof %s", fields.Field(k).Name)
			}
			if _, err := c.open(p.sid); err == nil {
				t.Errorf("party %d: opened without %s", i, fields.Field(k).Name)
			}
		}
		for f := firstEchoed; f <= lastEchoed; f++ {
			c := full
			c.echoes[f] = echoed{}
			if _, err := c.open(p.sid); err == nil {
				t.Errorf("party %d: opened without the echo of F%d", i, f)
			}
			if c.echoes[f] = full.echoes[firstEchoed+lastEchoed-f]; 2*f != firstEchoed+lastEchoed {
				if _, err := c.open(p.sid); err == nil {
					t.Errorf("party %d: opened with another flight's echo for F%d", i, f)
				}
			}
		}
	}
}

// TestResultGate: party 0's part of F9 asks for a proof of each of its last
// checks; that d, e, f had their MACs is none that its output masks had.
func TestResultGate(t *testing.T) {
	m := &trial{name: "result gate", fn: mpctest.RandomFunction(1, 3, 9, 8, 2), sets: dealt("gate", 0, 3)}
	var gate released
	var held inputsHeld
	var e *garble.Evaluation
	var masks, triples auth.Opened
	var sid [32]byte
	m.cheats = map[int]*cheat{0: after(9, func(c *cheat, _ outgoing) {
		sid = c.sid
		gate, _ = c.clear.open(sid)
		held, e, triples = inputsHeld{&sid}, c.eval, c.clear.opened
		var err error
		if _, masks, err = c.unmask(8, auth.NewBits(len(c.outputWires(0)))); err != nil {
			t.Fatal(err)
		}
	})}
	m.run(t)
	if _, err := gate.result(sid, held, e, masks); err != nil {
		t.Fatalf("all checks passed, but: %v", err)
	}
	other := [32]byte{1}
	for name, open := range map[string]func() (resultReleased, error){
		"the gate":          func() (resultReleased, error) { return released{}.result(sid, held, e, masks) },
		"the inputs":        func() (resultReleased, error) { return gate.result(sid, inputsHeld{}, e, masks) },
		"the rows":          func() (resultReleased, error) { return gate.result(sid, held, &garble.Evaluation{}, masks) },
		"the masks":         func() (resultReleased, error) { return gate.result(sid, held, e, auth.Opened{}) },
		"more than d, e, f": func() (resultReleased, error) { return gate.result(sid, held, e, triples) },
		"this session":      func() (resultReleased, error) { return gate.result(other, held, e, masks) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("opened without %s", name)
		}
	}
}

// TestViews: before F8 nothing that depends on inputs leaves but d_w, and what
// unmasks a provider's outputs comes in F9 alone, of one size to all.
func TestViews(t *testing.T) {
	late := map[field]int{fTable: 8, fInputS: 8, fInputMAC: 8, fLabels: 8, fTags: 8, fLambda: 8, fLambdaMAC: 8, fDisclosed: 9, fDisclosedMAC: 9, fMasked: 9, fOutLabels: 9, fSignature: 9}
	for f := firstFlight; f <= lastFlight; f++ {
		for _, e := range layout[f] {
			if first, ok := late[e.field]; ok && f < first {
				t.Errorf("%s leaves in F%d", e.name, f)
			}
			if f == 8 && e.on.include(2, 1) {
				t.Errorf("%s goes to a provider in F8", e.name)
			}
		}
	}
	m := &trial{name: "views", fn: mpctest.Auction{Providers: 4, PriceBits: 3, QuantityBits: 2}}
	for _, p := range m.start(t) {
		for d := 2; d < 5; d++ {
			if a, b := p.size(9, 0, 1), p.size(9, 0, d); a != b {
				t.Errorf("F9 has %d bytes for party 1, %d for party %d", a, b, d)
			}
		}
	}
}
