package placement

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// recorder is the function as one party runs it; it keeps the order that the coin drew.
type recorder struct {
	Function
	order []int
}

func (r *recorder) Build(order []int) (*circuit.Circuit, error) {
	r.order = slices.Clone(order)
	return r.Function.Build(order)
}

// match runs the whole protocol among all parties in memory and gives what each learnt, and the order of the leaves.
func match(t *testing.T, seed uint64, f Function, inputs [][]bool) (outputs [][]bool, order []int) {
	t.Helper()
	n := f.Parties()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	networks, functions, errs := mpc.NewLocal(n), make([]recorder, n), make([]error, n)
	outputs = make([][]bool, n)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for i := range n {
		functions[i].Function = f
		var random, sid [32]byte
		binary.LittleEndian.PutUint64(sid[:], seed)
		binary.LittleEndian.PutUint64(random[:], seed)
		random[8] = byte(i)
		party, err := mpc.New(mpc.Config{
			SID: sid, Roster: [32]byte{2}, Self: i, N: n, Function: &functions[i], Rand: rand.NewChaCha8(random),
			Inputs:  func() ([]bool, error) { return slices.Clone(inputs[i]), nil },
			Decide:  func(out []bool) error { outputs[i] = slices.Clone(out); return nil },
			Sign:    func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil },
			Verify:  func(msg, sig []byte) bool { return ed25519.Verify(public, msg, sig) },
			Workers: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if errs[i] = mpc.Run(ctx, party, networks[i]); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	for i := range n {
		if errs[i] != nil {
			t.Fatalf("party %d: %v", i, errs[i])
		}
		if !slices.Equal(functions[i].order, functions[0].order) {
			t.Fatalf("party %d has the order %v, party 0 %v", i, functions[i].order, functions[0].order)
		}
	}
	return outputs, functions[0].order
}

// 200 scenarios of 1 to 32 offers through the whole protocol, over all functions: every party learns what the reference says
// under the order that the coin drew, and the winners have the requester's signature under their terms. Most are small, for
// the work grows with the cube of the parties; -short plays the first few.
func TestWholeMatchAgreesWithReference(t *testing.T) {
	type run struct {
		policy string
		size   int
	}
	var runs []run
	for k := range 200 {
		runs = append(runs, run{samples()[k%len(samples())], 1 + k/len(samples())%4})
	}
	runs[21], runs[42], runs[60], runs[80] = run{"lowest-price", 32}, run{"second-price", 16}, run{"split", 8}, run{"fit", 8}
	runs[100], runs[120] = run{"split;winners=4", 12}, run{"fit;cap;handicap;tiers", 5}
	if testing.Short() {
		runs = runs[:8]
	}
	rng := rand.New(rand.NewPCG(21, 22))
	worlds := make([]world, len(runs))
	var matched, none int
	for k, r := range runs {
		policy := mustNew(t, r.policy, r.size).Policy()
		w := drawing{rng}.world(policy, r.size)
		if k%4 > 0 { // where everything is random few match
			w.request.MaxPrice = max(w.request.MaxPrice, 1<<31)
			w.request.Quantity = min(w.request.Quantity, 40)
		}
		worlds[k] = w
		if res, _ := Reference(r.policy, w.request, w.offers, nil); res.Matched { // that there is a match is independent of the order
			matched++
		} else {
			none++
		}
	}
	if least := len(runs) / 8; matched < least || none < least {
		t.Fatalf("%d matched and %d did not: too one-sided to mean anything", matched, none)
	}
	for k, r := range runs {
		t.Run(fmt.Sprintf("%d %s of %d", k, r.policy, r.size), func(t *testing.T) {
			t.Parallel()
			f := mustNew(t, r.policy, r.size)
			inputs := worlds[k].inputs(t, f)
			outputs, order := match(t, uint64(k), f, inputs)
			worlds[k].check(t, f, order, inputs, outputs)
		})
	}
}
