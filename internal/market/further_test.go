package market

import (
	"errors"
	"slices"
	"testing"
)

func TestFurtherOfAPolicy(t *testing.T) {
	for policy, want := range map[string][]string{
		"fit": nil, "fit;tiers": nil, "lowest-price;with=storage": {"storage"}, "split;winners=4;with=gpu,storage": {"gpu", "storage"}, "": nil, "a;without=b": nil,
	} {
		if got := Further(policy); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
	}
}

func TestParseFurther(t *testing.T) {
	for text, want := range map[string]Quantity{"500Gi": 500, "1": 1, "1Gi": 1, "1025Mi": 2, "65535Gi": MaxQuantity} {
		got, err := ParseFurther(Storage, text)
		if err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1Gi", "65536Gi", "much", "1e99"} {
		var f *FieldError
		if q, err := ParseFurther(Storage, text); !errors.As(err, &f) || f.Field != "storage" || q != 0 {
			t.Errorf("%s: %d, %v", text, q, err)
		}
	}
	if got := Storage.Format(500); got != "500Gi" {
		t.Errorf("500 steps are %s", got)
	}
}

// A match holds what an offer has of a further dimension beside its units, a win
// keeps what was won of it, and nothing of it backs two leases.
func TestFurtherIsHeldAndLeased(t *testing.T) {
	for _, declared := range []bool{false, true} {
		b := open(t)
		if declared {
			b.cfg.Capacity = Resources{KindCPU: 10_000, KindMemory: 10 * gib, KindStorage: 60 * gib}
			b.reopen()
		}
		b.put(Offer{Name: "a", Unit: mustClass(t, small+",storage=1Gi"), Ceiling: 10, Price: 5, Storage: 50})
		with := b.ask(small)
		with.Policy = "lowest-price;with=gpu,storage"
		bid, err := b.Hold([32]byte{1}, with, HoldTime)
		if err != nil || bid.Quantity != 10 || !slices.Equal(bid.Further, []Quantity{0, 50}) {
			t.Fatalf("declared %v: %+v, %v", declared, bid, err)
		}
		for name, further := range map[string][]Quantity{"more": {0, 51}, "of what there is not": {1, 50}, "one too many": {0, 50, 1}} {
			if _, refused := b.Win([32]byte{1}, 4, 5, further...); !errors.Is(refused, ErrNotHeld) {
				t.Errorf("%s: %v", name, refused)
			}
		}
		lease, err := b.Win([32]byte{1}, 4, 5, 0, 30)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = b.Win([32]byte{1}, 4, 5, 0, 31); !errors.Is(err, ErrConflict) {
			t.Errorf("another outcome: %v", err)
		}
		b.reopen()
		again, err := b.Win([32]byte{1}, 4, 5, 0, 30)
		if err != nil || !slices.Equal(again.Further, []Quantity{0, 30}) {
			t.Errorf("the same outcome, from the disk: %+v, %v", again, err)
		}
		if r, rerr := lease.Resources(); rerr != nil || r[KindStorage] != 30*gib || r[KindCPU] != 4000 {
			t.Errorf("the lease takes %v, %v", r, rerr)
		}
		u := b.Usage()
		if u.Reserved[KindStorage] != 30*gib || u.Held[KindStorage] != 0 || u.Reserved[KindStorage]+u.Free[KindStorage] != u.Total[KindStorage] {
			t.Errorf("usage %v", u)
		}
		// Units that have storage of their own leave less of it beside.
		two := b.ask(small + ",storage=1Gi")
		two.Policy = "lowest-price;with=storage"
		if bid, err = b.Hold([32]byte{2}, two, HoldTime); err != nil || bid.Quantity != 6 || !slices.Equal(bid.Further, []Quantity{20}) {
			t.Errorf("declared %v, with the rest: %+v, %v", declared, bid, err)
		}
		if bid, err = b.Hold([32]byte{3}, with, HoldTime); err != nil || bid.Quantity != 0 || !slices.Equal(bid.Further, []Quantity{0, 0}) {
			t.Errorf("while all is held: %+v, %v", bid, err)
		}
		b.Free([32]byte{2})
		b.Free([32]byte{3})
		b.advance(lease.ID, Released)
		if u = b.Usage(); u.Reserved[KindStorage] != 0 || u.Free[KindStorage] != u.Total[KindStorage] {
			t.Errorf("usage after its end %v", u)
		}
	}
}

func FuzzParseFurther(f *testing.F) {
	for _, text := range []string{"500Gi", "1", "65536Gi", "0", "-1", "1e30", "1.5Gi", "999999999999999999E"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseFurther(Storage, text)
		if (err == nil) != (q > 0) {
			t.Fatalf("%d, %v", q, err)
		}
		if err != nil {
			return
		}
		if again, err := ParseFurther(Storage, Storage.Format(q)); err != nil || again != q {
			t.Fatalf("%d reads back as %d, %v", q, again, err)
		}
	})
}
