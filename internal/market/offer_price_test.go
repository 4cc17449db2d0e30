package market

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func (b *bench) put(o Offer) {
	b.t.Helper()
	if err := b.PutOffer(o); err != nil {
		b.t.Fatal(err)
	}
}

func TestTieredBid(t *testing.T) {
	b := open(t)
	tiers := Tiers{{1, 30}, {5, 20}, {9, 25}}
	b.put(Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 10, Tiers: tiers})
	b.reopen()
	bid := b.hold(1, small)
	if want := (Bid{Offer: "a", Quantity: 10, Price: 30, Steps: tiers}); !reflect.DeepEqual(bid, want) {
		t.Fatalf("bid %+v", bid)
	}
	// What is paid is looked at on the step of that quantity.
	for _, tc := range []struct {
		q     Quantity
		price Price
		want  error
	}{{9, 24, ErrUnderpaid}, {4, 29, ErrUnderpaid}, {5, 19, ErrUnderpaid}, {5, 20, nil}} {
		if _, err := b.Win([32]byte{1}, tc.q, tc.price); !errors.Is(err, tc.want) {
			t.Errorf("%d units at %d: %v, want %v", tc.q, tc.price, err, tc.want)
		}
	}
	if bid = b.hold(2, small); bid.Quantity != 5 || bid.Price != 30 {
		t.Errorf("with five left: %+v", bid)
	}
	// A policy without tiers asks the highest price that any quantity may cost.
	b.put(Offer{Name: "b", Unit: mustClass(t, "cpu=2,memory=4Gi"), Ceiling: 10, Tiers: Tiers{{1, 30}, {5, 99}}})
	if bid = b.hold(3, "cpu=2,memory=4Gi"); bid.Price != 99 {
		t.Errorf("with a step up: %+v", bid)
	}
}

// "Evaluated when inputs bind": the price follows what is free at that moment.
func TestExprBid(t *testing.T) {
	b := open(t)
	b.put(Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 10, Expr: mustExpr(t, "1 + 2*(total-free)/total")})
	b.reopen()
	bid := b.hold(1, small)
	if bid.Price.String() != "1" || bid.Quantity != 10 {
		t.Fatalf("bid %+v", bid)
	}
	if _, err := b.Win([32]byte{1}, 5, bid.Price); err != nil {
		t.Fatal(err)
	}
	if bid = b.hold(2, small); bid.Price.String() != "2" || bid.Quantity != 5 {
		t.Errorf("with half of it leased: %+v", bid)
	}
	if again := b.hold(2, small); !reflect.DeepEqual(again, bid) {
		t.Errorf("asked again: %+v", again) // not 3: the hold is its own
	}
}

func TestExprVars(t *testing.T) {
	b := open(t)
	if err := b.SetCapacity(Resources{KindCPU: 7500, KindMemory: 100 * gib}); err != nil {
		t.Fatal(err)
	}
	b.offer("other", small, 2, 1)
	lease := b.win(1, small, 2)
	b.put(Offer{Name: "a", Unit: mustClass(t, "cpu=2,memory=2Gi"), Ceiling: 2, Expr: mustExpr(t, "total*1000 + free*100 + used*10 + duration + hour/100 + weekday/1000")})
	// The clock stands at Friday noon.
	if bid := b.hold(2, "cpu=2,memory=2Gi"); bid.Price.String() != "4036.125" || bid.Quantity != 2 { // 3.75, 2.75, 1, 1 h, 12, 5
		t.Errorf("%+v", bid)
	}
	b.advance(lease.ID, Released)
}

