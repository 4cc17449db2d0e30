package market

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	alice = [32]byte{1, 2, 3}
	bob   = [32]byte{4, 5, 6}
)

func TestOfferNormalize(t *testing.T) {
	unit := mustClass(t, "cpu=1,memory=1Gi")
	o := Offer{Unit: unit, Ceiling: 3, Policies: []string{"split", "fit", "split"}}.Normalize()
	if o.Name != unit.String() || !slices.Equal(o.Policies, []string{"fit", "split"}) || !slices.Equal(o.Allow, []string{AllowPool}) ||
		o.MaxDuration != DefaultMaxDuration || o.MaxLeases != DefaultMaxLeases || o.MaxMatches != DefaultMaxMatches {
		t.Errorf("%+v", o)
	}
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	long := mustClass(t, "cpu=999999999m,memory=70368744177663,storage=70368744177663,arch=ppc64le,currency=ABCDEFGH,gpus=1023,gpu="+strings.Repeat("x", 48))
	if err := (Offer{Unit: long, Ceiling: 1}).Normalize().Validate(); err != nil {
		t.Errorf("the longest class is no name: %v", err)
	}
}

func TestOfferValidate(t *testing.T) {
	good := Offer{Unit: mustClass(t, "cpu=1,memory=1Gi"), Ceiling: 54321, Price: 54321}.Normalize()
	for name, tc := range map[string]struct {
		field string
		edit  func(*Offer)
	}{
		"no class":       {"class", func(o *Offer) { o.Unit = Class{} }},
		"bad name":       {"name", func(o *Offer) { o.Name = "a b" }},
		"control name":   {"name", func(o *Offer) { o.Name = "a\n" }},
		"no ceiling":     {"quantity", func(o *Offer) { o.Ceiling = 0 }},
		"leases":         {"max-leases", func(o *Offer) { o.MaxLeases = -1 }},
		"matches":        {"max-matches", func(o *Offer) { o.MaxMatches = -1 }},
		"short duration": {"max-duration", func(o *Offer) { o.MaxDuration = time.Second }},
		"long duration":  {"max-duration", func(o *Offer) { o.MaxDuration = MaxDuration + time.Second }},
		"policy":         {"policy", func(o *Offer) { o.Policies = []string{"Lowest"} }},
		"parameters":     {"policy", func(o *Offer) { o.Policies = []string{"split;winners=some"} }},
		"two prices":     {"price", func(o *Offer) { o.Tiers = Tiers{{1, 54321}} }},
		"no tiers":       {"price-tiers", func(o *Offer) { o.Price, o.Tiers = 0, Tiers{} }},
		"a match":        {"per-match", func(o *Offer) { o.PerMatch = 54322 }},
		"short notice":   {"reclaim-notice", func(o *Offer) { o.Notice = time.Second }},
		"allow":          {"allow", func(o *Offer) { o.Allow = []string{"everybody"} }},
		"deny":           {"deny", func(o *Offer) { o.Deny = []string{AllowPool} }},
		"many":           {"name", func(o *Offer) { o.Deny = make([]string, 257) }},
	} {
		o := good.clone()
		tc.edit(&o)
		err := o.Validate()
		var f *FieldError
		if !errors.As(err, &f) || f.Field != tc.field || strings.Contains(err.Error(), "54321") {
			t.Errorf("%s: %v; want field %s", name, err, tc.field)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func TestAdmits(t *testing.T) {
	unit := mustClass(t, "cpu=2,memory=4Gi")
	base := Ask{Requester: alice, Member: true, Class: mustClass(t, "cpu=1,memory=2Gi"), Policy: DefaultPolicy, Duration: time.Hour}
	for name, tc := range map[string]struct {
		want  bool
		offer func(*Offer)
		ask   func(*Ask)
	}{
		"as it is":     {true, func(*Offer) {}, func(*Ask) {}},
		"paused":       {false, func(o *Offer) { o.Paused = true }, func(*Ask) {}},
		"too large":    {false, func(*Offer) {}, func(a *Ask) { a.Class = mustClass(t, "cpu=1,memory=8Gi") }},
		"currency":     {false, func(*Offer) {}, func(a *Ask) { a.Class.Currency = "EUR" }},
		"policy":       {false, func(o *Offer) { o.Policies = []string{"fit"} }, func(a *Ask) { a.Policy = "split" }},
		"a policy":     {true, func(o *Offer) { o.Policies = []string{"fit", "split"} }, func(a *Ask) { a.Policy = "split;winners=4" }},
		"all policies": {true, func(*Offer) {}, func(a *Ask) { a.Policy = "split;tiers;winners=4" }},
		"duration":     {false, func(o *Offer) { o.MaxDuration = time.Hour - time.Second }, func(*Ask) {}},
		"stranger":     {false, func(*Offer) {}, func(a *Ask) { a.Member = false }}, // default deny
		"any":          {true, func(o *Offer) { o.Allow = []string{AllowAny} }, func(a *Ask) { a.Member = false }},
		"key":          {true, func(o *Offer) { o.Allow = []string{peerText(alice)} }, func(a *Ask) { a.Member = false }},
		"another key":  {false, func(o *Offer) { o.Allow = []string{peerText(bob)} }, func(*Ask) {}},
		"denied":       {false, func(o *Offer) { o.Deny = []string{peerText(alice)} }, func(*Ask) {}},
		"denied twice": {false, func(o *Offer) { o.Allow, o.Deny = []string{peerText(alice)}, []string{peerText(alice)} }, func(*Ask) {}},
	} {
		o, a := Offer{Unit: unit, Ceiling: 1}, base
		tc.offer(&o)
		tc.ask(&a)
		o = o.Normalize()
		if err := errors.Join(o.Validate(), a.Validate()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := o.Admits(a); got != tc.want {
			t.Errorf("%s: admits %v, want %v", name, got, tc.want)
		}
	}
}

func TestRequestValidate(t *testing.T) {
	good := Request{Class: mustClass(t, "cpu=1,memory=1Gi"), Quantity: 32, MaxPrice: NoMaximum, Duration: DefaultDuration, Policy: DefaultPolicy}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for field, edit := range map[string]func(*Request){
		"class":    func(r *Request) { r.Class = Class{} },
		"quantity": func(r *Request) { r.Quantity = 0 },
		"duration": func(r *Request) { r.Duration = 90*time.Second + 1 },
		"policy":   func(r *Request) { r.Policy = "" },
	} {
		r := good
		edit(&r)
		var f *FieldError
		if err := r.Validate(); !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for text, good := range map[string]bool{
		"fit": true, "split;winners=4": true, "lowest-price;handicap;with=storage": true, "split;": false, ";split": false, "split;winners=": false,
		"split;=4": false, "split winners": false, "split;note=" + strings.Repeat("a", 64): true, "a;b;c;" + strings.Repeat("d;", 64) + "e": false,
	} {
		if err := validPolicy(text); (err == nil) != good {
			t.Errorf("policy %s: %v", text, err)
		}
	}
	for _, d := range []time.Duration{0, -time.Hour, MinDuration - 1, MaxDuration + time.Second} {
		if (Ask{Class: good.Class, Policy: DefaultPolicy, Duration: d}).Validate() == nil {
			t.Errorf("a duration of %v is taken", d)
		}
	}
}

// The secrets of every type that carries some stay out of logs.
func TestLogsCarryNoSecret(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	unit := mustClass(t, "cpu=1,memory=1Gi")
	log.Info("all", "offer", Offer{Unit: unit, Ceiling: 54321, Price: 54321, Tiers: Tiers{{1, 54321}}, Expr: &PriceExpr{text: "54321"}, PerMatch: 54321}, "bid", Bid{Quantity: 54321, Price: 54321, Steps: Tiers{{1, 54321}}},
		"request", Request{Class: unit, Quantity: 54321, MaxPrice: 54321},
		"lease", Lease{Class: unit, State: Active, Quantity: 54321, Price: 54321, Grant: []byte("54321"), Receipt: []byte("54321")})
	for _, secret := range []string{"54321", fmt.Sprint(Price(54321)), fmt.Sprint([]byte("54321"))} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s stands in the log: %s", secret, &out)
		}
	}
	if !strings.Contains(out.String(), "lease.state=active") {
		t.Errorf("the log says nothing of the lease: %s", &out)
	}
}
