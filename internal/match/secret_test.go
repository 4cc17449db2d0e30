package match_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// Numbers that come up nowhere by accident. (Ports of loopback sockets have five
// digits too, and are higher.)
const (
	secretUnits   market.Quantity = 31337
	secretCeiling market.Quantity = 32003
	secretPrice   market.Price    = 3123456789
	secretMost    market.Price    = 3987654321
)

// checkSecrets asserts that a text has none of them, in no unit that a lease is
// written in, and no token.
func checkSecrets(t *testing.T, what, text string, providers ...*matchtest.Provider) {
	t.Helper()
	secrets := []string{
		"31337", "32003", "3123456789", "3987654321", "3123.456789", "3987.654321",
		fmt.Sprint(int64(secretUnits) << 30), fmt.Sprint(int64(secretCeiling) << 30),
	}
	for _, p := range providers {
		secrets = append(secrets, p.Cluster.Tokens()...)
	}
	for _, secret := range secrets {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s: %s stands in …%s…", what, secret, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

// What all parties log, at every level, over matches that are won, lost, aborted
// and not provisioned, has no quantity, no price and no token in it; nor has an
// error.
func TestSecretsAreNotLogged(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	winner := m.NewProvider("winner")
	atFlight(winner, 6, func(context.Context, *matchtest.Provider) error { return errors.New("a fault, once") })
	winner.Start()
	winner.Offer(secretCeiling, secretPrice)
	loser := m.Provider("loser", secretCeiling, secretPrice+1)
	full := m.Provider("full", secretUnits-1, 1)
	all := []*matchtest.Provider{winner, loser, full}
	r := m.Requester("asker")
	ctx := m.Context()
	req := m.Request(secretUnits, secretMost)
	var errs []error

	_, err := play(t, m, r, req, all...)
	if err == nil {
		t.Fatal("the fault did not show")
	}
	errs = append(errs, err)
	out := mustPlay(t, m, r, req, all...)
	if out.Parts[0].Member.ID != winner.Key.ID() || out.Parts[0].Price != secretPrice {
		t.Fatalf("matched %v", out.Matched())
	}

	winner.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Release {
			return matchtest.ErrRefused
		}
		return nil
	})
	link := r.Link(ctx, winner)
	other := deal(r, req, out)
	other.Quantity--
	_, err = match.ClaimLease(ctx, link, other, m.Clock.Now)
	errs = append(errs, err)
	g, err := match.ClaimLease(ctx, link, deal(r, req, out), m.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	errs = append(errs, match.ConfirmLease(ctx, link, out.Parts[0].Lease, nil), match.ConfirmLease(ctx, link, out.Parts[0].Lease, match.SignReceipt(r.Key, g.Receipt)))
	if reply, askErr := match.Ask(ctx, link, match.LeaseRequest{Action: match.Release, Lease: out.Parts[0].Lease[:]}); askErr != nil || reply.Status != match.StatusPending {
		t.Errorf("release: %v, %v", reply, askErr)
	}
	winner.Cluster.Before(nil)
	errs = append(errs, winner.Match.End(ctx, out.Parts[0].Lease, "enough"))

	winner.Cluster.After(func(context.Context, matchtest.Op, string) error { return matchtest.ErrRefused })
	failed := winner.Reserve(r.Key.ID(), secretUnits)
	_, err = match.ClaimLease(ctx, link, match.Deal{Lease: failed.ID}, m.Clock.Now)
	errs = append(errs, err)

	if len(winner.Cluster.Tokens()) < 2 {
		t.Error("no token was ever given")
	}
	checkSecrets(t, "log", m.Log.String(), all...)
	checkSecrets(t, "errors", fmt.Sprintf("%v %+v", errors.Join(errs...), errs), all...)
	for _, want := range []string{"match done", "ended=finished", "ended=stopped", "provisioning failed", "confirmation refused"} {
		if !strings.Contains(m.Log.String(), want) {
			t.Errorf("nothing was logged with %q", want)
		}
	}
}

// Nothing of a deal can be read off what is printed by accident.
func TestNothingPrintsSecrets(t *testing.T) {
	d := match.Deal{Quantity: 61234, Price: 712345678}
	o := match.Outcome{Parts: []match.Part{{Quantity: 61234, Price: 712345678}}}
	r := match.Receipt{Quantity: 61234, Price: 712345678}
	g := &match.Grant{Token: "sesame"}
	s := match.Seen{Quantity: 61234, Price: 712345678}
	reply := match.LeaseReply{Grant: g, Receipt: r.Encode()}
	var log matchtest.Log
	log.For("x").Info("x", "d", d, "o", o, "r", r, "g", g, "s", s, "reply", reply)
	text := log.String()
	for _, v := range []any{d, o, o.Parts, r, *g, reply} {
		text += fmt.Sprintf("%v %+v %#v %s", v, v, v, v)
	}
	for _, secret := range []string{"61234", "712345678", "sesame"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is printed: %s", secret, text)
		}
	}
}
