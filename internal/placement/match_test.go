package placement

import (
	"context"
	"crypto/ed25519"
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
	LowestPrice
	order []int
}

func (r *recorder) Build(order []int) (*circuit.Circuit, error) {
	r.order = slices.Clone(order)
	return r.LowestPrice.Build(order)
}

// match runs the whole protocol among all parties in memory and gives what each learnt, and the order of the leaves.
func match(t *testing.T, seed uint64, req Request, offers []Offer) (Result, []int) {
	t.Helper()
	n := len(offers) + 1
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	inputs, networks := inputsOf(req, offers), mpc.NewLocal(n)
	functions, outputs, errs := make([]recorder, n), make([][]bool, n), make([]error, n)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for i := range n {
		functions[i].Providers = len(offers)
		party, err := mpc.New(mpc.Config{
			SID: [32]byte{byte(seed), byte(seed >> 8), 1}, Roster: [32]byte{2}, Self: i, N: n, Function: &functions[i],
			Rand:    rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(i), 3}),
			Inputs:  func() ([]bool, error) { return inputs[i], nil },
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
	return decode(outputs), functions[0].order
}

// 50 scenarios of 1 to 32 offers through the whole protocol: every party learns what the reference says under the order that
// the coin drew. Most are small, for the work grows with the cube of the parties; -short plays the first eight.
func TestWholeMatchAgreesWithReference(t *testing.T) {
	sizes := make([]int, 50)
	for k := range sizes {
		sizes[k] = 1 + k%4
	}
	sizes[20], sizes[26], sizes[32], sizes[38], sizes[44] = 5, 6, 8, 16, 32
	if testing.Short() {
		sizes = sizes[:8]
	}
	rng := rand.New(rand.NewPCG(21, 22))
	var matched, none int
	for k, size := range sizes {
		t.Run(fmt.Sprintf("%d of %d", k, size), func(t *testing.T) {
			req, offers, _ := randomScenario(rng)
			for len(offers) != size {
				req, offers, _ = randomScenario(rng)
			}
			got, order := match(t, uint64(k), req, offers)
			want := Reference(req, offers, order)
			if got.Requester != want.Requester || !slices.Equal(got.Providers, want.Providers) {
				t.Errorf("%+v of %+v in order %v:\n got %+v\nwant %+v", req, offers, order, got, want)
			}
			if want.Requester.Matched {
				matched++
			} else {
				none++
			}
		})
	}
	if matched < 2 || none < 2 {
		t.Errorf("%d matched and %d did not: too one-sided to mean anything", matched, none)
	}
}
