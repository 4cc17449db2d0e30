package operator_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/node"
	"github.com/angler-dex/angler/internal/operator"
)

func TestMain(m *testing.M) { k8stest.Main(m, "--nodes", "1") }

// patience bounds what a test waits for on a busy machine; nothing is expected to take it.
const patience = 90 * time.Second

// world is a cluster with our kinds, and a daemon that can be stopped and started again.
type world struct {
	t                     *testing.T
	kubeconfig, namespace string
	cfg                   node.Config
	stop                  func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := newWorldIn(t, k8stest.Start(t))
	w.install()
	return w
}

// install installs our kinds.
func (w *world) install() {
	w.t.Helper()
	w.kubectl("apply", "-f", repository("deploy/crds"))
	w.kubectl("wait", "--for=condition=Established", "crd/poolcontributions.angler-dex.github.io", "crd/poolleases.angler-dex.github.io")
}

// newWorldIn is a world in a cluster that may lack our kinds.
func newWorldIn(t *testing.T, kubeconfig string) *world {
	t.Helper()
	w := &world{t: t, kubeconfig: kubeconfig, namespace: strings.ToLower(t.Name())}
	w.kubectl("create", "namespace", w.namespace)
	key, err := identity.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "angler-operator-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.cfg = node.Config{
		Key: key, Version: "test", LedgerPath: filepath.Join(dir, "ledger.db"), TablePath: filepath.Join(dir, "dht.table"),
		SparesDir: filepath.Join(dir, "spares"), PlacePath: filepath.Join(dir, "place"), Socket: filepath.Join(dir, "run", control.SocketName),
		Listen: "127.0.0.1:0", DHTListen: "127.0.0.1:0", Kubeconfig: w.kubeconfig, Allow: []string{market.AllowAny},
		AutoCell: true, Precision: 4, MinRoster: 1, MaxMatches: 2, Operator: w.namespace, SurveyEvery: 100 * time.Millisecond, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return w
}

func repository(path string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", path)
}

// start runs the daemon until stop or the end of the test.
func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	w.cfg.Ready = func(node.Addresses) { close(ready) }
	go func() { done <- node.Run(ctx, w.cfg) }()
	select {
	case <-ready:
	case err := <-done:
		cancel()
		w.t.Fatal(err)
	}
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
	w.t.Cleanup(w.stop)
}

func (w *world) kubectl(args ...string) string {
	w.t.Helper()
	out, err := k8stest.Kubectl(w.t, w.kubeconfig, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// apply applies a contribution with a spec in YAML flow style.
func (w *world) apply(name, spec string) error {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), name+".yaml")
	text := fmt.Sprintf("apiVersion: angler-dex.github.io/v1alpha1\nkind: PoolContribution\nmetadata: {name: %s, namespace: %s}\nspec: %s\n", name, w.namespace, spec)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	_, err := k8stest.Kubectl(w.t, w.kubeconfig, "apply", "-f", file)
	return err
}

func (w *world) mustApply(name, spec string) {
	w.t.Helper()
	if err := w.apply(name, spec); err != nil {
		w.t.Fatal(err)
	}
}

// daemon calls f with a client of the daemon.
func (w *world) daemon(f func(context.Context, *control.Client) error) {
	w.t.Helper()
	c, err := control.Dial(w.t.Context(), w.cfg.Socket)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	if err := f(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) offers() map[string]control.Offer {
	w.t.Helper()
	list := map[string]control.Offer{}
	w.daemon(func(ctx context.Context, c *control.Client) error {
		offers, err := c.Offers(ctx)
		for _, o := range offers {
			list[o.Name] = o
		}
		return err
	})
	return list
}

func (w *world) contribution(name string) (c operator.Contribution) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.kubectl("get", "poolcontribution", name, "-n", w.namespace, "-o", "json")), &c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// until waits until something holds.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(end) {
			w.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// condition waits until a contribution says so of its present generation, and returns the message.
func (w *world) condition(name, kind, status, reason string) (message string) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s is %s=%s, %s", name, kind, status, reason), func() bool {
		c := w.contribution(name)
		for _, is := range c.Status.Conditions {
			if is.Type == kind && string(is.Status) == status && is.Reason == reason && is.ObservedGeneration == c.Generation && c.Status.ObservedGeneration == c.Generation {
				message = is.Message
				return true
			}
		}
		return false
	})
	return message
}

