package e2e

import (
	"encoding/json"
	"testing"
)

// A provider that the others cannot dial at what it advertises says so and is not
// announced; one that they can is.
func TestUnreachableProviderIsNotAnnounced(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 4, "0.034")
	for who, advertise := range map[string]string{"birch": "", "cedar": freeUDP(t)} {
		w.invite(who, "operator")
		args := []string{"serve", "--listen", "127.0.0.1:0", "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.kubeconfig, "--location", "u33d"}
		if advertise != "" {
			args = append(args, "--advertise", advertise)
		}
		w.start(who, args...)
	}
	type told struct {
		Place struct{ Reach string }
		DHT   struct{ Keys, Takers int }
	}
	see := func(who string) (s told) {
		t.Helper()
		if err := json.Unmarshal([]byte(w.must(who, "status", "-o", "json")), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.eventually("ash is announced", func() bool { return see("ash").DHT.Takers > 0 })
	w.must("birch", "offer", "--cpu", "4", "--price", "0.03")
	w.eventually("birch is announced, for ash has reached it", func() bool {
		s := see("birch")
		return s.Place.Reach == "reachable" && s.DHT.Keys > 0
	})
	w.must("cedar", "offer", "--cpu", "4", "--price", "0.03")
	w.eventually("cedar is told that it cannot be reached", func() bool {
		s := see("cedar")
		if s.DHT.Keys > 0 {
			t.Fatalf("cedar is announced: %+v", s)
		}
		return s.Place.Reach == "unreachable"
	})
}
