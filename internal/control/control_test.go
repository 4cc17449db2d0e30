package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/angler-dex/angler/internal/control"
)

// socket returns a path that is short enough whatever the test is called.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "angler")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "run", control.SocketName)
}

// serve runs d at a new socket and returns a client; the test joins the server.
func serve(t *testing.T, d control.Daemon) *control.Client {
	t.Helper()
	path := socket(t)
	ln, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, ln, d, nil) }()
	c, err := control.Dial(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error("serve:", err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Error("the socket is still there:", err)
		}
	})
	return c
}

func TestOffersOverTheSocket(t *testing.T) {
	c, ctx := serve(t, newMemory()), t.Context()
	list, err := c.Offers(ctx)
	if err != nil || list == nil || len(list) != 0 {
		t.Fatalf("offers = %#v, %v; want an empty list", list, err)
	}
	want := control.Offer{Name: "a/b c=1,memory=1Gi", Class: "cpu=1,memory=1Gi", Ceiling: 40, Price: "0.031", MaxDuration: hour}
	got, err := c.PutOffer(ctx, want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
	if got, err = c.SetPaused(ctx, want.Name, true); err != nil || !got.Paused {
		t.Fatalf("pause = %+v, %v", got, err)
	}
	if got, err = c.SetPaused(ctx, want.Name, false); err != nil || got.Paused {
		t.Fatalf("resume = %+v, %v", got, err)
	}
	s, err := c.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]control.Offer{want}, s.Offers); d != "" || s.Pool != "harbour" {
		t.Fatalf("status %+v: %s", s, d)
	}
	if err := c.RemoveOffer(ctx, want.Name); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveOffer(ctx, want.Name); !errors.Is(err, control.ErrNotFound) || err.Error() != "no offer "+want.Name {
		t.Fatalf("second remove: %v", err)
	}
}

func TestLeasesOverTheSocket(t *testing.T) {
	m := newMemory()
	end := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	m.leases = []control.Lease{{ID: "l1", State: "active", Quantity: 3, Price: "0.5", Created: end.Add(-time.Hour), Expires: &end}}
	c, ctx := serve(t, m), t.Context()
	list, err := c.Leases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m.leases, list); d != "" {
		t.Fatal(d)
	}
	if l, err := c.Lease(ctx, "l1"); err != nil || l.Quantity != 3 {
		t.Fatalf("lease = %+v, %v", l, err)
	}
	if l, err := c.ReleaseLease(ctx, "l1"); err != nil || l.State != "released" {
		t.Fatalf("release = %+v, %v", l, err)
	}
	if _, err := c.ReclaimLease(ctx, "l1"); !errors.Is(err, control.ErrConflict) {
		t.Fatalf("reclaim without a notice: %v", err)
	}
	m.leases[0].Reclaim = hour
	if l, err := c.ReclaimLease(ctx, "l1"); err != nil || l.Notice != control.NoticeReclaim {
		t.Fatalf("reclaim = %+v, %v", l, err)
	}
	for _, state := range []string{control.Draining, control.DrainingToLeave, control.NotDraining} {
		if got, err := c.SetDrain(ctx, control.Drain{State: state}); err != nil || got != (control.Drain{State: state, Leases: 1}) {
			t.Fatalf("drain %q = %+v, %v", state, got, err)
		}
	}
	if _, err := c.Lease(ctx, "l2"); !errors.Is(err, control.ErrNotFound) {
		t.Fatalf("unknown lease: %v", err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	c, ctx := serve(t, newMemory()), t.Context()
	_, err := c.PutOffer(ctx, control.Offer{Name: "x"})
	if !errors.Is(err, control.ErrInvalid) || errors.Is(err, control.ErrNotFound) {
		t.Fatalf("invalid offer: %v", err)
	}
	if err.Error() != "offer x: a ceiling of 0 units" {
		t.Fatalf("the words of the chain got lost: %v", err)
	}
	none := func(control.Found) bool { return true }
	if err := c.Lookup(ctx, control.Lookup{Class: "late"}, none); !errors.Is(err, control.ErrDeadline) {
		t.Fatalf("deadline: %v", err)
	}
	if err := c.Lookup(ctx, control.Lookup{Class: "boom"}, none); !errors.Is(err, control.ErrInternal) {
		t.Fatalf("a panic: %v", err)
	}
	if _, err := c.Status(ctx); err != nil {
		t.Fatalf("after the panic: %v", err)
	}
	over := control.Offer{Name: "x", Class: strings.Repeat("a", 70<<10)}
	if _, err := c.PutOffer(ctx, over); !errors.Is(err, control.ErrInvalid) {
		t.Fatalf("a request over the cap: %v", err)
	}
}

func TestLookupStreams(t *testing.T) {
	m := newMemory()
	for i := range 5 {
		m.peers = append(m.peers, control.Found{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i)}), 1), ID: fmt.Sprint(i)})
	}
	c := serve(t, m)
	var got []control.Found
	if err := c.Lookup(t.Context(), control.Lookup{Class: "peers", Cells: []string{""}}, func(f control.Found) bool {
		got = append(got, f)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m.peers, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Fatal(d)
	}
}

func TestLookupEndsAtTheDaemon(t *testing.T) {
	t.Run("enough", func(t *testing.T) {
		m := newMemory()
		c, n := serve(t, m), 0
		if err := c.Lookup(t.Context(), control.Lookup{Class: "endless"}, func(control.Found) bool { n++; return n < 3 }); err != nil || n != 3 {
			t.Fatalf("%d found, %v", n, err)
		}
		<-m.stopped
	})
	t.Run("cancelled", func(t *testing.T) {
		m := newMemory()
		c := serve(t, m)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := c.Lookup(ctx, control.Lookup{Class: "slow"}, func(control.Found) bool { return true }); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		<-m.stopped
	})
}