// Contributions that are added, changed and deleted are offers that are put, changed and removed; others are left alone.
func TestContributions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.daemon(func(ctx context.Context, c *control.Client) error {
		_, err := c.PutOffer(ctx, control.Offer{Name: "by-hand", Class: "cpu=1,memory=1Gi", Ceiling: 1, Price: "1"})
		return err
	})
	w.mustApply("spare", `{unit: {cpu: 2, memory: 4Gi}, quantity: 8, price: "0.03", maxDuration: 24h, location: u33d, policies: [lowest-price]}`)
	w.condition("spare", "Accepted", "True", "Offered")
	w.condition("spare", "Ready", "True", "Open")
	o := w.offers()["contribution/spare"]
	if o.Class != "arch=amd64,cpu=2,currency=USD,memory=4Gi" || o.Ceiling != 8 || o.Price != "0.03" || o.MaxDuration.String() != "24h" || len(o.Policies) != 1 {
		t.Errorf("%+v", o)
	}
	if c := w.contribution("spare"); c.Status.Offer != "contribution/spare" || c.Status.Units == nil || *c.Status.Units != 8 || c.Status.Announced == 0 {
		t.Errorf("%+v", c.Status)
	}
	w.daemon(func(ctx context.Context, c *control.Client) error {
		s, err := c.Status(ctx)
		if s.Cell != "u33d" {
			t.Errorf("the daemon is in %q", s.Cell)
		}
		return err
	})
	if got := w.kubectl("get", "poolc", "-n", w.namespace); !strings.Contains(strings.Join(strings.Fields(got), " "), "spare 2 4Gi 8 0 True True Open") {
		t.Errorf("columns:\n%s", got)
	}

	// Changed.
	w.mustApply("spare", `{unit: {cpu: 2, memory: 4Gi}, quantity: 5, priceTiers: "1-2=0.05,3-=0.04", paused: true, location: u33d}`)
	w.condition("spare", "Ready", "False", "Paused")
	if o = w.offers()["contribution/spare"]; o.Ceiling != 5 || o.PriceTiers != "1-2=0.05,3-=0.04" || !o.Paused || len(o.Policies) != 0 {
		t.Errorf("%+v", o)
	}
	// What is changed by hand is put right.
	w.daemon(func(ctx context.Context, c *control.Client) error { return c.RemoveOffer(ctx, "contribution/spare") })
	w.kubectl("annotate", "poolc", "spare", "-n", w.namespace, "touched=yes")
	w.until("the offer is there again", func() bool { _, ok := w.offers()["contribution/spare"]; return ok })

	// Invalid: a condition says why, and nothing is offered.
	w.mustApply("spare", `{unit: {cpu: 2, memory: 4Gi}, quantity: 5, priceExpr: "0.02 +"}`)
	if why := w.condition("spare", "Accepted", "False", "Invalid"); !strings.Contains(why, "spec.priceExpr: ") || !strings.Contains(why, "for example") {
		t.Errorf("why: %s", why)
	}
	if _, there := w.offers()["contribution/spare"]; there {
		t.Error("terms that nobody has written down are offered")
	}
	w.mustApply("spare", `{unit: {cpu: 2, memory: 4Gi}, quantity: 5, price: "0.02", location: u33d}`)
	w.condition("spare", "Ready", "True", "Open")
	w.mustApply("far", `{unit: {cpu: 2, memory: 4Gi}, quantity: 5, price: "0.02", location: dr5r}`)
	if why := w.condition("far", "Accepted", "False", "Elsewhere"); !strings.Contains(why, "u33d") {
		t.Errorf("why: %s", why)
	}
	w.mustApply("card", `{unit: {cpu: 2, memory: 4Gi, gpu: nvidia-h100}, quantity: 1, price: "1"}`)
	if why := w.condition("card", "Accepted", "False", "Invalid"); !strings.Contains(why, "--gpu-map") {
		t.Errorf("why: %s", why)
	}

	// Deleted.
	w.kubectl("delete", "poolc", "--all", "-n", w.namespace)
	w.until("no offer is left but the one by hand", func() bool { return len(w.offers()) == 1 })
	if _, there := w.offers()["by-hand"]; !there {
		t.Error("the offer that was made by hand is gone")
	}
}

