package placement

import (
	"crypto/ed25519"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// pair is two worlds that differ only in what others than one party enter, and that tell this party the same.
type pair struct {
	policy string
	party  int
	a, b   world
	name   string
}

// pairs has for each function a requester, a winner and a loser whose others differ in everything that may differ.
func pairs() []pair {
	ask := func(quantity uint16, most uint32) Request { return Request{Quantity: quantity, MaxPrice: most} }
	with := func(r Request, offers ...Offer) world { return world{r, offers} }
	offer := func(quantity uint16, price uint32) Offer { return Offer{Quantity: quantity, Price: price} }
	return []pair{
		// The first three are run often.
		{"second-price", 1, with(ask(5, 20), offer(7, 10), offer(9, 3)), with(ask(60_000, 40), offer(7, 10), offer(6, 9)), "loser, to another or to nobody"},
		{"split", 0, with(ask(12, 20), offer(7, 10), offer(9, 11)), with(ask(12, 20), offer(7, 10), offer(5, 11)), "requester, what the last has left"},
		{"second-price", 1, with(ask(5, 20), offer(7, 10), offer(9, 11)), with(ask(5, 11), offer(7, 10), offer(2, 13)), "winner, paid another's price or the maximum"},
		{"lowest-price", 1, with(ask(8, 20), offer(7, 10)), with(ask(5, 9), offer(7, 10)), "loser, for its quantity or for its price"},
		{"lowest-price", 0, with(ask(5, 20), offer(7, 10), offer(9, 11)), with(ask(5, 20), offer(5, 10), offer(0, 3)), "requester, another has nothing"},
		{"lowest-price", 0, with(ask(5, 20), offer(4, 10), offer(9, 21)), with(ask(5, 20), offer(0, 0), offer(65535, 4_000_000_000)), "requester without a match"},
		{"lowest-price", 1, with(ask(5, 20), offer(7, 10), offer(9, 11)), with(ask(5, 10), offer(7, 10), offer(4, 1)), "winner, another maximum and another offer"},
		{"lowest-price", 1, with(ask(5, 20), offer(7, 10), offer(9, 3)), with(ask(60_000, 9), offer(7, 10), offer(1, 1)), "loser, and nobody wins"},
		{"second-price", 0, with(ask(5, 20), offer(4, 10), offer(9, 21), offer(9, 30)), with(ask(5, 20), offer(0, 0), offer(9, 22), offer(7, 25)), "requester without a match"},
		{"second-price;with=gpu", 0, with(Request{Quantity: 5, MaxPrice: 20, Further: []uint16{3}}, Offer{7, 10, nil, []uint16{3}}, Offer{9, 11, nil, []uint16{5}}, Offer{9, 2, nil, []uint16{2}}),
			with(Request{Quantity: 5, MaxPrice: 20, Further: []uint16{3}}, Offer{8, 9, nil, []uint16{4}}, Offer{5, 11, nil, []uint16{3}}, Offer{9, 17, nil, []uint16{9}}), "requester, other prices and more offers that lost"},
		{"second-price", 0, with(ask(5, 20), offer(7, 10), offer(9, 11)), with(ask(5, 20), offer(50, 2), offer(5, 11)), "requester, another price of the winner"},
		{"second-price", 1, with(ask(5, 20), offer(7, 10), offer(9, 3)), with(ask(6, 40), offer(7, 10), offer(6, 9)), "loser, another winner's price"},
		{"split", 1, with(ask(12, 20), offer(7, 10), offer(9, 11)), with(ask(7, 10), offer(7, 10), offer(2, 30)), "winner of all that it has, alone or not"},
		{"split", 1, with(ask(5, 20), offer(7, 10), offer(9, 3)), with(ask(60_000, 90), offer(7, 10), offer(1, 11)), "loser, and nobody wins"},
		{"fit", 0, with(ask(12, 20), offer(7, 10), offer(19, 11)), with(ask(12, 20), offer(0, 1), offer(12, 11)), "requester, whether a split would have been cheaper"},
		{"fit", 1, with(ask(7, 20), offer(7, 10), offer(9, 11)), with(ask(12, 10), offer(7, 10), offer(5, 10)), "winner, alone or of a part"},
		{"fit", 1, with(ask(5, 20), offer(7, 10), offer(9, 3)), with(ask(60_000, 90), offer(7, 10), offer(1, 11)), "loser, and nobody wins"},
		{"lowest-price;handicap", 1, with(Request{Quantity: 5, MaxPrice: 20, Handicaps: []uint32{0, 5}}, offer(7, 10), offer(9, 9)),
			with(Request{Quantity: 5, MaxPrice: 10, Handicaps: []uint32{1 << 31, 0}}, offer(7, 10), offer(4, 1)), "winner, other handicaps"},
		{"lowest-price;with=gpu", 1, with(Request{Quantity: 5, MaxPrice: 20, Further: []uint16{3}}, Offer{7, 10, nil, []uint16{2}}, Offer{9, 30, nil, []uint16{3}}),
			with(Request{Quantity: 5, MaxPrice: 20, Further: []uint16{1}}, Offer{7, 10, nil, []uint16{2}}, Offer{9, 9, nil, []uint16{8}}), "loser, for what it lacks or for its price"},
		{"split;cap", 1, with(Request{Quantity: 12, MaxPrice: 20, Cap: 7}, offer(9, 10), offer(9, 11)), with(ask(7, 10), offer(9, 10), offer(1, 19)), "winner, capped or not"},
		{"split;tiers", 0, with(ask(12, 20), Offer{7, 0, []Step{{1, 10}, {8, 1}}, nil}, Offer{5, 0, []Step{{1, 11}}, nil}),
			with(ask(12, 20), Offer{7, 0, []Step{{1, 30}, {7, 10}}, nil}, Offer{9, 0, []Step{{1, 11}, {6, 12}, {10, 3}}, nil}), "requester, other curves through the same points"},
	}
}

// view is what one party has of a run: what it decodes, the messages from and to it, and the frames of the flights in which
// values travel under masks.
type view struct {
	decoded  string
	messages []string
	frames   [][]byte
}

// look runs the whole protocol, every party's randomness being new, and gives one party's view.
func look(t *testing.T, f Function, w world, party int, seed uint64) view {
	t.Helper()
	n, inputs, key := f.Parties(), w.inputs(t, f), mpctest.Key()
	sets := mpctest.Deal(mpctest.Rand("sets", seed, n), n)
	parties, machines := make([]*mpc.Party, n), make([]mpctest.Machine, n)
	for i := range n {
		p, err := mpc.New(mpc.Config{
			SID: [32]byte{1}, Roster: [32]byte{2}, Self: i, N: n, Function: f, Rand: mpctest.Rand("leakage", seed, i), Warm: sets[i], Workers: 1,
			Inputs: func() ([]bool, error) { return slices.Clone(inputs[i]), nil },
			Sign:   func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil },
			Verify: func(msg, sig []byte) bool { return ed25519.Verify(key.Public().(ed25519.PublicKey), msg, sig) },
		})
		if err != nil {
			t.Fatal(err)
		}
		parties[i], machines[i] = p, p
	}
	var v view
	result := mpctest.Drive(machines, func(flight, from, to int, frame []byte) []mpctest.Delivery {
		if from == party || to == party {
			v.messages = append(v.messages, fmt.Sprintf("F%d %d→%d %d bytes", flight, from, to, len(frame)))
		}
		if to == party && (flight == 5 || flight >= 8) {
			v.frames = append(v.frames, slices.Clone(frame))
		}
		return []mpctest.Delivery{{Frame: frame}}
	})
	for i, err := range result.Errors {
		if err != nil {
			t.Fatalf("party %d: %v", i, err)
		}
	}
	out, ok := parties[party].Outputs()
	if !ok {
		t.Fatal("no outputs")
	}
	v.decoded = fmt.Sprint(out)
	if party == 0 {
		v.decoded += fmt.Sprintf(" %+v", f.Result(inputs[0], out))
	} else {
		award, won := f.Award(party, inputs[party], out)
		v.decoded += fmt.Sprintf(" %v %+v", won, award)
	}
	return v
}

