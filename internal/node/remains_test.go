package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// remainder is what a cluster says that it has, and remembers what it was told
// to delete.
type remainder struct {
	owned, stuck []k8s.Owned
	fails        error
	released     []string
}

func (r *remainder) Owned(context.Context, string) ([]k8s.Owned, error) { return r.owned, nil }

func (r *remainder) Stuck(context.Context, string, time.Duration) ([]k8s.Owned, error) {
	return r.stuck, nil
}

func (r *remainder) Release(_ context.Context, _, id string) error {
	r.released = append(r.released, id)
	return r.fails
}

// "Only objects with our provider id and a recorded lease id are ever changed or
// deleted", and "a namespace that won't terminate is reported, not forgotten".
func TestRemains(t *testing.T) {
	key, err := identity.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	clock, err := market.SystemClock()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d := &daemon{cfg: Config{Key: key, Log: slog.New(slog.NewTextHandler(&log, nil))}}
	if d.ledger, err = market.Open(market.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Provider: key.ID(), Clock: clock}); err != nil {
		t.Fatal(err)
	}
	defer d.ledger.Close()
	class, err := market.ParseClass(unit)
	if err != nil {
		t.Fatal(err)
	}
	if err = d.ledger.PutOffer(market.Offer{Unit: class, Ceiling: 10, Price: 1, Allow: []string{market.AllowAny}}); err != nil {
		t.Fatal(err)
	}
	lease := func(sid byte, states ...market.State) string {
		t.Helper()
		ask := market.Ask{Requester: [32]byte{9}, Class: class, Policy: market.DefaultPolicy, Duration: time.Hour}
		_, err := d.ledger.Hold([32]byte{sid}, ask, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		l, err := d.ledger.Win([32]byte{sid}, 1, 1)
		for _, s := range states {
			if err == nil {
				_, err = d.ledger.Advance(l.ID, s, nil)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return l.ID.String()
	}
	live, over, going := lease(1, market.Provisioning), lease(2, market.Released), lease(3, market.Released)
	foreign := market.NewLeaseID([32]byte{77}, key.ID()).String()
	c := &remainder{
		owned: []k8s.Owned{
			{LeaseID: live, Namespace: "live"}, {LeaseID: over, Namespace: "over"}, {LeaseID: going, Namespace: "going", Terminating: true},
			{LeaseID: foreign, Namespace: "unknown"}, {LeaseID: "gpu-probe-h100", Namespace: "probe"},
		},
		stuck: []k8s.Owned{{LeaseID: going, Namespace: "going", Terminating: true, Held: "a finalizer"}},
	}
	said := map[string]string{}
	for range 2 {
		list, err := d.lookForRemains(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		d.tellRemains(said, list)
		if len(list) != 2 || list[0].Namespace != "going" || !strings.Contains(list[0].Why, "a finalizer") || list[1].Namespace != "unknown" {
			t.Errorf("%+v", list)
		}
	}
	if !slices.Equal(c.released, []string{over, over}) {
		t.Errorf("deleted %q", c.released)
	}
	if n := strings.Count(log.String(), "left over"); n != 2 {
		t.Errorf("%d lines for two namespaces: %s", n, &log)
	}
	c.fails = errors.New("forbidden")
	if list, err := d.lookForRemains(t.Context(), c); err != nil || len(list) != 3 {
		t.Errorf("one that cannot be deleted: %+v, %v", list, err)
	}
	d.tellRemains(said, nil)
	if len(said) != 0 {
		t.Errorf("what is gone is remembered: %v", said)
	}
}