// "On error the offer enters 0 and says so locally."
func TestExprFault(t *testing.T) {
	b := open(t)
	b.put(Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 10, Expr: mustExpr(t, "54321/used - 1e5")})
	b.put(Offer{Name: "b", Unit: mustClass(t, small), Ceiling: 3, Price: 77})
	if got := b.Faults(); len(got) != 1 || !errors.Is(got["a"], ErrExprInfinite) || strings.Contains(got["a"].Error(), "54321") {
		t.Errorf("faults before any match: %v", got)
	}
	if bid := b.hold(1, small); !reflect.DeepEqual(bid, Bid{Offer: "b", Quantity: 3, Price: 77}) {
		t.Errorf("the other offer is not entered: %+v", bid)
	}
	if bid := b.hold(2, small); bid.Offer != "a" && bid.Offer != "b" || bid.Quantity == 10 && bid.Price == 0 {
		t.Errorf("an offer without a price is given away: %+v", bid)
	}
	b.Free([32]byte{1})
	b.Free([32]byte{2})
	if err := b.RemoveOffer("b"); err != nil {
		t.Fatal(err)
	}
	if bid := b.hold(3, small); bid.Quantity != 0 || bid.Price != 0 {
		t.Errorf("bid of an offer without a price: %+v", bid)
	}
	if err := b.SetPaused("a", true); err != nil || len(b.Faults()) != 0 {
		t.Errorf("a paused offer has a fault: %v, %v", b.Faults(), err)
	}
	b.put(Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 10, Price: 5})
	if got := b.Faults(); len(got) != 0 {
		t.Errorf("faults of another offer: %v", got)
	}
}

// An expression that this version cannot compile keeps nobody from the ledger.
func TestExprThatDoesNotCompileAnyMore(t *testing.T) {
	b := open(t)
	o := Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 10, Expr: &PriceExpr{text: "a word of a newer language"}}.Normalize()
	b.mu.Lock()
	err := b.writeOffer(o)
	b.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if bid := b.hold(1, small); bid.Quantity != 0 {
		t.Errorf("bid %+v", bid)
	}
	if got := b.Faults(); !errors.Is(got["a"], ErrExprFailed) {
		t.Errorf("faults %v", got)
	}
}

// A unit that cannot be provided now is not entered, and the reason is told.
func TestUnfitUnit(t *testing.T) {
	b, why := open(t), error(nil)
	b.cfg.Unfit = func(c Class) error {
		if c.GPU != "" {
			return why
		}
		return nil
	}
	b.reopen()
	const card = "cpu=4,memory=16Gi,gpu=nvidia-h100"
	b.put(Offer{Name: "cards", Unit: mustClass(t, card), Ceiling: 2, Price: 7})
	b.put(Offer{Name: "plain", Unit: mustClass(t, small), Ceiling: 2, Price: 5})
	why = errors.New("nothing holds tenants to it")
	if bid := b.hold(1, card); bid.Quantity != 0 || bid.Offer != "cards" {
		t.Errorf("bid %+v", bid)
	}
	if bid := b.hold(2, small); bid.Quantity != 2 {
		t.Errorf("the other offer: %+v", bid)
	}
	if got := b.Faults(); len(got) != 1 || !errors.Is(got["cards"], why) {
		t.Errorf("faults %v", got)
	}
	why = nil
	if bid := b.hold(3, card); bid.Quantity != 2 || len(b.Faults()) != 0 {
		t.Errorf("bid %+v, faults %v", bid, b.Faults())
	}
}

// A ceiling a match leaves room for the matches beside it.
func TestPerMatch(t *testing.T) {
	b := open(t)
	b.put(Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 10, Price: 5, PerMatch: 4, Notice: time.Hour})
	b.reopen()
	if bid := b.hold(1, small); bid.Quantity != 4 || bid.Notice != time.Hour {
		t.Errorf("%+v", bid)
	}
	b.checkUsage("cpu=10,memory=10Gi", "", "cpu=4,memory=4Gi", "cpu=6,memory=6Gi")
	if one, two := b.hold(2, small), b.hold(3, small); one.Quantity != 4 || two.Quantity != 2 {
		t.Errorf("%+v, then %+v", one, two)
	}
	if _, err := b.Win([32]byte{1}, 5, 5); !errors.Is(err, ErrNotHeld) {
		t.Errorf("more than the match was given: %v", err)
	}
}

func TestExprStaysOutOfLogs(t *testing.T) {
	var out strings.Builder
	bid := Bid{Offer: "a", Quantity: 54321, Price: 54321, Steps: Tiers{{1, 54321}}}
	slog.New(slog.NewTextHandler(&out, nil)).Info("all", "offer", Offer{Name: "a", Expr: &PriceExpr{text: "54321"}}, "bid", bid)
	if strings.Contains(out.String(), "54321") {
		t.Error(out.String())
	}
}
