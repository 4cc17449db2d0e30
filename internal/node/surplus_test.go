package node

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// What was seen holds for a minute of boot-time clock; after that nothing is
// known, whatever was there, until the cluster is seen again.
func TestSurplusGrowsOld(t *testing.T) {
	t.Parallel()
	now := market.Moment{Boot: "b", Wall: time.Now()}
	pass := func(d time.Duration) { now.Since += d; now.Wall = now.Wall.Add(d) }
	var down error
	room := k8s.Amounts{CPU: 8000, Memory: 8 << 30, Pods: 100}
	s := &surplus{
		survey: func(context.Context) (*k8s.Survey, error) {
			if down != nil {
				return nil, down
			}
			return &k8s.Survey{Nodes: []k8s.NodeRoom{{Arch: "amd64", Has: room, Free: room}}}, nil
		},
		clock: func() market.Moment { return now }, log: slog.New(slog.DiscardHandler), trouble: errNotSeen,
	}
	class, err := market.ParseClass("cpu=1,memory=1Gi")
	if err != nil {
		t.Fatal(err)
	}
	units := func() (market.Quantity, error) {
		return s.units(market.Surplus{Share: market.AllOf, Keep: market.Resources{market.KindCPU: 1000}}, class, []market.Taken{{Class: class, Quantity: 2}})
	}
	if _, err := units(); !errors.Is(err, errNotSeen) {
		t.Errorf("before the first look: %v", err)
	}
	s.look(t.Context())
	if n, err := units(); n != 5 || err != nil {
		t.Errorf("%d, %v; want 8 less 1 less 2", n, err)
	}
	down = errors.New("connection refused")
	pass(surveyHolds)
	s.look(t.Context())
	if n, err := units(); n != 5 || err != nil {
		t.Errorf("%d, %v after a minute in which nothing was seen", n, err)
	}
	pass(time.Second)
	if n, err := units(); n != 0 || err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%d, %v after more than a minute", n, err)
	}
	if s.age() < surveyHolds {
		t.Errorf("age %v", s.age())
	}
	down = nil
	s.look(t.Context())
	if n, err := units(); n != 5 || err != nil {
		t.Errorf("%d, %v when it is seen again", n, err)
	}
	// A look that the daemon's end cuts short is no trouble.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	down = context.Canceled
	s.look(ended)
	if s.trouble != nil {
		t.Errorf("trouble: %v", s.trouble)
	}
}

func TestReadSurplus(t *testing.T) {
	t.Parallel()
	terms, err := readSurplus(&control.Surplus{Share: "12.5%", Keep: "cpu=4,memory/arm64=1Gi,gpu/nvidia-h100=1", WhenFree: ">30%"})
	if err != nil {
		t.Fatal(err)
	}
	k := termsOf(*terms)
	if k.Share != 1250 || k.WhenFree != 3000 || k.KeepCPU["amd64"] != 4000 || k.KeepMemory["arm64"] != 1<<30 || k.KeepGPUs["nvidia-h100"] != 1 {
		t.Errorf("%+v", k)
	}
	if shown := showSurplus(terms); shown.Share != "12.5%" || shown.WhenFree != ">30%" {
		t.Errorf("%+v", shown)
	}
	for field, s := range map[string]control.Surplus{"share": {Share: "half"}, "keep": {Share: "1%", Keep: "cpu"}, "when-free": {Share: "1%", WhenFree: "30%"}} {
		var f *market.FieldError
		if _, err := readSurplus(&s); !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
