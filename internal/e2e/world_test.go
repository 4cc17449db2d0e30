package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	// The tests run a binary that they build: with this import the test cache
	// knows what is in it.
	_ "github.com/angler-dex/angler/internal/cli"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

func TestMain(m *testing.M) { k8stest.Main(m) }

// binary builds angler once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "angler-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "angler")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/angler").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// world is one pool with its DHT, on loopback.
type world struct {
	t          testing.TB
	dir        string
	kubeconfig string
	dht        string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), kubeconfig: k8stest.Start(t), dht: freeUDP(t)}
	w.must("founder", "pool", "create", "test", "--bootstrap", w.dht, "--out", w.path("pool.yaml"))
	w.invite("bootstrap", "operator")
	w.start("bootstrap", "serve", "--dht-only", "--dht-listen", w.dht)
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// freeUDP returns a loopback address that nobody listens on.
func freeUDP(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// command is one party's angler, with that party's state and nobody else's.
func (w *world) command(ctx context.Context, who string, args ...string) *exec.Cmd {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Env = append(os.Environ(), "ANGLER_STATE_DIR="+w.path(who), "NO_COLOR=1")
	return c
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

func (w *world) run(who string, args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	c := w.command(ctx, who, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		w.t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must runs a command that has to succeed and returns what it printed.
func (w *world) must(who string, args ...string) string {
	w.t.Helper()
	r := w.run(who, args...)
	if r.code != 0 {
		w.t.Fatalf("%s: angler %s: exit %d\n%s%s", who, strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

func (w *world) invite(who, role string) {
	w.t.Helper()
	id := strings.TrimSpace(w.must(who, "identity", "show", "-o", "name"))
	w.must("founder", "pool", "invite", id, "--role", role, "--operator", who+"-corp", "--out", w.path(who+".invitation"))
	w.must(who, "pool", "join", w.path(who+".invitation"))
}

// process is one party's daemon.
type process struct {
	who  string
	args []string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
}

// start runs a daemon until the test ends or it is killed, and waits until it
// answers on its socket.
func (w *world) start(who string, args ...string) *process {
	w.t.Helper()
	p := &process{who: who, args: args, log: new(bytes.Buffer), done: make(chan struct{})}
	p.cmd = w.command(context.Background(), who, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.done)
	}()
	w.t.Cleanup(func() {
		p.stop()
		if w.t.Failed() {
			w.t.Logf("log of %s:\n%s", who, p.log)
		}
	})
	w.eventually("the daemon of "+who, func() bool { return w.run(who, "status", "-q").code == 0 })
	return p
}

// stop ends a daemon in good order.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.kill()
	}
}

// kill ends a daemon as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// provider starts a provider with one offer of so many CPUs.
func (w *world) provider(who string, cpu int, price string) *process {
	w.t.Helper()
	w.invite(who, "operator")
	p := w.serve(who)
	w.must(who, "offer", "--cpu", fmt.Sprint(cpu), "--price", price)
	return p
}

// serve starts, or starts again, the daemon of a provider that has joined.
func (w *world) serve(who string) *process {
	w.t.Helper()
	return w.start(who, "serve", "--listen", "127.0.0.1:0", "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.kubeconfig, "--location", "u33d")
}

// request asks for so many CPUs among at least least providers.
func (w *world) request(who string, cpu, least int, more ...string) []string {
	args := []string{
		"request", "--cpu", fmt.Sprint(cpu), "--location", "u33d", "--min-providers", fmt.Sprint(least), "--wait", "90s",
		"--out", w.path(who + ".kubeconfig"),
	}
	return append(args, more...)
}

// settle waits until the announcements of n providers have found their way: a
// request that nobody can serve is then a no-match, and no longer too few.
func (w *world) settle(n int) {
	w.t.Helper()
	w.invite("probe", "requester")
	w.eventually(fmt.Sprint(n, " providers are found"), func() bool {
		return w.run("probe", "request", "--cpu", "60000", "--location", "u33d", "--min-providers", fmt.Sprint(n)).code == 3
	})
}

// admin runs kubectl as the cluster's administrator.
func (w *world) admin(args ...string) string {
	w.t.Helper()
	out, err := w.kubectl(w.kubeconfig, args...)
	if err != nil {
		w.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// deputy is the kubeconfig of an account whose rights hang on the cluster role
// binding "deputy".
func (w *world) deputy() string {
	w.t.Helper()
	path := w.path("deputy.kubeconfig")
	w.admin("create", "serviceaccount", "deputy", "-n", "default")
	w.t.Cleanup(func() {
		w.admin("delete", "serviceaccount", "deputy", "-n", "default")
		w.admin("delete", "clusterrolebinding", "deputy", "--ignore-not-found")
	})
	w.admin("create", "clusterrolebinding", "deputy", "--clusterrole", "cluster-admin", "--serviceaccount", "default:deputy")
	token := w.admin("create", "token", "deputy", "-n", "default")
	view := w.admin("config", "view", "--flatten", "--minify")
	if err := os.WriteFile(path, []byte(view), 0o600); err != nil {
		w.t.Fatal(err)
	}
	for _, args := range [][]string{
		{"config", "set-credentials", "deputy", "--token", token},
		{"config", "set-context", "--current", "--user", "deputy"},
	} {
		if out, err := w.kubectl(path, args...); err != nil {
			w.t.Fatalf("%v\n%s", err, out)
		}
	}
	return path
}

// eventually waits for something that other processes bring about.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s: not within a minute", what)
		}
	}
}

// status is what a party's daemon says of itself, as far as tests look at it.
type status struct {
	Capacity []struct{ Resource, Total, Reserved, Held, Free string }
	Offers   []struct{ Name string }
	Matches  []struct{ Outcome string }
	Leases   []provided
}

// provided is a lease at its provider.
type provided struct{ ID, State, Namespace, Expires string }

// live are the leases that are in use.
func (s status) live() (all []provided) {
	for _, l := range s.Leases {
		if l.State == "active" {
			all = append(all, l)
		}
	}
	return all
}

func (w *world) status(who string) (s status) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.must(who, "status", "-o", "json")), &s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// cpu is one line of a provider's capacity.
func (s status) cpu(t testing.TB) (total, reserved, held, free string) {
	t.Helper()
	for _, c := range s.Capacity {
		if c.Resource == "cpu" {
			return c.Total, c.Reserved, c.Held, c.Free
		}
	}
	t.Fatalf("no cpu in %+v", s.Capacity)
	return "", "", "", ""
}

// kubectl runs the real kubectl with a party's kubeconfig.
func (w *world) kubectl(kubeconfig string, args ...string) (string, error) {
	c := exec.Command(k8stest.Binary(w.t), append([]string{"kubectl", "--kubeconfig", kubeconfig}, args...)...)
	out, err := c.CombinedOutput()
	return string(out), err
}
