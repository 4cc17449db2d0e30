package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/market"
)

func TestMain(m *testing.M) {
	testscript.Main(k8stest.Wrap(m), map[string]func(){"angler": func() { os.Exit(Main()) }})
}

// TestScripts runs the commands as processes of their own. Each script has a home folder in which nothing is set up.
func TestScripts(t *testing.T) { runScripts(t, "testdata/script", "") }

// TestPool runs scripts in which daemons trade the capacity of a real Kubernetes control plane, whose nodes run pods in name.
func TestPool(t *testing.T) {
	runScripts(t, "testdata/pool", k8stest.Launch(t, "--nodes", "1", "--workloads"))
}

func runScripts(t *testing.T, dir, kubeconfig string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			for k, v := range map[string]string{
				"HOME": home, "TERM": "xterm", "XDG_RUNTIME_DIR": "", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "", "KUBECONFIG": kubeconfig,
			} {
				env.Setenv(k, v)
			}
			if kubeconfig != "" {
				env.Setenv("KUBELAB", k8stest.Binary(t))
				root, err := filepath.Abs(filepath.Join("..", ".."))
				if err != nil {
					return err
				}
				env.Setenv("REPOSITORY", root)
			}
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":       scriptCode,
			"daemon":     scriptDaemon,
			"eventually": scriptEventually,
			"field":      scriptField,
			"mode":       scriptMode,
		},
	})
}

// scriptEventually is "eventually command…": it is run again and again until it succeeds, for half a minute at most.
func scriptEventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually command [args]")
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%v did not succeed: %v", args, err)
		}
	}
}

// scriptField is "field VARIABLE PATH": it sets a variable of the script to a value of the JSON on stdout, such as
// dht.listen.0.
func scriptField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field VARIABLE PATH")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, key := range strings.Split(args[1], ".") {
		switch t := v.(type) {
		case map[string]any:
			v = t[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			v = t[i]
		default:
			ts.Fatalf("there is no %s in it", key)
		}
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// scriptCode is "code N command…": the command must end with exit code N.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// scriptMode is "mode MODE file…": files must have that mode.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); (got == args[0]) == neg {
			ts.Fatalf("%s has mode %s", name, got)
		}
	}
}

// scriptDaemon is "daemon FOLDER": a daemon with one match won and one lost, listening at the socket of a state folder until
// the script ends.
func scriptDaemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: daemon FOLDER")
	}
	ln, err := control.Listen(filepath.Join(ts.MkAbs(args[0]), "run", control.SocketName))
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, ln, newDesk(time.Now()), nil) }()
	ts.Defer(func() {
		cancel()
		if err := <-done; err != nil {
			ts.Logf("daemon: %v", err)
		}
	})
}

// desk is a daemon that keeps offers in memory: what the commands see of one is the socket, and that is real.
type desk struct {
	control.Daemon // what is not overridden is not called
	start          time.Time
	mu             sync.Mutex
	offers         []control.Offer
}

func newDesk(now time.Time) *desk { return &desk{start: now} }

func (d *desk) Status(ctx context.Context) (control.Status, error) {
	list, err := d.Offers(ctx)
	end, said := d.start.Add(time.Hour), d.start.Add(-time.Second)
	const lease = "q7ldizk3yvtzx5z2l3nn7hjr5fnyx3jzqpwdc4b7nd2s2l6s7ima"
	return control.Status{
		ID: strings.Repeat("a", 52), Version: "v0", Mode: control.ModeProvider, Pool: "harbour", Operator: "acme", Started: d.start,
		Listen: []string{netip.MustParseAddrPort("127.0.0.1:7946").String()}, Cell: "u33d",
		Cluster:  control.Cluster{Server: "https://127.0.0.1:6443"},
		Place:    &control.Place{Reach: control.Reachable, Neighbours: 3},
		DHT:      control.DHT{Nodes: 12, Good: 11, LastAnnounce: &said, Keys: 4, Takers: 8},
		Capacity: []control.Usage{{Resource: "cpu", Total: "64", Reserved: "32", Held: "0", Free: "32"}, {Resource: "memory", Total: "64Gi", Reserved: "32Gi", Held: "0", Free: "32Gi"}},
		Offers:   list,
		Matches: []control.Match{
			{SID: "7c0d99aa", At: d.start, Role: control.RoleProvider, Class: "arch=amd64,cpu=1,currency=USD,memory=1Gi", Outcome: control.OutcomeSelected, Quantity: 32, Price: "0.031", Lease: lease},
			{SID: "01f3c2aa", At: d.start.Add(-time.Minute), Role: control.RoleProvider, Outcome: control.OutcomeNotSelected},
		},
		Leases: []control.Lease{{ID: lease, State: "active", Class: "arch=amd64,cpu=1,currency=USD,memory=1Gi", Quantity: 32, Price: "0.031", Namespace: "angler-q7ldizk3", Created: d.start, Expires: &end}},
	}, err
}

func (d *desk) Offers(context.Context) ([]control.Offer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.offers), nil
}

// PutOffer lets the market decide, as the daemon does.
func (d *desk) PutOffer(_ context.Context, o control.Offer) (control.Offer, error) {
	unit, err := market.ParseClass(o.Class)
	if err != nil {
		return o, control.New(control.ErrInvalid, err.Error())
	}
	m := market.Offer{Name: o.Name, Unit: unit, Policies: o.Policies, Allow: o.Allow, MaxDuration: time.Duration(o.MaxDuration)}.Normalize()
	o.Policies, o.Allow, o.MaxDuration = m.Policies, m.Allow, control.Duration(m.MaxDuration)
	if o.PriceExpr != "" {
		e, err := market.ParsePriceExpr(o.PriceExpr)
		if err != nil {
			return o, control.New(control.ErrInvalid, err.Error())
		}
		if _, err = e.At(market.PriceVars{Total: 64, Free: 64}); err != nil {
			o.Fault = err.Error()
		}
	}
	o.Announced = namesOf(m.Announced(), market.Class.String)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offers = slices.DeleteFunc(d.offers, func(have control.Offer) bool { return have.Name == o.Name })
	d.offers = append(d.offers, o)
	slices.SortFunc(d.offers, func(a, b control.Offer) int { return strings.Compare(a.Name, b.Name) })
	return o, nil
}

func (d *desk) SetPaused(_ context.Context, name string, paused bool) (control.Offer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.offers {
		if d.offers[i].Name == name {
			d.offers[i].Paused = paused
			return d.offers[i], nil
		}
	}
	return control.Offer{}, control.New(control.ErrNotFound, "there is no offer "+name)
}

func (d *desk) RemoveOffer(_ context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offers = slices.DeleteFunc(d.offers, func(o control.Offer) bool { return o.Name == name })
	return nil
}
