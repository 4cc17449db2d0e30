package match_test

import (
	"testing"

	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

// A further dimension goes all the way: it decides the match, is taken from the
// pool, bounds the namespace and stands in the receipt.
func TestStorageBesideTheUnits(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	without, with := m.Provider("without", 10, 5), m.NewProvider("with")
	with.Start()
	offer := market.Offer{Name: "offer", Unit: m.Class(), Ceiling: 10, Price: 9, Storage: 100}
	if err := with.Ledger.PutOffer(offer); err != nil {
		t.Fatal(err)
	}
	r := m.Requester("asker")
	req := m.Request(2, 20)
	req.Policy, req.Further = "lowest-price;with=storage", []market.Quantity{30}
	out := mustPlay(t, m, r, req, without, with)
	if !out.Matched() || out.Parts[0].Member.ID != with.Key.ID() {
		t.Fatal("the one that has storage did not win")
	}
	const gib = 1 << 30
	if u := with.Ledger.Usage(); u.Reserved[market.KindStorage] != 30*gib || u.Free[market.KindStorage] != 70*gib {
		t.Errorf("%v of storage are reserved, %v are free", u.Reserved[market.KindStorage], u.Free[market.KindStorage])
	}
	with.CheckCapacity()
	d := deal(r, req, out)
	other := d
	other.Further = []market.Quantity{31}
	if _, err := claim(m, r, with, other); !isLie(err) {
		t.Errorf("a receipt that says less than was asked for: %v", err)
	}
	g, err := claim(m, r, with, d)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := match.ReadReceipt(g.Receipt); err != nil || len(got.Further) != 1 || got.Further[0] != 30 {
		t.Errorf("the receipt says %v, %v", got.Further, err)
	}
	spec, _ := with.Cluster.Spec(d.Lease.String())
	if q := spec.Quota[manifest.ResourceStorage]; q.Value() != 30*gib {
		t.Errorf("the namespace may have %s", q.String())
	}
	ctx := m.Context()
	if err := r.Over(ctx, with, func(link *mesh.Link) error { return match.ReleaseLease(ctx, link, d.Lease) }); err != nil {
		t.Fatal(err)
	}
	if u := with.Ledger.Usage(); u.Free[market.KindStorage] != 100*gib {
		t.Errorf("%v of storage are free again", u.Free[market.KindStorage])
	}
}