func TestNobodyAtTheSocket(t *testing.T) {
	path := socket(t)
	if _, err := control.Dial(t.Context(), path); !errors.Is(err, control.ErrNoDaemon) {
		t.Fatalf("no folder: %v", err)
	}
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 120), "s")
	if _, err := control.Dial(t.Context(), long); err == nil || !strings.Contains(err.Error(), "choose a shorter state folder") {
		t.Fatalf("long path, dial: %v", err)
	}
	if _, err := control.Listen(long); err == nil || !strings.Contains(err.Error(), "choose a shorter state folder") {
		t.Fatalf("long path, listen: %v", err)
	}
}

func TestSocketOwnership(t *testing.T) {
	path := socket(t)
	ln, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, serr := os.Stat(p)
		if serr != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", p, info, serr, want)
		}
	}
	if _, err = control.Listen(path); !errors.Is(err, control.ErrRunning) {
		t.Errorf("second owner: %v", err)
	}
	if err = ln.Close(); err != nil {
		t.Fatal(err)
	}

	// What a killed daemon leaves: a socket that nobody listens at.
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if _, err = control.Dial(t.Context(), path); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("stale socket, dial: %v", err)
	}
	ln, err = control.Listen(path)
	if err != nil {
		t.Fatalf("stale socket, listen: %v", err)
	}
	ln.Close()

	if err = os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = control.Listen(path); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("a file of somebody's: %v", err)
	}
	if b, rerr := os.ReadFile(path); rerr != nil || string(b) != "mine" {
		t.Errorf("the file is gone: %q, %v", b, rerr)
	}
	if err = os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err = control.Listen(path); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("open folder: %v", err)
	}
}

// TestWire pins what other programs may rely on: paths, status codes, bodies.
func TestWire(t *testing.T) {
	c := serve(t, newMemory())
	web := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Path())
	}}}
	defer web.CloseIdleConnections()
	for _, tc := range []struct{ request, body, answer string }{
		{"PUT /v1/offers/x", `{"class":"c","ceiling":1,"price":"1","maxDuration":"90m"}`, `200 {"name":"x","class":"c","ceiling":1,"price":"1","maxDuration":"1h30m","paused":false}`},
		{"PUT /v1/offers/x", `{"name":"y"}`, `400 {"code":"invalid","message":"offer \"y\" was put under the name \"x\""}`},
		{"PUT /v1/offers/x", `{"class":"c","cieling":1}`, `400 {"code":"invalid","message":"request body: json: unknown field \"cieling\""}`},
		{"PUT /v1/offers/x", `{"class":"c"}{}`, `400 {"code":"invalid","message":"request body: trailing data"}`},
		{"PUT /v1/offers/x", `{"maxDuration":"soon"}`, `400 {"code":"invalid","message":"request body: time: invalid duration \"soon\""}`},
		{"PUT /v1/offers/x", ``, `400 {"code":"invalid","message":"request body: EOF"}`},
		{"POST /v1/offers/x/pause", ``, `200 {"name":"x","class":"c","ceiling":1,"price":"1","maxDuration":"1h30m","paused":true}`},
		{"GET /v1/offers", ``, `200 {"offers":[{"name":"x","class":"c","ceiling":1,"price":"1","maxDuration":"1h30m","paused":true}]}`},
		{"DELETE /v1/offers/x", ``, `204 `},
		{"DELETE /v1/offers/x", ``, `404 {"code":"not_found","message":"no offer x"}`},
		{"GET /v1/leases", ``, `200 {"leases":[]}`},
		{"POST /v1/lookup", `{"class":"peers","cells":[]}`, `200 {"done":true}`},
		{"POST /v1/lookup", `{"class":"late"}`, `200 {"error":{"code":"deadline","message":"context deadline exceeded"}}`},
		{"PUT /v1/drain", `{"state":"draining"}`, `200 {"state":"draining","leases":0}`},
		{"PUT /v1/drain", `{"state":"tired"}`, `400 {"code":"invalid","message":"no such state of draining"}`},
		{"POST /v1/leases/x/reclaim", ``, `404 {"code":"not_found","message":"no lease x"}`},
		{"GET /v2/status", ``, `501 {"code":"unsupported","message":"this daemon has no GET /v2/status"}`},
	} {
		method, path, _ := strings.Cut(tc.request, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://angler"+path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := web.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(string(body))); got != tc.answer {
			t.Errorf("%s %s\n got %s\nwant %s", tc.request, tc.body, got, tc.answer)
		}
	}
}

func TestLearned(t *testing.T) {
	for want, m := range map[string]control.Match{
		"selected: 32 units at 0.031": {Outcome: control.OutcomeSelected, Quantity: 32, Price: "0.031"},
		"selected: 1 unit at 2":       {Outcome: control.OutcomeSelected, Quantity: 1, Price: "2"},
		"not selected":                {Outcome: control.OutcomeNotSelected},
		"aborted (F6)":                {Outcome: control.OutcomeAborted, Phase: "F6"},
		"aborted":                     {Outcome: control.OutcomeAborted},
	} {
		if got := m.Learned(); got != want {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
	}
}

func TestDurationText(t *testing.T) {
	for in, want := range map[string]string{"1h": "1h", "90m": "1h30m", "60s": "1m", "1h0m1s": "1h0m1s", "0s": "0s", "500ms": "500ms", "10m": "10m", "100h": "100h"} {
		var d control.Duration
		if err := d.UnmarshalText([]byte(in)); err != nil || d.String() != want {
			t.Errorf("%s: %v, %v; want %s", in, d, err, want)
		}
	}
}
