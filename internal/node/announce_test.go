package node

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/control"
)

// provider is the configuration of a provider whose cluster is down: it is found
// all the same.
func provider(t *testing.T) Config {
	t.Helper()
	cfg := dhtOnly(t)
	dir := filepath.Dir(cfg.TablePath)
	down := httptest.NewTLSServer(http.NotFoundHandler())
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: down.Certificate().Raw})
	down.Close()
	cfg.DHTOnly, cfg.Listen, cfg.MinRoster, cfg.MaxMatches, cfg.Cell = false, "127.0.0.1:0", 1, 1, "u33d"
	cfg.LedgerPath, cfg.SparesDir, cfg.PlacePath = filepath.Join(dir, "ledger.db"), filepath.Join(dir, "spares"), filepath.Join(dir, "coordinate")
	cfg.Kubeconfig = filepath.Join(dir, "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "x",
"clusters": [{"name": "x", "cluster": {"server": %q, "certificate-authority-data": %q}}],
"users": [{"name": "x", "user": {"token": "x"}}], "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}`,
		down.URL, base64.StdEncoding.EncodeToString(ca))
	if err := os.WriteFile(cfg.Kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// freeUDP is a loopback address at which nobody listens.
func freeUDP(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// A provider that has not joined the DHT has nobody to dial it back, which is no
// reason to announce it: once it has joined, others are asked first.
func TestNotAnnouncedBeforeItHasJoined(t *testing.T) {
	t.Parallel()
	door := dhtOnly(t)
	door.DHTListen = freeUDP(t)
	early, late := provider(t), provider(t)
	early.Bootstrap, late.Bootstrap = []string{door.DHTListen}, []string{door.DHTListen}
	see := func(cfg Config) (s control.Status) {
		t.Helper()
		c, err := control.Dial(t.Context(), cfg.Socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if s, err = c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	start := func(cfg Config, offers bool) {
		t.Helper()
		ready, stop := run(t, cfg)
		t.Cleanup(func() {
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
		<-ready
		if !offers {
			return
		}
		c, err := control.Dial(t.Context(), cfg.Socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.PutOffer(t.Context(), control.Offer{Name: "x", Class: "cpu=1,memory=1Gi", Ceiling: 4, Price: "0.03", Allow: []string{"any"}}); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(cfg Config, what string, ok func(control.Status) bool) {
		t.Helper()
		for end := time.Now().Add(time.Minute); !ok(see(cfg)); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within a minute: %+v", what, see(cfg))
			}
		}
	}
	start(early, true)
	wait(early, "told that it cannot be found", func(s control.Status) bool { return s.DHT.Error != "" })
	if s := see(early); s.Place.Reach != "" || s.DHT.Keys != 0 {
		t.Errorf("it has joined nothing, and its reach is %q, with %d keys", s.Place.Reach, s.DHT.Keys)
	}
	start(door, false)
	wait(early, "announced, with nobody else there", func(s control.Status) bool {
		return s.Place.Reach == control.ReachUntold && s.DHT.LastAnnounce != nil
	})
	start(late, true)
	wait(late, "announced, for the other has dialled it", func(s control.Status) bool {
		return s.Place.Reach == control.Reachable && s.DHT.LastAnnounce != nil
	})
}
