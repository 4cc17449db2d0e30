package node

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

const unit = "arch=amd64,cpu=1,currency=USD,memory=1Gi"

// What is put comes back as it was put, in each of the three forms of a price.
func TestOfferThroughTheSocket(t *testing.T) {
	for name, o := range map[string]control.Offer{
		"price": {Price: "0.031"},
		"free":  {Price: "0"},
		"tiers": {PriceTiers: "1-8=0.03,9-=0.025", Storage: "500Gi"},
		"expr":  {PriceExpr: "0.02 + 0.02*used/total", PerMatch: 3, Notice: control.Duration(30 * 60e9), Policies: []string{"lowest-price"}},
	} {
		o.Name, o.Class, o.Ceiling = name, unit, 4
		read, err := readOffer(o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := showOffer(read.Normalize(), nil)
		got.Announced, got.Allow, got.MaxDuration, got.MaxLeases, got.MaxMatches = nil, nil, 0, 0, 0
		if !reflect.DeepEqual(got, o) {
			t.Errorf("%s: put %+v, got %+v", name, o, got)
		}
	}
}

func TestOfferRefused(t *testing.T) {
	for want, edit := range map[string]func(*control.Offer){
		"class":       func(o *control.Offer) { o.Class = "cpu=1" },
		"quantity":    func(o *control.Offer) { o.Ceiling = 65536 },
		"per-match":   func(o *control.Offer) { o.PerMatch = 65536 },
		"price":       func(o *control.Offer) { o.PriceTiers = "1-=0" },
		"price-tiers": func(o *control.Offer) { o.Price, o.PriceTiers = "", "1-8=1" },
		"price-expr":  func(o *control.Offer) { o.Price, o.PriceExpr = "", "[1]" },
		"storage":     func(o *control.Offer) { o.Storage = "much" },
		"policy":      func(o *control.Offer) { o.Policies = []string{"lowest-price;-cap"} },
	} {
		o := control.Offer{Name: "a", Class: unit, Ceiling: 4, Price: "1"}
		edit(&o)
		_, err := readOffer(o)
		var field *market.FieldError
		if !errors.As(err, &field) || field.Field != want {
			t.Errorf("%s: %v", want, err)
		}
		if !errors.Is(invalid(err), control.ErrInvalid) {
			t.Errorf("%s is not a fault of usage at the socket: %v", want, invalid(err))
		}
	}
}

// "On error the offer enters 0 and says so locally": once in the log, without
// the price, and in what the offer list shows.
func TestOfferWithoutAPrice(t *testing.T) {
	clock, err := market.SystemClock()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d := &daemon{cfg: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	if d.ledger, err = market.Open(market.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Clock: clock}); err != nil {
		t.Fatal(err)
	}
	defer d.ledger.Close()
	put := func(o control.Offer) {
		t.Helper()
		o.Name, o.Class, o.Ceiling = "busy", unit, 4
		read, err := readOffer(o)
		if err == nil {
			err = d.ledger.PutOffer(read)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(control.Offer{PriceExpr: "54321/used"})
	said := map[string]string{}
	d.tellFaults(said)
	d.tellFaults(said)
	if got := log.String(); strings.Count(got, "divides by zero") != 1 || strings.Contains(got, "54321") {
		t.Errorf("log: %s", got)
	}
	if shown := showOffer(d.ledger.Offers()[0], d.ledger.Faults()); !strings.Contains(shown.Fault, "divides by zero") || strings.Contains(shown.Fault, "54321") {
		t.Errorf("shown: %s", shown.Fault)
	}
	put(control.Offer{Price: "1"})
	d.tellFaults(said)
	if got := log.String(); !strings.Contains(got, "has a price again") || len(said) != 0 {
		t.Errorf("log: %s", got)
	}
}

// A record names the functions that some open offer enters, and no others.
func TestPoliciesOfARecord(t *testing.T) {
	clock, err := market.SystemClock()
	if err != nil {
		t.Fatal(err)
	}
	l, err := market.Open(market.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	put := func(name string, paused bool, policies ...string) {
		t.Helper()
		o, err := readOffer(control.Offer{Name: name, Class: unit, Ceiling: 1, Price: "1", Paused: paused, Policies: policies})
		if err == nil {
			err = l.PutOffer(o)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...string) {
		t.Helper()
		if got := entered(l); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check()
	put("a", false, "split", "fit")
	put("b", false, "fit")
	put("c", true)
	check("fit", "split")
	put("c", false)
	check(placement.Policies()...)
}
