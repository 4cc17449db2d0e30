package node

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
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

// see is what a daemon says of itself.
func see(t *testing.T, cfg Config) (s control.Status) {
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

// wait waits until a daemon says something.
func wait(t *testing.T, cfg Config, what string, ok func(control.Status) bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(see(t, cfg)); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute: %+v", what, see(t, cfg))
		}
	}
}

// "No bootstrap node reachable: the daemon says so, keeps trying, and goes on
// with saved nodes."
func TestGoesOnWithSavedNodes(t *testing.T) {
	t.Parallel()
	door, other, node := dhtOnly(t), dhtOnly(t), dhtOnly(t)
	door.DHTListen = freeUDP(t)
	other.Bootstrap, node.Bootstrap = []string{door.DHTListen}, []string{door.DHTListen}
	up := func(cfg Config) (stop func() error) {
		ready, stop := run(t, cfg)
		<-ready
		return stop
	}
	closeDoor := up(door)
	stopOther := up(other)
	defer func() {
		if err := stopOther(); err != nil {
			t.Error(err)
		}
	}()
	stop := up(node)
	wait(t, node, "it knows the other node", func(s control.Status) bool { return s.DHT.Nodes == 2 })
	if s := see(t, node); s.DHT.Deserted != "" || s.DHT.Error != "" {
		t.Errorf("%+v", s.DHT)
	}
	for _, stop := range []func() error{stop, closeDoor} {
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	log := said{slog.DiscardHandler, make(chan string, 1000)}
	node.Log = slog.New(log)
	stop = up(node)
	wait(t, node, "it goes on with the other node, and says so", func(s control.Status) bool {
		return s.DHT.Nodes == 1 && s.DHT.Error == "" && strings.Contains(s.DHT.Deserted, door.DHTListen)
	})
	for line := range log.lines {
		if strings.Contains(line, "going on with saved nodes") && strings.Contains(line, door.DHTListen) {
			break
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A provider that has not joined the DHT has nobody to dial it back, which is no
// reason to announce it: once it has joined, others are asked first.
func TestNotAnnouncedBeforeItHasJoined(t *testing.T) {
	t.Parallel()
	door := dhtOnly(t)
	door.DHTListen = freeUDP(t)
	early, late := provider(t), provider(t)
	early.Bootstrap, late.Bootstrap = []string{door.DHTListen}, []string{door.DHTListen}
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
	start(early, true)
	wait(t, early, "told that it cannot be found", func(s control.Status) bool { return s.DHT.Error != "" })
	if s := see(t, early); s.Place.Reach != "" || s.DHT.Keys != 0 {
		t.Errorf("it has joined nothing, and its reach is %q, with %d keys", s.Place.Reach, s.DHT.Keys)
	}
	start(door, false)
	wait(t, early, "announced, with nobody else there", func(s control.Status) bool {
		return s.Place.Reach == control.ReachUntold && s.DHT.LastAnnounce != nil
	})
	start(late, true)
	wait(t, late, "announced, for the other has dialled it", func(s control.Status) bool {
		return s.Place.Reach == control.Reachable && s.DHT.LastAnnounce != nil
	})
}
