package killtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"net/rpc/jsonrpc"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
)

// Where the victim finds what it needs; see start.
const (
	envLedger     = "KILLTEST_LEDGER" // set in a victim only
	envKey        = "KILLTEST_KEY"
	envListen     = "KILLTEST_LISTEN"
	envCluster    = "KILLTEST_CLUSTER"    // address of the ideal cluster
	envKubeconfig = "KILLTEST_KUBECONFIG" // of a real one, in its place
)

func TestMain(m *testing.M) {
	if os.Getenv(envLedger) != "" {
		if err := victim(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "victim:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	k8stest.Main(m)
}

func class() market.Class {
	c, err := market.ParseClass("cpu=100m,memory=64Mi")
	if err != nil {
		panic(err)
	}
	return c
}

const ceiling = 1000

// victim is the provider's process. It says "ready", does what it is told on
// stdin, and says what is done; it ends by being killed, or when its stdin does.
func victim(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	text, err := os.ReadFile(os.Getenv(envKey))
	if err != nil {
		return err
	}
	key, err := identity.ParseKey(text)
	if err != nil {
		return err
	}
	clock, err := market.SystemClock()
	if err != nil {
		return err
	}
	ledger, err := market.Open(market.Config{Path: os.Getenv(envLedger), Provider: key.ID(), Clock: clock})
	if err != nil {
		return err
	}
	offer := market.Offer{Name: "offer", Unit: class(), Ceiling: ceiling, Price: 7, Allow: []string{market.AllowAny}, MaxLeases: 1000}
	if err = ledger.PutOffer(offer); err != nil {
		return err
	}
	if err = adds(ledger); err != nil {
		return err
	}
	cluster, err := clusterOf()
	if err != nil {
		return err
	}
	node, err := mesh.Listen(mesh.Config{Key: key, Addr: os.Getenv(envListen)})
	if err != nil {
		return err
	}
	provider := match.NewProvider(match.ProviderConfig{
		Key: key, Mesh: node, Ledger: ledger, Cluster: cluster, Rand: rand.Reader, Clock: clock, MinRoster: 1, Matches: 1,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Record: func() ([]byte, error) {
			now := clock().Wall
			return identity.SignRecord(key, identity.Record{
				Addrs: []netip.AddrPort{netip.MustParseAddrPort(os.Getenv(envListen))}, Classes: []string{class().String()},
				Versions: []uint{match.Version}, Issued: now, Expires: now.Add(time.Hour),
			})
		},
	})
	provider.Handle()
	go func() { fatal(node.Run(ctx)) }()
	go func() { fatal(provider.Run(ctx)) }()
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if err := obey(ledger, in.Text()); err != nil {
			return err
		}
	}
	return in.Err()
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
		os.Exit(1)
	}
}

func clusterOf() (match.Cluster, error) {
	if path := os.Getenv(envKubeconfig); path != "" {
		return k8s.Open(k8s.Config{Kubeconfig: path, Now: time.Now})
	}
	client, err := jsonrpc.Dial("tcp", os.Getenv(envCluster))
	return remote{client}, err
}

// adds asserts that what is used and what is free is the total.
func adds(ledger *market.Ledger) error {
	u := ledger.Usage()
	for kind, total := range u.Total {
		if u.Reserved[kind]+u.Held[kind]+u.Free[kind] != total || u.Held[kind] != 0 {
			return fmt.Errorf("%s: reserved, held and free are not the total", kind)
		}
	}
	return nil
}

// obey does "reserve SID REQUESTER": what a match that was won does.
func obey(ledger *market.Ledger, line string) error {
	words := strings.Fields(line)
	if len(words) != 3 || words[0] != "reserve" {
		return fmt.Errorf("told %q", line)
	}
	raw, err := hex.DecodeString(words[1])
	if err != nil {
		return err
	}
	requester, err := identity.ParsePeerID(words[2])
	if err != nil {
		return err
	}
	sid := [32]byte(raw)
	if lease, ok := ledger.Lease(market.NewLeaseID(sid, ledger.Provider())); ok {
		fmt.Println("reserved", lease.ID) // before it was killed
		return nil
	}
	ask := market.Ask{Requester: requester, Class: class(), Policy: market.DefaultPolicy, Duration: time.Hour}
	bid, err := ledger.Hold(sid, ask, market.HoldTime)
	if err != nil {
		return err
	}
	lease, err := ledger.Win(sid, 1, bid.Price)
	if err != nil {
		return err
	}
	fmt.Println("reserved", lease.ID)
	return nil
}
