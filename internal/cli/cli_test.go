package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
	"github.com/angler-dex/angler/internal/requester"
)

// TestExitCodes pins the code of every error that the packages below decide on, however it is wrapped.
func TestExitCodes(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("anything"), 1},
		{usagef("a flag"), 2},
		{&market.FieldError{Field: "cpu"}, 2},
		{control.New(control.ErrInvalid, "no"), 2},
		{requester.ErrNoFit, 3},
		{&requester.TooFewError{Found: 1, Wanted: 3}, 4},
		{requester.ErrAborted, 5},
		{&requester.ProvisionError{Reason: "quota", Err: context.DeadlineExceeded}, 6},
		{requester.ErrDeadline, 7},
		{context.DeadlineExceeded, 7},
		{control.ErrNoDaemon, 8},
		{dht.ErrNoBootstrap, 9},
		{control.New(control.ErrNoBootstrap, "none"), 9},
		{k8s.ErrNoCluster, 10},
		{errInterrupted, 130},
		{&ExitError{Code: 3, Err: errors.New("x")}, 3},
	} {
		if got, _ := codeOf(fmt.Errorf("while working: %w", tc.err)); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}

// TestEveryFlagIsDescribed: commands have an example, flags a description, and what errors show as valid is.
func TestEveryFlagIsDescribed(t *testing.T) {
	root := newApp(IOStreams{}).rootCommand()
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || c.Runnable() && !c.HasSubCommands() && c.Example == "" && !c.Parent().Hidden && c.Name() != "help" {
			t.Errorf("%q lacks a summary or an example", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("--%s of %q has no description", f.Name, c.CommandPath())
			}
			if f.Name == "help" || f.Value.Type() == "bool" {
				return
			}
			value := sampleOf(f)
			if err := f.Value.Set(value); err != nil {
				t.Errorf("--%s %s of %q is shown as valid and is not: %v", f.Name, value, c.CommandPath(), err)
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// TestSecretsAreNoSettings: what a request or an offer keeps secret cannot come from the environment or a file.
func TestSecretsAreNoSettings(t *testing.T) {
	keys := strings.Join(knownKeys(newApp(IOStreams{}).rootCommand()), " ")
	for _, secret := range []string{"price", "cpu", "memory", "gpu", "count", "unit", "storage", "share"} {
		if strings.Contains(strings.ReplaceAll(keys, "serve.gpu-map", ""), secret) { // which says how models are called
			t.Errorf("%s is a setting: %s", secret, keys)
		}
	}
	for _, want := range []string{"state-dir", "serve.listen", "request.min-providers"} {
		if !strings.Contains(keys, want) {
			t.Errorf("%s is no setting: %s", want, keys)
		}
	}
}

// TestTryUntil: waiting cures what may pass, nothing else, and ends in time.
func TestTryUntil(t *testing.T) {
	tries := 0
	clock := time.Unix(0, 0)
	a := newApp(IOStreams{Err: &strings.Builder{}})
	a.now = func() time.Time { return clock }
	run := func(wait time.Duration, results ...error) error {
		tries = 0
		_, err := a.tryUntil(t.Context(), wait, func(context.Context) (requester.Lease, error) {
			tries++
			return requester.Lease{}, results[min(tries, len(results))-1]
		})
		return err
	}
	if err := run(0, requester.ErrNoFit); !errors.Is(err, requester.ErrNoFit) || tries != 1 {
		t.Errorf("without --wait: %v after %d", err, tries)
	}
	if err := run(time.Hour, &requester.ProvisionError{}); err == nil || tries != 1 {
		t.Errorf("a fault that does not pass: %v after %d", err, tries)
	}
	if err := run(time.Hour, &requester.TooFewError{}, nil); err != nil || tries != 2 {
		t.Errorf("a fault that passes: %v after %d", err, tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := a.tryUntil(ctx, time.Hour, func(context.Context) (requester.Lease, error) {
		cancel()
		return requester.Lease{}, requester.ErrNoFit
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestMemoryEstimate: the estimate grows with parties and gates, and what cannot be held is refused with words.
func TestMemoryEstimate(t *testing.T) {
	need := func(offers int) int64 {
		s := &scenario{policy: placement.Policy{Name: placement.LowestPricePolicy}, request: placement.Request{Quantity: 1}}
		for i := range offers {
			s.offers = append(s.offers, scenarioOffer{name: fmt.Sprint(i)})
		}
		f, err := placement.New(s.policy.String(), offers)
		if err != nil {
			t.Fatal(err)
		}
		inputs, err := s.inputs(f)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parties(f, inputs, zeros{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return memoryFor(int64(len(p)), p[0].Stats())
	}
	small, large := need(2), need(32)
	if small <= 0 || small > 64<<20 || large < 1<<30 || large > 8<<30 {
		t.Errorf("2 offers %d bytes, 32 offers %d bytes", small, large)
	}
	if free, known := freeMemory(); known && free <= 0 {
		t.Errorf("%d bytes free", free)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestWriteFile: whole, 0600, and never over a file that is to stay.
func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	if err := writeFile(path, []byte("one"), false); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(path, []byte("two"), false); !errors.Is(err, os.ErrExist) {
		t.Fatalf("over an existing file: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "one" {
		t.Fatalf("%s, %v", b, err)
	}
	if err := writeFile(path, []byte("three"), true); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 5 {
		t.Fatalf("%v, %v", info, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v, %v", entries, err)
	}
}

// TestClean: what a peer chose cannot move the cursor or turn the text around.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 漢": "plain ü 漢", "a\x1b[2Jb": "a�[2Jb", "a\nb\tc": "a�b�c", "a\u202eb": "a�b", "\u009b": "�",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestLostRestriction: an offer that the daemon has without a restriction is not reported as put.
func TestLostRestriction(t *testing.T) {
	full := control.Offer{Allow: []string{"any"}, Deny: []string{"p", "q"}, MaxDuration: 5, MaxLeases: 2, MaxMatches: 3}
	if flag := lost(full, full); flag != "" {
		t.Errorf("nothing is lost: %s", flag)
	}
	if flag := lost(control.Offer{}, control.Offer{Allow: []string{"pool"}, MaxDuration: 7}); flag != "" {
		t.Errorf("defaults are no loss: %s", flag)
	}
	for want, change := range map[string]func(*control.Offer){
		"allow": func(o *control.Offer) { o.Allow = []string{"any", "x"} }, "deny": func(o *control.Offer) { o.Deny = []string{"p"} },
		"max-duration": func(o *control.Offer) { o.MaxDuration = 6 }, "max-leases": func(o *control.Offer) { o.MaxLeases = 128 },
		"max-matches": func(o *control.Offer) { o.MaxMatches = 0 },
	} {
		put := full
		change(&put)
		if got := lost(full, put); got != want {
			t.Errorf("%q, want %s", got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"list", "pause", "resume", "remove", "serve.listen"}
	for word, want := range map[string]string{"lst": "list", "resmue": "resume", "serve.lisen": "serve.listen", "xyzzy": "", "listen": "serve.listen"} {
		if got := nearest(word, known); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", word, got)
		}
	}
}