// A party cannot tell two worlds of equal leakage by what it decodes, nor by the lengths and the order of messages.
func TestEqualLeakageLooksEqual(t *testing.T) {
	for _, p := range pairs() {
		f := mustNew(t, p.policy, len(p.a.offers))
		first := look(t, f, p.a, p.party, 1)
		for seed := range uint64(3) {
			a, b := look(t, f, p.a, p.party, seed), look(t, f, p.b, p.party, seed+1000)
			if a.decoded != b.decoded || a.decoded != first.decoded {
				t.Errorf("%s, %s: %s and %s", p.policy, p.name, a.decoded, b.decoded)
			}
			if !slices.Equal(a.messages, b.messages) || !slices.Equal(a.messages, first.messages) {
				t.Errorf("%s, %s: messages %v and %v", p.policy, p.name, a.messages, b.messages)
			}
		}
	}
}

// The control: where the leakage differs, so does what is decoded.
func TestUnequalLeakageLooksUnequal(t *testing.T) {
	for _, p := range pairs() {
		f := mustNew(t, p.policy, len(p.a.offers))
		other := p.b
		other.request = Request{Quantity: 1, MaxPrice: math.MaxUint32, Further: make([]uint16, len(other.request.Further))}
		other.offers = slices.Clone(other.offers)
		for k := range other.offers {
			other.offers[k] = Offer{Quantity: 1, Price: 100, Further: other.offers[k].Further}
			if k+1 == p.party {
				other.offers[k].Price = 99
			}
		}
		if p.party > 0 {
			if _, won := f.Award(p.party, p.a.inputs(t, f)[p.party], run(mustBuild(t, f, identity(f.Leaves())), p.a.inputs(t, f))[p.party]); won {
				other.offers[p.party-1].Quantity = 0
			}
		}
		if a, b := look(t, f, p.a, p.party, 1), look(t, f, other, p.party, 1); a.decoded == b.decoded {
			t.Errorf("%s, %s: %s in a world of other leakage", p.policy, p.name, b.decoded)
		}
	}
}

