package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A daemon that drains drains on when it is started again, be it killed or
// stopped, until it is told otherwise; one that has left is not gone again at
// once.
func TestDrainOutlivesTheDaemon(t *testing.T) {
	t.Parallel() // mostly it waits
	w := newWorld(t)
	ann := w.provider("ann", 8, "0.03")
	w.must("ann", "drain")
	ann.kill()
	ann = w.serve("ann")
	if s := w.must("ann", "status"); !strings.Contains(s, "no new matches until angler drain --undo") {
		t.Errorf("after a crash:\n%s", s)
	}
	w.must("ann", "drain", "--exit")
	<-ann.done
	if !strings.Contains(ann.log.String(), "told to drain") {
		t.Error("the log of the one that drains on does not say so")
	}
	ann = w.serve("ann")
	if s := w.must("ann", "status", "-o", "json"); !strings.Contains(s, `"drain": "draining"`) {
		t.Errorf("after it has left:\n%s", s)
	}
	w.must("ann", "drain", "--undo")
	ann.stop()
	w.serve("ann")
	if s := w.must("ann", "status"); strings.Contains(s, "draining") {
		t.Errorf("after it was undone:\n%s", s)
	}
}

// One lease in several hands at once: tokens are asked for while it is renewed, by
// processes of their own; two proxies carry connections to it, and one ends; and
// in the end somebody deletes its namespace, which its provider notices, and its
// requester is told why.
func TestLeaseInSeveralHands(t *testing.T) {
	t.Parallel() // mostly it waits
	w := newWorld(t)
	w.invite("asker", "requester")
	for _, who := range []string{"ann", "bob", "cyd"} {
		w.provider(who, 8, "0.03")
	}
	w.must("asker", w.request("asker", 2, 3)...)
	id := strings.TrimSpace(w.must("asker", "lease", "list", "-o", "name"))

	const renewals, hour = 4, time.Hour
	before := w.shown(id)
	var hands sync.WaitGroup
	hands.Go(func() {
		for range renewals {
			if r := w.run("asker", "lease", "renew", id, "--duration", "1h"); r.code != 0 {
				t.Errorf("renew: exit %d\n%s", r.code, r.err)
			}
		}
	})
	for range 3 {
		hands.Go(func() {
			for range 2 * renewals {
				if r := w.run("asker", "lease", "token", id, "--fresh"); r.code != 0 {
					t.Errorf("token: exit %d\n%s", r.code, r.err)
				}
			}
		})
	}
	hands.Wait()
	after := w.shown(id)
	if got := after.Expires.Sub(before.Expires).Round(time.Minute); got != renewals*hour {
		t.Errorf("renewed by %v, want %v", got, renewals*hour)
	}
	if r := w.must("asker", "lease", "receipt", id); strings.Count(r, "BEGIN ANGLER RECEIPT") != 1+renewals {
		t.Errorf("the requester has lost receipts:\n%s", r)
	}

	first, firstEnds := w.proxy("asker", id)
	second, secondEnds := w.proxy("asker", id)
	if first == second {
		t.Fatalf("both write %s", first)
	}
	firstEnds()
	if _, err := os.Stat(first); err == nil {
		t.Errorf("%s is left behind", first)
	}
	if out, err := w.kubectl(second, "get", "resourcequota", "angler"); err != nil {
		t.Errorf("through the other one: %v\n%s", err, out)
	}
	secondEnds()

	w.admin("delete", "namespace", after.Namespace, "--wait=false")
	w.eventually("its provider notices", func() bool {
		for _, who := range []string{"ann", "bob", "cyd"} {
			if len(w.status(who).live()) > 0 {
				return false
			}
		}
		return true
	})
	told := ""
	for _, who := range []string{"ann", "bob", "cyd"} {
		told += w.run(who, "lease", "show", id, "--provided").out // one of them has it
	}
	if !strings.Contains(told, "its namespace was deleted") {
		t.Errorf("the operator is told:\n%s", told)
	}
	if r := w.run("asker", "lease", "show", id); !strings.Contains(r.out+r.err, "its namespace was deleted") {
		t.Errorf("the requester is told:\n%s%s", r.out, r.err)
	}
}

// A daemon that acquires capacity dies when it has been granted, and before the
// cluster has the Secret: the next one has the same lease, writes the Secret, and
// asks for no other.
func TestAcquiredLeaseOutlivesTheDaemon(t *testing.T) {
	t.Parallel() // mostly it waits
	w := newWorld(t)
	for _, who := range []string{"bob", "cyd", "dan"} {
		w.provider(who, 8, "0.03")
	}
	w.invite("ann", "operator")
	w.must("founder", "pool", "invite", strings.TrimSpace(w.must("ann", "identity", "show", "-o", "name")),
		"--role", "requester", "--operator", "ann-corp", "--out", w.path("ann-asks.invitation"))
	w.must("ann", "pool", "join", w.path("ann-asks.invitation"))
	const home = "acquired-late" // there is no such namespace yet, so no Secret
	t.Cleanup(func() { w.admin("delete", "namespace", home, "--ignore-not-found", "--wait=false") })
	serve := func() *process {
		return w.start("ann", "serve", "--listen", "127.0.0.1:0", "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.kubeconfig, "--location", "u33d",
			"--acquire-below", "free<100%", "--class", "cpu=1,memory=1Gi", "--count", "2", "--max-price", "0.05", "--acquire-pause", "1s", "--acquire-namespace", home)
	}
	ann := serve()
	var id string
	w.eventually("a lease is acquired", func() bool {
		id = strings.TrimSpace(w.must("ann", "lease", "list", "-o", "name"))
		return id != "" && strings.Contains(w.must("ann", "lease", "list"), "active")
	})
	ann.kill()
	w.admin("create", "namespace", home)
	serve()
	w.eventually("the Secret is there", func() bool {
		return w.admin("get", "secrets", "-n", home, "-l", "angler-dex.github.io/acquired="+id, "-o", "name") != ""
	})
	if again := strings.TrimSpace(w.must("ann", "lease", "list", "-o", "name")); again != id {
		t.Errorf("leases are %q, and was %q", again, id)
	}
	path := w.path("acquired.kubeconfig")
	text := w.admin("get", "secrets", "-n", home, "-l", "angler-dex.github.io/acquired", "-o", "go-template={{range .items}}{{.data.kubeconfig | base64decode}}{{end}}")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := w.kubectl(path, "get", "resourcequota", "angler"); err != nil {
		t.Errorf("with the kubeconfig: %v\n%s", err, out)
	}
}

// shownLease is what its requester knows of a lease of one part.
type shownLease struct {
	State, Namespace string
	Expires          time.Time
}

func (w *world) shown(id string) (l shownLease) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.must("asker", "lease", "show", id, "-o", "json")), &l); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// proxy runs a proxy of a lease until end is called, which waits for it.
func (w *world) proxy(who, id string) (kubeconfig string, end func()) {
	w.t.Helper()
	c := w.command(context.Background(), who, "lease", "proxy", id, "-o", "name")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := os.Create(filepath.Join(w.t.TempDir(), "said"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer said.Close()
	c.Stdout, c.Stderr = said, os.Stderr
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	end = sync.OnceFunc(func() {
		_ = c.Process.Signal(os.Interrupt) // it may have ended
		_ = c.Wait()                       // how does not matter
	})
	w.t.Cleanup(end)
	w.eventually("a proxy", func() bool {
		text, _ := os.ReadFile(said.Name()) // it is there
		kubeconfig = strings.TrimSpace(string(text))
		return kubeconfig != ""
	})
	return kubeconfig, end
}
