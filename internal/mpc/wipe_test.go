package mpc

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// watched is a party whose secrets a test remembers as they are before each
// step: where they lie, and some of their values.
type watched struct {
	*Party
	held   []secrets
	values map[uint64]string
}

func (w *watched) Step(in [][]byte, emit func(to int, chunk []byte) error) error {
	w.held = append(w.held, w.secrets)
	w.note()
	return w.Party.Step(in, emit)
}

// note takes down values that nobody else may read once the party has ended.
func (w *watched) note() {
	word := func(v uint64, what string) {
		if v > 1 {
			w.values[v] = what
		}
	}
	one := func(b block.Block, what string) {
		word(b.Lo, what)
		word(b.Hi, what)
		word(b.Lo&(1<<48-1), what)
	}
	lanes := func(l [][]block.Block, what string) {
		for _, v := range l {
			if len(v) > 0 {
				one(v[0], what)
			}
		}
	}
	one(w.delta, "Δ")
	for _, row := range w.choices {
		if row != nil {
			word(binary.LittleEndian.Uint64(row), "bits of region A")
			word(binary.LittleEndian.Uint64(row[w.shapes[w.self].RowsA()/8:]), "bits of region B")
		}
	}
	for _, b := range w.base {
		if b.Sender != nil {
			one(b.Sender.Pairs[3][0], "seeds of a base set")
		}
		if b.Receiver != nil {
			one(b.Receiver.Seeds[3], "seeds of a base set")
			one(b.Receiver.Choice, "choices of a base set")
		}
	}
	if w.a != nil {
		lanes(w.a.M, "MACs")
		lanes(w.a.NarrowM, "narrow MACs")
		lanes(w.a.NarrowK, "narrow keys")
		lanes(w.a.K, "keys")
	}
	if w.leaky != nil {
		for _, f := range []string{"s", "phi"} {
			word(reflect.ValueOf(w.leaky).Elem().FieldByName(f).Index(0).Uint(), "leaky ANDs: "+f)
		}
	}
	if w.sigma != nil {
		lanes(w.sigma.M, "MACs of σ")
		lanes([][]block.Block{w.sigma.Keys, w.lambda.Keys}, "sums of keys")
		lanes(w.outputKeys, "keys of output masks")
	}
	if w.garbler != nil {
		one(w.garbler.Label0[0], "labels")
	}
}

// leftovers are the noted values which can still be reached by what the party
// has held.
func (w *watched) leftovers() map[string]bool {
	found, seen := make(map[string]bool), make(map[any]bool)
	var walk func(v reflect.Value, path string)
	bytes := func(v reflect.Value, path string) {
		for k := 0; k+8 <= v.Len(); k += 8 {
			var b [8]byte
			for m := range b {
				b[m] = byte(v.Index(k + m).Uint())
			}
			if what := w.values[binary.LittleEndian.Uint64(b[:])]; what != "" {
				found[what+" in "+path] = true
			}
		}
	}
	walk = func(v reflect.Value, path string) {
		switch v.Kind() {
		case reflect.Uint64:
			if what := w.values[v.Uint()]; what != "" {
				found[what+" in "+path] = true
			}
		case reflect.Pointer, reflect.Interface:
			if v.IsNil() {
				return
			}
			if v.Kind() == reflect.Pointer {
				key := [2]any{v.Pointer(), v.Type()}
				if seen[key] {
					return
				}
				seen[key] = true
			}
			walk(v.Elem(), path)
		case reflect.Struct:
			for k := range v.NumField() {
				walk(v.Field(k), path+"."+v.Type().Field(k).Name)
			}
		case reflect.Slice, reflect.Array:
			if v.Kind() == reflect.Slice {
				key := [3]any{v.Pointer(), v.Len(), v.Type()}
				if seen[key] {
					return
				}
				seen[key] = true
			}
			if v.Type().Elem().Kind() == reflect.Uint8 {
				bytes(v, path)
				return
			}
			for k := range v.Len() {
				walk(v.Index(k), path)
			}
		}
	}
	for _, s := range w.held {
		s.delta = block.Block{} // the copy that this test made
		walk(reflect.ValueOf(s), "secrets")
	}
	return found
}

// TestNothingReadable: once a party has ended, well or by the failure of any
// flight, nothing secret can be read any more where the party held it.
func TestNothingReadable(t *testing.T) {
	for fault := range lastFlight + 1 {
		if underRace && fault%4 != 0 {
			continue
		}
		m := &trial{name: "readable", fn: mpctest.RandomFunction(1, 2, 9, 8, 2)}
		if fault != 1 {
			m.sets = dealt("readable", 0, 2)
		}
		m.wire = func(flight, from, _ int, frame []byte) []mpctest.Delivery {
			if flight == fault && (from == 1) == (flight != lastFlight) {
				frame[headerSize] ^= 1 // in a field that a check covers
			}
			return []mpctest.Delivery{{Frame: frame}}
		}
		parties := m.start(t)
		machines, all := make([]mpctest.Machine, 2), make([]*watched, 2)
		for i, p := range parties {
			all[i] = &watched{Party: p, values: make(map[uint64]string)}
			machines[i] = all[i]
		}
		res := mpctest.Drive(machines, m.wire)
		if (res.Errors[0] == nil && res.Errors[1] == nil) != (fault == 0) {
			t.Fatalf("flight %d: %v", fault, res.Errors)
		}
		for i, w := range all {
			if res.Ended[i] == 0 {
				w.Abandon()
			}
			for what := range w.leftovers() {
				t.Errorf("flight %d, party %d: %s", fault, i, what)
			}
		}
	}
}