// tally counts how often each bit of the frames is set.
type tally struct {
	frames [][]byte // of the first run, for their lengths
	counts [][]int32
	runs   int
}

func (c *tally) add(frames [][]byte) {
	if c.frames == nil {
		c.frames = frames
		for _, f := range frames {
			c.counts = append(c.counts, make([]int32, 8*len(f)))
		}
	}
	for k, f := range frames {
		for i, x := range f {
			for ; x != 0; x &= x - 1 {
				c.counts[k][8*i+bits.TrailingZeros8(x)]++
			}
		}
	}
	c.runs++
}

// headerBytes head each frame, the same in all runs of a session; signatureBytes end the requester's last one.
const (
	headerBytes    = 67
	signatureBytes = mpc.SignatureSize
)

// Every bit that a party sees under a mask is unbiased: masked inputs and outputs of everybody, labels, shares of masks, MACs,
// over 1,600 runs, half of them in each of two worlds of equal leakage. Only headers and padding are constant, and the same in
// both.
func TestMaskedBitsAreUnbiased(t *testing.T) {
	for _, p := range pairs()[:3] {
		t.Run(p.policy+", "+p.name, func(t *testing.T) {
			t.Parallel()
			half := 800
			if testing.Short() {
				half = 30
			}
			f := mustNew(t, p.policy, len(p.a.offers))
			var a, b tally
			for k := range half {
				a.add(look(t, f, p.a, p.party, uint64(2*k)).frames)
				b.add(look(t, f, p.b, p.party, uint64(2*k+1)).frames)
			}
			for k, frame := range a.frames {
				constant := 0
				for i := range a.counts[k] {
					na, nb := int(a.counts[k][i]), int(b.counts[k][i])
					if n := na + nb; n == 0 || n == a.runs+b.runs {
						constant++
						continue
					}
					// 6.5 standard deviations: 8e-11 for one bit, of a million or so.
					if far := 6.5 * math.Sqrt(float64(a.runs)/2); math.Abs(float64(na-nb)) > far {
						t.Errorf("frame %d, bit %d: set %d and %d times of %d", k, i, na, nb, a.runs)
					}
					signature := p.party > 0 && i >= 8*(len(frame)-signatureBytes) // not uniform, and says whether it is one
					if far := 6.5 * math.Sqrt(float64(a.runs)/2); !signature && math.Abs(float64(na+nb-a.runs)) > far {
						t.Errorf("frame %d, bit %d: set %d times of %d", k, i, na+nb, a.runs+b.runs)
					}
				}
				if constant < 8*headerBytes || constant > 8*headerBytes+32 {
					t.Errorf("frame %d of %d bytes: %d bits are constant", k, len(frame), constant)
				}
			}
		})
	}
}
