package placement

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What does not belong to a policy is refused before anything is entered, and the error does not repeat it.
func TestInputsRefused(t *testing.T) {
	for _, tc := range []struct {
		policy string
		req    Request
		offer  *Offer
	}{
		{"lowest-price", Request{}, nil},
		{"lowest-price", Request{Quantity: 54321, Cap: 54321}, nil},
		{"lowest-price", Request{Quantity: 54321, Handicaps: []uint32{54321, 54321}}, nil},
		{"lowest-price", Request{Quantity: 54321, Further: []uint16{54321}}, nil},
		{"split;handicap", Request{Quantity: 54321, Handicaps: []uint32{54321}}, nil},
		{"fit;with=gpu", Request{Quantity: 54321}, nil},
		{"lowest-price", Request{}, &Offer{Quantity: 54321, Further: []uint16{54321}}},
		{"lowest-price;tiers", Request{}, &Offer{Quantity: 54321, Steps: []Step{{2, 54321}}}},
		{"lowest-price;tiers", Request{}, &Offer{Quantity: 54321, Steps: []Step{{1, 1}, {1, 54321}}}},
		{"lowest-price;tiers", Request{}, &Offer{Quantity: 54321, Steps: []Step{{1, 1}, {54321, 54321}, {54320, 1}}}},
		{"split;tiers", Request{}, &Offer{Quantity: 54321, Steps: make([]Step, MaxSteps+1)}},
	} {
		f := mustNew(t, tc.policy, 2)
		var err error
		if tc.offer == nil {
			_, err = f.RequestInputs(tc.req)
		} else {
			_, err = f.OfferInputs(*tc.offer)
		}
		if !errors.Is(err, ErrInput) || strings.Contains(fmt.Sprint(err), "5432") {
			t.Errorf("%s: %+v, %+v: %v", tc.policy, tc.req, tc.offer, err)
		}
	}
}

func TestReadersWantWholeOutputs(t *testing.T) {
	for _, policy := range samples() {
		f := mustNew(t, policy, 3)
		c := mustBuild(t, f, identity(3))
		inputs := make([]bool, len(c.InputsOf(0)))
		for _, missing := range []int{1, -1} {
			for name, read := range map[string]func(){
				"requester": func() { f.Result(inputs, make([]bool, len(c.OutputsOf(0))-missing)) },
				"provider":  func() { f.Award(1, inputs, make([]bool, len(c.OutputsOf(1))-missing)) },
			} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s, %s: %d outputs are missing and nobody noticed", policy, name, missing)
						}
					}()
					read()
				}()
			}
		}
	}
}

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		spread   Spread
		quantity uint16
		limit    uint16 // 0: none
		wrong    bool
	}{
		{Spread{}, 32, 0, false},
		{Spread{MaxShare: WholeShare, MinWinners: 1}, 32, 0, false},
		{Spread{MaxShare: 500_000}, 32, 16, false},
		{Spread{MaxShare: 500_000}, 33, 16, false},
		{Spread{MaxShare: 333_333}, 3, 0, true},
		{Spread{MaxShare: 333_334}, 3, 1, false},
		{Spread{MinWinners: 2}, 32, 31, false},
		{Spread{MinWinners: 2}, 1, 0, true},
		{Spread{MinWinners: 4}, 32, 10, false},
		{Spread{MinWinners: 32}, 32, 1, false},
		{Spread{MinWinners: 33}, 32, 0, true},
		{Spread{MaxShare: 999_999, MinWinners: 64}, 65535, 1040, false},
		{Spread{MaxShare: 1, MinWinners: 2}, 65535, 0, true},
	} {
		limit, err := tc.spread.Cap(tc.quantity)
		if limit != tc.limit || (err != nil) != tc.wrong || err != nil && !errors.Is(err, ErrSpread) {
			t.Errorf("%+v of %d: %d, %v", tc.spread, tc.quantity, limit, err)
		}
		if m := tc.spread.MinWinners; err == nil && m > 1 && (m-1)*int(limit) >= int(tc.quantity) {
			t.Errorf("%+v of %d: %d winners suffice", tc.spread, tc.quantity, m-1)
		}
	}
	p := Policy{Name: SplitPolicy, Winners: 3}
	if p.Suffices(32, 10, 8) || !p.Suffices(30, 10, 8) || p.Suffices(30, 10, 2) || !p.Suffices(30, 0, 1) || !(Policy{}).Suffices(65535, 1024, 64) {
		t.Error("wrong about what suffices")
	}
}
