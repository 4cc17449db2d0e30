package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

// lease is what the requester's side says of one, as far as tests look at it.
type lease struct {
	ID, State string
	Expires   time.Time
	Parts     []struct {
		State    string
		Quantity int
	}
}

// shares is what its parts come to, the largest first.
func (l lease) shares() []int {
	var all []int
	for _, p := range l.Parts {
		all = append(all, p.Quantity)
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all
}

func (w *world) lease(who string, args ...string) (l lease) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.must(who, append(args, "-o", "json")...)), &l); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// left are the namespaces of leases that the cluster has.
func (w *world) left() []string {
	w.t.Helper()
	return strings.Fields(w.admin("get", "namespaces", "-l", "angler-dex.github.io/lease", "-o", "name"))
}

// One lease from several providers: the cheapest fails to provision its part, so
// the others' are given back and the request runs again without it. What comes of
// that is renewed in all parts or in none, reached through the providers' daemons,
// and given back in all parts.
func TestSplitLease(t *testing.T) {
	w := newWorld(t)
	start := map[string]*process{}
	for who, price := range map[string]string{"ash": "0.030", "birch": "0.020", "cedar": "0.012"} {
		w.invite(who, "operator")
		start[who] = w.serve(who)
		w.must(who, "offer", "--cpu", "10", "--price", price, "--reclaim-notice", "1h")
	}
	w.invite("dogwood", "operator")
	w.start("dogwood", "serve", "--listen", "127.0.0.1:0", "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.deputy(), "--location", "u33d")
	w.must("dogwood", "offer", "--cpu", "10", "--price", "0.001")
	w.settle(4)
	before := w.left()
	w.admin("delete", "clusterrolebinding", "deputy")

	w.invite("quince", "requester")
	config := w.path("quince.kubeconfig")
	r := w.run("quince", "request", "--cpu", "25", "--split", "--location", "u33d", "--min-providers", "3", "--max-providers", "4", "--out", config, "-o", "json")
	var l lease
	if err := json.Unmarshal([]byte(r.out), &l); r.code != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	if got := l.shares(); !slices.Equal(got, []int{10, 10, 5}) || !strings.Contains(r.err, "matching again") {
		t.Fatalf("parts of %v\n%s", got, r.err)
	}
	for who, want := range map[string]string{"ash": "5", "birch": "10", "cedar": "10", "dogwood": "0"} {
		w.eventually(who+" has no more and no less", func() bool {
			_, reserved, held, _ := w.status(who).cpu(t)
			return reserved == want && held == "0"
		})
	}
	w.eventually("what was undone is gone from the cluster", func() bool { return len(w.left()) == len(before)+3 })
	contexts := w.contexts(config)
	if len(contexts) != 3 {
		t.Fatalf("contexts %q", contexts)
	}
	for _, c := range contexts {
		if out, err := w.kubectl(config, "--context", c, "get", "resourcequota"); err != nil {
			t.Errorf("%s is not usable: %v\n%s", c, err, out)
		}
	}

	t.Run("renewed in all parts or in none", func(t *testing.T) {
		ends := func() (all []string) {
			for _, who := range []string{"ash", "birch", "cedar"} {
				all = append(all, w.status(who).live()[0].Expires)
			}
			return all
		}
		first := ends()
		start["ash"].kill()
		if r := w.run("quince", "lease", "renew", l.ID, "--duration", "30m"); r.code == 0 {
			t.Fatalf("renewed without one of its providers:\n%s", r.out)
		}
		w.serve("ash") // with other ports: it has to be found again
		if got := ends(); !slices.Equal(got, first) {
			t.Errorf("ends moved from %v to %v", first, got)
		}
		w.eventually("the lease is renewed", func() bool {
			return w.run("quince", "lease", "renew", l.ID, "--duration", "30m").code == 0
		})
		if got := w.lease("quince", "lease", "show", l.ID); got.Expires.Sub(l.Expires).Round(time.Minute) != 30*time.Minute {
			t.Errorf("ends %v, before %v", got.Expires, l.Expires)
		}
		for k, end := range ends() {
			if end <= first[k] {
				t.Errorf("a provider has not moved the end: %s, before %s", end, first[k])
			}
		}
	})
	t.Run("reached through the daemons", func(t *testing.T) { w.throughProxy(l.ID) })
	t.Run("not renewed while it is taken back", func(t *testing.T) {
		part := w.status("birch").live()[0]
		w.must("birch", "lease", "reclaim", part.ID)
		w.eventually("its namespace says so", func() bool {
			return strings.Contains(w.admin("get", "namespace", part.Namespace, "-o", "jsonpath={.metadata.annotations}"), "takes the lease back")
		})
		if r := w.run("quince", "lease", "renew", l.ID, "--duration", "30m"); r.code != 1 || !strings.Contains(r.err, "taking the lease back") {
			t.Errorf("exit %d\n%s", r.code, r.err)
		}
	})

	w.must("quince", "lease", "release", l.ID)
	for _, who := range []string{"ash", "birch", "cedar"} {
		w.eventually(who+" is free again", func() bool {
			_, reserved, _, free := w.status(who).cpu(t)
			return reserved == "0" && free == "10"
		})
	}
	w.eventually("nothing is left in the cluster", func() bool { return len(w.left()) == len(before) })
}

// throughProxy uses all parts of a lease through `lease proxy`, gives up the
// lease's own way to the API server, and expects nothing to be left behind.
func (w *world) throughProxy(id string) {
	w.t.Helper()
	config := w.path("proxy.kubeconfig")
	c := w.command(context.Background(), "quince", "lease", "proxy", id, "--out", config)
	out, err := c.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err = c.Start(); err != nil {
		w.t.Fatal(err)
	}
	if _, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		w.t.Fatalf("the proxy says nothing: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	contexts := w.contexts(config)
	if len(contexts) != 3 {
		w.t.Errorf("contexts %q", contexts)
	}
	for k, context := range contexts {
		name := fmt.Sprint("seen-through-", k)
		watch := exec.Command(k8stest.Binary(w.t), "kubectl", "--kubeconfig", config, "--context", context, "get", "configmaps", "-w", "-o", "name")
		lines, err := watch.StdoutPipe()
		if err != nil {
			w.t.Fatal(err)
		}
		if err := watch.Start(); err != nil {
			w.t.Fatal(err)
		}
		if said, err := w.kubectl(config, "--context", context, "create", "configmap", name); err != nil {
			w.t.Errorf("%s: %v\n%s", context, err, said)
			_ = watch.Process.Kill()
		}
		for seen := bufio.NewScanner(lines); seen.Scan(); {
			if seen.Text() == "configmap/"+name {
				break
			}
		}
		_ = watch.Process.Kill()
		_ = watch.Wait() // killed
	}
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait() // interrupted
	if _, err := os.Stat(config); err == nil {
		w.t.Error("the proxy has left its kubeconfig")
	}
}

// contexts are those of a kubeconfig.
func (w *world) contexts(kubeconfig string) []string {
	w.t.Helper()
	out, err := w.kubectl(kubeconfig, "config", "get-contexts", "-o", "name")
	if err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
	return strings.Fields(out)
}
