package market

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

func TestCapacityOfOffers(t *testing.T) {
	b := open(t)
	b.checkUsage("", "", "", "")
	b.offer("a", small, 10, 1)
	b.offer("b", "cpu=1,memory=8Gi", 5, 2)
	b.checkUsage("cpu=15,memory=50Gi", "", "", "cpu=15,memory=50Gi")
	b.win(1, small, 4)
	b.hold(2, "cpu=1,memory=8Gi")
	b.checkUsage("cpu=15,memory=50Gi", "cpu=4,memory=4Gi", "cpu=5,memory=40Gi", "cpu=6,memory=6Gi")

	// A paused offer backs its leases and no more, and takes nothing from b.
	if err := b.SetPaused("a", true); err != nil {
		t.Fatal(err)
	}
	b.checkUsage("cpu=9,memory=44Gi", "cpu=4,memory=4Gi", "cpu=5,memory=40Gi", "")
	b.Free([32]byte{2})
	if bid := b.hold(3, "cpu=1,memory=8Gi"); bid.Quantity != 5 {
		t.Errorf("b bids %d of 5", bid.Quantity)
	}
	b.Free([32]byte{3})
	if err := b.SetPaused("a", false); err != nil {
		t.Fatal(err)
	}

	// So does one that is lowered below what is leased: its room is 0.
	b.offer("a", small, 3, 1)
	b.checkUsage("cpu=9,memory=44Gi", "cpu=4,memory=4Gi", "", "cpu=5,memory=40Gi")
	if bid := b.hold(4, small); bid.Offer != "b" || bid.Quantity != 5 {
		t.Errorf("bid %+v", bid)
	}
	b.Free([32]byte{4})

	// And one that is removed.
	if err := b.RemoveOffer("a"); err != nil {
		t.Fatal(err)
	}
	b.checkUsage("cpu=9,memory=44Gi", "cpu=4,memory=4Gi", "", "cpu=5,memory=40Gi")
	b.reopen()
	b.checkUsage("cpu=9,memory=44Gi", "cpu=4,memory=4Gi", "", "cpu=5,memory=40Gi")
	b.advance(NewLeaseID([32]byte{1}, provider), Released)
	b.checkUsage("cpu=5,memory=40Gi", "", "", "cpu=5,memory=40Gi")
}

// An offer never sells more than it puts up, however its units are cut: without
// a declared capacity it does not sell what other offers put up either.
func TestOffersDoNotBorrow(t *testing.T) {
	b := open(t)
	b.offer("x86", small, 4, 1)
	b.offer("arm", small+",arch=arm64", 4, 1)
	b.offer("h100", "cpu=2,memory=4Gi,gpu=nvidia-h100", 2, 1)
	b.offer("a100", "cpu=2,memory=4Gi,gpu=nvidia-a100", 3, 1)
	for sid, class := range []string{small, small + ",arch=arm64", "cpu=1,memory=1Gi,gpu=nvidia-h100"} {
		bid := b.hold(byte(sid), class)
		if want := []Quantity{4, 4, 2}[sid]; bid.Quantity != want {
			t.Errorf("%s: bid %d, want %d", class, bid.Quantity, want)
		}
		if bid := b.hold(byte(sid)+100, class); bid.Quantity != 0 {
			t.Errorf("%s: %d more of what is sold out", class, bid.Quantity)
		}
	}
	b.checkUsage("cpu=14,cpu/arm64=4,gpu/nvidia-a100=3,gpu/nvidia-h100=2,memory=24Gi,memory/arm64=4Gi", "",
		"cpu=6,cpu/arm64=4,gpu/nvidia-h100=2,memory=6Gi,memory/arm64=4Gi", "cpu=8,gpu/nvidia-a100=3,memory=18Gi")
}