// What happened while the daemon was down has happened when it is up.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	for _, name := range []string{"kept", "changed", "deleted"} {
		w.mustApply(name, `{unit: {cpu: 1, memory: 1Gi}, quantity: 3, price: "0.01"}`)
	}
	for _, name := range []string{"kept", "changed", "deleted"} {
		w.condition(name, "Ready", "True", "Open")
	}
	w.stop()
	w.mustApply("changed", `{unit: {cpu: 1, memory: 1Gi}, quantity: 4, price: "0.02"}`)
	w.mustApply("added", `{unit: {cpu: 1, memory: 2Gi}, quantity: 1, price: "0.03"}`)
	w.kubectl("delete", "poolc", "deleted", "-n", w.namespace)
	w.start()
	w.condition("changed", "Ready", "True", "Open")
	w.condition("added", "Ready", "True", "Open")
	w.until("the offer of the deleted one is gone", func() bool { return len(w.offers()) == 3 })
	if o := w.offers()["contribution/changed"]; o.Ceiling != 4 || o.Price != "0.02" {
		t.Errorf("%+v", o)
	}
}

// The API server refuses what can be known to be wrong.
func TestValidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct{ name, spec, want string }{
		{"none", `{unit: {cpu: 1, memory: 1Gi}, price: "1"}`, "either quantity or surplus must be given"},
		{"two", `{unit: {cpu: 1, memory: 1Gi}, quantity: 1, price: "1", priceExpr: "1"}`, "exactly one of price, priceTiers and priceExpr"},
		{"free", `{unit: {cpu: 1, memory: 1Gi}, quantity: 1}`, "exactly one of price, priceTiers and priceExpr"},
		{"cards", `{unit: {cpu: 1, memory: 1Gi, gpus: 2}, quantity: 1, price: "1"}`, "gpus counts cards of gpu"},
		{"match", `{unit: {cpu: 1, memory: 1Gi}, quantity: 1, perMatch: 2, price: "1"}`, "perMatch must not be more than quantity"},
		{"decimals", `{unit: {cpu: 1, memory: 1Gi}, quantity: 1, price: "0.0000001"}`, "spec.price"},
		{"much", `{unit: {cpu: 1, memory: 1Gi}, quantity: 65536, price: "1"}`, "65535"},
		{"lots", `{unit: {cpu: lots, memory: 1Gi}, quantity: 1, price: "1"}`, "spec.unit.cpu"},
		{"share", `{unit: {cpu: 1, memory: 1Gi}, surplus: {share: half}, price: "1"}`, "spec.surplus.share"},
		{"where", `{unit: {cpu: 1, memory: 1Gi}, quantity: 1, price: "1", location: "52.5,13.4"}`, "spec.location"},
		{strings.Repeat("n", 101), `{unit: {cpu: 1, memory: 1Gi}, quantity: 1, price: "1"}`, "at most 100 characters"},
	} {
		if err := w.apply(tc.name, tc.spec); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	w.mustApply("fine", `{unit: {cpu: 500m, memory: 1Gi, gpu: nvidia-h100, gpus: 2}, surplus: {share: 12.5%, keep: {cpu: 4, memory: 8Gi}, whenFree: ">30%"}, price: "1"}`)
}

// A contribution of a share follows the cluster, and says what that comes to.
func TestSurplusContribution(t *testing.T) {
	w := newWorld(t) // not beside the others: their pods would count
	w.start()
	w.mustApply("over", `{unit: {cpu: 2, memory: 2Gi}, surplus: {share: 50%, keep: {cpu: 4}}, price: "0.01"}`)
	w.condition("over", "Ready", "True", "Open")
	if c := w.contribution("over"); c.Status.Units == nil || *c.Status.Units != 15 { // half of 64 less 4
		t.Errorf("%+v", c.Status)
	}
	w.kubectl("cordon", "node-0")
	t.Cleanup(func() { w.kubectl("uncordon", "node-0") })
	w.until("it has nothing over", func() bool { o := w.offers()["contribution/over"]; return o.Surplus.Now != nil && *o.Surplus.Now == 0 })
	w.kubectl("annotate", "poolc", "over", "-n", w.namespace, "touched=yes")
	w.condition("over", "Ready", "True", "Full")
	if o := w.offers()["contribution/over"]; len(o.Announced) == 0 || o.Fault != "" {
		t.Errorf("%+v", o)
	}
}

// Kinds that are installed later are followed from then on, and the log says what is missing until then.
func TestKindsComeLater(t *testing.T) {
	t.Parallel()
	w := newWorldIn(t, k8stest.Launch(t))
	log := &lines{}
	w.cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	w.start()
	w.until("the log says what to do", func() bool { return strings.Contains(log.text(), "kubectl apply -f deploy/crds") })
	if n := strings.Count(log.text(), "cannot follow"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, log.text())
	}
	w.install()
	w.mustApply("late", `{unit: {cpu: 1, memory: 1Gi}, quantity: 3, price: "0.01"}`)
	w.condition("late", "Ready", "True", "Open")
	if strings.Contains(log.text(), "0.01") {
		t.Error("the log tells a price")
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
