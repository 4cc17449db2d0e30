package e2e

import (
	"bufio"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
)

// The cheapest provider with room wins, its namespace can be used, and the
// others learn that they were not selected.
func TestRequestEndsInANamespace(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 40, "0.034")
	w.provider("birch", 40, "0.031")
	w.provider("cedar", 10, "0.012") // cheaper, and too small
	w.invite("quince", "requester")
	w.must("quince", w.request("quince", 32, 3, "--max-price", "0.05")...)

	info, err := os.Stat(w.path("quince.kubeconfig"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("kubeconfig: %v, %v", info, err)
	}
	if out, err := w.kubectl(w.path("quince.kubeconfig"), "get", "resourcequota"); err != nil {
		t.Fatalf("the namespace is not usable: %v\n%s", err, out)
	}
	if out, err := w.kubectl(w.path("quince.kubeconfig"), "get", "pods", "-n", "default"); err == nil {
		t.Fatalf("another namespace is readable:\n%s", out)
	}
	for who, want := range map[string]string{"ash": "not selected", "birch": "selected", "cedar": "not selected"} {
		s := w.status(who)
		if len(s.Matches) != 1 || s.Matches[0].Outcome != want {
			t.Errorf("%s: matches %+v, want one: %s", who, s.Matches, want)
		}
	}
	if _, reserved, held, free := w.status("birch").cpu(t); reserved != "32" || held != "0" || free != "8" {
		t.Errorf("birch has %s reserved, %s held, %s free", reserved, held, free)
	}
	if _, reserved, held, _ := w.status("ash").cpu(t); reserved != "0" || held != "0" {
		t.Errorf("ash, which lost, still has %s reserved, %s held", reserved, held)
	}

	id := strings.Fields(w.must("quince", "lease", "list", "-o", "name"))[0]
	w.must("quince", "lease", "release", id)
	if _, reserved, _, free := w.status("birch").cpu(t); reserved != "0" || free != "40" {
		t.Errorf("after the release birch has %s reserved, %s free", reserved, free)
	}
	if out, err := w.kubectl(w.path("quince.kubeconfig"), "get", "pods"); err == nil {
		t.Errorf("the credential outlives the lease:\n%s", out)
	}
}

// A provider that is killed during the match costs the match, not the request.
func TestProviderKilledDuringTheMatch(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 40, "0.034")
	w.provider("birch", 40, "0.031")
	w.provider("cedar", 40, "0.036")
	victim := w.provider("dogwood", 40, "0.020") // the cheapest: it would have won
	w.invite("quince", "requester")

	// --min-providers 3: after the loss of one, three are enough.
	c := w.command(context.Background(), "quince", w.request("quince", 32, 3, "--max-providers", "4")...)
	errs, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var talk strings.Builder
	for lines := bufio.NewScanner(errs); lines.Scan(); {
		talk.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "matching") {
			victim.kill()
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("the request failed: %v\n%s", err, talk.String())
	}
	select {
	case <-victim.done:
	default:
		t.Fatalf("nobody was killed:\n%s", talk.String())
	}
	if s := w.status("birch"); len(s.Leases) != 1 || s.Leases[0].State != "active" {
		t.Errorf("birch, the cheapest that is left, has %+v\n%s", s.Leases, talk.String())
	}
}

// Two requests at once for the last units: one lease, one clean no-match.
func TestTwoRequestsForTheLastUnits(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 40, "0.034")
	w.provider("birch", 8, "0.031")
	w.provider("cedar", 8, "0.012")
	results := map[string]result{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	who := []string{"quince", "rowan"}
	for _, name := range who {
		w.invite(name, "requester")
	}
	w.settle(3)
	for _, name := range who {
		wg.Go(func() {
			// No --wait: who finds nothing is to be told so.
			r := w.run(name, "request", "--cpu", "32", "--location", "u33d", "--min-providers", "3", "--out", w.path(name+".kubeconfig"))
			mu.Lock()
			defer mu.Unlock()
			results[name] = r
		})
	}
	wg.Wait()
	leases, none := 0, 0
	for _, r := range results {
		switch r.code {
		case 0:
			leases++
		case 3:
			none++
		}
	}
	if leases != 1 || none != 1 {
		t.Fatalf("one lease and one no-match expected: %+v", results)
	}
	if _, reserved, held, free := w.status("ash").cpu(t); reserved != "32" || held != "0" || free != "8" {
		t.Errorf("ash has %s reserved, %s held, %s free", reserved, held, free)
	}
}

// An API server that refuses costs one request, which is told so, and leaves
// nothing: neither reserved capacity nor objects. The next request goes to
// another provider.
func TestAPIServerRefuses(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 40, "0.034")
	w.provider("cedar", 40, "0.040")
	w.invite("birch", "operator")
	w.start("birch", "serve", "--listen", "127.0.0.1:0", "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.deputy(), "--location", "u33d")
	w.must("birch", "offer", "--cpu", "40", "--price", "0.01") // the cheapest
	w.invite("quince", "requester")
	w.settle(3)
	w.admin("delete", "clusterrolebinding", "deputy")
	r := w.run("quince", "request", "--cpu", "4", "--location", "u33d", "--min-providers", "3", "--out", w.path("quince.kubeconfig"))
	if r.code != 6 || r.out != "" {
		t.Fatalf("exit %d, want 6\n%s%s", r.code, r.out, r.err)
	}
	if _, err := os.Stat(w.path("quince.kubeconfig")); err == nil {
		t.Error("there is a kubeconfig all the same")
	}
	w.eventually("birch's capacity is free again", func() bool {
		_, reserved, held, free := w.status("birch").cpu(t)
		return reserved == "0" && held == "0" && free == "40"
	})
	w.must("quince", w.request("quince", 4, 3)...)
	if s := w.status("ash"); len(s.Leases) != 1 {
		t.Errorf("ash, the next one, has %+v", s.Leases)
	}
}

// A daemon that is killed starts again with its identity, offers and leases.
func TestDaemonKilledAndStartedAgain(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 40, "0.034")
	birch := w.provider("birch", 40, "0.031")
	w.provider("cedar", 40, "0.040")
	w.invite("quince", "requester")
	w.must("quince", w.request("quince", 8, 3)...)
	before := w.status("birch")
	id := w.must("birch", "identity", "show", "-o", "name")
	birch.kill()
	w.serve("birch")
	after := w.status("birch")
	if len(after.Offers) != 1 || len(after.Leases) != 1 || after.Leases[0] != before.Leases[0] {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	if w.must("birch", "identity", "show", "-o", "name") != id {
		t.Error("another identity")
	}
	if out, err := w.kubectl(w.path("quince.kubeconfig"), "get", "resourcequota"); err != nil {
		t.Errorf("the lease did not live through it: %v\n%s", err, out)
	}
	// And it takes part in matches again.
	w.invite("rowan", "requester")
	w.must("rowan", w.request("rowan", 8, 3)...)
	if s := w.status("birch"); len(s.Leases) != 2 {
		t.Errorf("leases %+v", s.Leases)
	}
}