func TestDeclaredCapacity(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 1)
	b.offer("b", "cpu=1,memory=8Gi", 10, 2)
	if err := b.SetCapacity(Resources{"cpu": 12_500, "memory": 60 * gib}); err != nil {
		t.Fatal(err)
	}
	// One pool behind all classes.
	b.win(1, small, 10)
	b.checkUsage("cpu=12500m,memory=60Gi", "cpu=10,memory=10Gi", "", "cpu=2500m,memory=50Gi")
	if bid := b.hold(2, "cpu=1,memory=8Gi"); bid.Quantity != 2 {
		t.Errorf("bid %d, 2 fit", bid.Quantity)
	}
	// Declared below what is leased: nothing is free, nothing negative.
	if err := b.SetCapacity(Resources{"cpu": 3000}); err != nil {
		t.Fatal(err)
	}
	b.checkUsage("cpu=3", "cpu=10,memory=10Gi", "cpu=2,memory=16Gi", "")
	if bid := b.hold(3, "cpu=1,memory=8Gi"); bid.Quantity != 0 {
		t.Errorf("bid %d of nothing", bid.Quantity)
	}
	if err := b.SetCapacity(Resources{}); err != nil {
		t.Fatal(err)
	}
	b.checkUsage("", "cpu=10,memory=10Gi", "cpu=2,memory=16Gi", "")
	for _, bad := range []Resources{{"cpu": -1}, {"cpu": math.MaxInt64}, {"gpu": 1}, {"cpu/vax": 1}} {
		if err := b.SetCapacity(bad); !errors.As(err, new(*FieldError)) {
			t.Errorf("%v: %v", bad, err)
		}
		cfg := b.cfg
		cfg.Capacity = bad
		if _, err := Open(cfg); !errors.As(err, new(*FieldError)) {
			t.Errorf("open with %v: %v", bad, err)
		}
	}
	if err := b.SetCapacity(nil); err != nil {
		t.Fatal(err)
	}
	b.checkUsage("cpu=20,memory=90Gi", "cpu=10,memory=10Gi", "cpu=2,memory=16Gi", "cpu=8,memory=64Gi")
	u := b.Usage()
	u.Total["cpu"], u.Free["cpu"] = 0, 0 // ours to spoil
	b.checkUsage("cpu=20,memory=90Gi", "cpu=10,memory=10Gi", "cpu=2,memory=16Gi", "cpu=8,memory=64Gi")
}

// More than 64 bits of capacity stays at the top of them.
func TestCapacityDoesNotOverflow(t *testing.T) {
	b := open(t)
	for i := range 4 {
		b.offer(fmt.Sprint("offer-", i), "cpu=1000000,memory=64Ti,storage=64Ti", MaxQuantity, 1)
	}
	for i := range 4 {
		if bid := b.hold(byte(i), "cpu=1000000,memory=64Ti,storage=64Ti"); bid.Quantity != MaxQuantity {
			t.Fatalf("bid %d is %d", i, bid.Quantity)
		}
	}
	u := b.Usage()
	for k, n := range u.Free {
		if n != 0 || u.Total[k] < 0 || u.Held[k] < 0 {
			t.Errorf("%s: %+v", k, u)
		}
	}
	if bid := b.hold(9, "cpu=1000000,memory=64Ti,storage=64Ti"); bid.Quantity != 0 {
		t.Errorf("bid %d of nothing", bid.Quantity)
	}
}

func TestOffersPersist(t *testing.T) {
	b := open(t)
	full := Offer{
		Name: "full", Unit: mustClass(t, "cpu=2,memory=4Gi,gpu=a100,storage=1Ti"), Ceiling: 7, Price: NoMaximum, Policies: []string{"split", "fit"},
		Allow: []string{AllowAny, peerText(alice)}, Deny: []string{peerText(bob)}, MaxDuration: MaxDuration, MaxLeases: 3, MaxMatches: 4,
	}
	if err := b.PutOffer(full); err != nil {
		t.Fatal(err)
	}
	b.offer("", small, 1, 0)
	if err := b.SetPaused("full", true); err != nil {
		t.Fatal(err)
	}
	full.Paused = true
	want := fmt.Sprintf("%+v", []Offer{Offer{Unit: mustClass(t, small), Ceiling: 1}.Normalize(), full.Normalize()})
	for range 2 {
		if got := fmt.Sprintf("%+v", b.Offers()); got != want {
			t.Errorf("offers\n%s, want\n%s", got, want)
		}
		b.reopen()
	}
	o, ok := b.Offer("full")
	if !ok || o.Name != "full" {
		t.Errorf("%+v, %v", o, ok)
	}
	o.Policies[0] = "changed"
	if again, _ := b.Offer("full"); again.Policies[0] != "fit" {
		t.Error("a caller reached into the ledger")
	}
	for _, err := range []error{b.SetPaused("none", true), b.RemoveOffer("none")} {
		if !errors.Is(err, ErrNoOffer) {
			t.Error(err)
		}
	}
	if err := b.PutOffer(Offer{}); !errors.As(err, new(*FieldError)) {
		t.Error(err)
	}
	for i := range maxOffers - 2 {
		b.offer(fmt.Sprint("filler-", i), small, 1, 1)
	}
	if err := b.PutOffer(Offer{Name: "straw", Unit: full.Unit, Ceiling: 1}); !errors.Is(err, ErrTooMany) {
		t.Errorf("offer %d: %v", maxOffers+1, err)
	}
	if err := b.PutOffer(full); err != nil {
		t.Errorf("replacing one of %d: %v", maxOffers, err)
	}
}
