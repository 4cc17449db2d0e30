package market

import (
	"errors"
	"strings"
	"testing"
)

// follow makes the ledger follow a cluster that has so many units over, all that
// is promised apart.
func (b *bench) follow(over *Quantity, err *error) {
	b.Ledger.surplus = func(_ Surplus, c Class, promised []Taken) (Quantity, error) {
		if *err != nil {
			return 0, *err
		}
		left := Resources{KindCPU: int64(*over) * 1000, KindMemory: int64(*over) * gib}
		for _, p := range promised {
			r, failed := p.Class.Base().Times(p.Quantity)
			if failed != nil {
				b.t.Fatal(failed)
			}
			left = left.Less(r)
		}
		return left.Units(c.Base()), nil
	}
}

func TestSurplusOffers(t *testing.T) {
	b := open(t)
	over, down := Quantity(10), error(nil)
	b.put(Offer{Name: "half", Unit: mustClass(t, "cpu=2,memory=2Gi"), Ceiling: 4, Price: 1, Surplus: &Surplus{Share: 5000, Keep: Resources{KindCPU: 1}, WhenFree: 3000}})
	b.put(Offer{Name: "rest", Unit: mustClass(t, small), Ceiling: MaxQuantity, Price: 1, Surplus: &Surplus{Share: AllOf}})
	b.reopen()
	if bid := b.hold(1, small); bid.Quantity != 0 {
		t.Fatalf("followed nothing and entered %+v", bid)
	}
	if err := b.Faults()["rest"]; !errors.Is(err, ErrNoSurplus) {
		t.Errorf("why: %v", err)
	}
	b.Free([32]byte{1})
	b.follow(&over, &down)
	if o, _ := b.Offer("half"); o.Surplus.Share.String() != "50%" || o.Surplus.WhenFree.String() != "30%" || o.Surplus.Keep[KindCPU] != 1 {
		t.Errorf("not kept over a restart: %+v", o.Surplus)
	}
	if !b.FollowsCluster() {
		t.Error("does not follow")
	}
	// Both draw on the same ten units, whichever is held or leased.
	b.checkUsage("cpu=10,memory=10Gi", "", "", "cpu=10,memory=10Gi")
	lease := b.win(1, small, 3)
	if lease.Offer != "rest" {
		t.Fatal(lease.Offer)
	}
	b.checkUsage("cpu=10,memory=10Gi", "cpu=3,memory=3Gi", "", "cpu=7,memory=7Gi")
	if bid := b.hold(2, "cpu=2,memory=2Gi"); bid.Offer != "half" || bid.Quantity != 3 {
		t.Fatalf("seven units have %+v", bid)
	}
	if bid := b.hold(3, small); bid.Quantity != 1 {
		t.Fatalf("one is left: %+v", bid)
	}
	b.checkUsage("cpu=10,memory=10Gi", "cpu=3,memory=3Gi", "cpu=7,memory=7Gi", "")
	b.Free([32]byte{2})
	b.Free([32]byte{3})
	// Full, or not known: it enters 0, is admitted and announced as before.
	over = 2
	if bid := b.hold(4, small); bid.Quantity != 0 || bid.Offer == "" {
		t.Errorf("nothing is over: %+v", bid)
	}
	if len(b.Faults()) != 0 {
		t.Errorf("a full cluster is no fault: %v", b.Faults())
	}
	over, down = 10, errors.New("the cluster was last seen long ago")
	if bid := b.hold(5, small); bid.Quantity != 0 {
		t.Errorf("not known: %+v", bid)
	}
	if err := b.Admit(b.ask(small)); err != nil {
		t.Errorf("declines: %v", err)
	}
	if err := b.Faults()["half"]; !errors.Is(err, down) {
		t.Errorf("why: %v", err)
	}
	if o, _ := b.Offer("half"); len(o.Announced()) == 0 {
		t.Error("is announced no more")
	}
	down = nil
	b.advance(lease.ID, Released)
	if n, err := b.Surplus("half"); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	// A declared capacity bounds it as well.
	if err := b.SetCapacity(Resources{KindCPU: 3000, KindMemory: 64 * gib}); err != nil {
		t.Fatal(err)
	}
	if bid := b.hold(6, small); bid.Quantity != 3 {
		t.Errorf("%+v", bid)
	}
}

func TestSurplusFields(t *testing.T) {
	unit := mustClass(t, small)
	for want, o := range map[string]Offer{
		"share":     {Unit: unit, Surplus: &Surplus{}},
		"when-free": {Unit: unit, Surplus: &Surplus{Share: 1, WhenFree: AllOf}},
		"keep":      {Unit: unit, Surplus: &Surplus{Share: 1, Keep: Resources{"cpu": -1}}},
		"class":     {Unit: mustClass(t, "cpu=1,memory=1Gi,storage=1Gi"), Surplus: &Surplus{Share: 1}},
	} {
		o.Ceiling = 1
		var f *FieldError
		if err := o.Normalize().Validate(); !errors.As(err, &f) || f.Field != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	for text, ok := range map[string]bool{">30%": true, "> 0.5 %": true, "30%": false, ">100%": false, "<30%": false, ">": false} {
		if _, err := ParseWhenFree(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, ok := range map[string]bool{"cpu=4,memory=8Gi": true, "storage=1Gi": false, "": false, "cpu": false} {
		if _, err := ParseKeep(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParsePercent(f *testing.F) {
	for _, s := range []string{"50%", "12.5%", "0.01%", "100%", "100.01%", "%", "1e3%", "-1%", "07%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePercent("share", text)
		if err != nil {
			if !strings.Contains(err.Error(), "50%") {
				t.Errorf("no example: %v", err)
			}
			return
		}
		if again, err := ParsePercent("share", p.String()); err != nil || again != p {
			t.Errorf("%q is %q, which is %v (%v)", text, p, again, err)
		}
	})
}

func FuzzSurplusTerms(f *testing.F) {
	for _, s := range []string{">30%", "cpu=4,memory=8Gi", "> 0.5 %", "gpu/nvidia-h100=1", "storage=1Gi", "cpu=1,cpu=2", ">%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var field *FieldError
		if p, err := ParseWhenFree(text); err != nil && !errors.As(err, &field) || err == nil && p >= AllOf {
			t.Errorf("%q: %v, %v", text, p, err)
		}
		r, err := ParseKeep(text)
		if err != nil {
			if !errors.As(err, &field) || field.Field != "keep" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := ParseKeep(r.String()); len(r.String()) > 0 && (err != nil || !again.Equal(r)) {
			t.Errorf("%q is %q, which is %v (%v)", text, r, again, err)
		}
	})
}
