package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/node"
)

type serveFlags struct {
	listen, dhtListen, metrics  string
	advertise, bootstrap, allow []string
	place                       placeFlags
	capacity, kubeconfig        string
	gpus                        []string
	credential, template        string
	maxMatches, maxEach         int
	minRoster                   int
	dhtOnly                     bool
	operator                    operatorFlags
	acquire                     acquireFlags
	apiServer                   string
	logLevel, logFormat         string
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the provider's daemon, or a bootstrap node",
		Long: `Run the daemon that provides capacity of one Kubernetes cluster: a node of the DHT, the listener for matches, the
provisioner of leases and the control socket that 'angler offer' and 'angler status' talk to. It offers nothing by itself: put
offers with 'angler offer'; they and all leases are kept over restarts.

With --dht-only it is a node of the DHT and nothing else: what a pool has as its bootstrap nodes.

It runs until SIGINT or SIGTERM. It serves members of its pool; see 'angler pool'.`,
		Example: `  angler serve --capacity cpu=64,memory=256Gi --location u33d
  angler serve --kubeconfig ~/.kube/edge --listen :7400 --advertise 198.51.100.7:7400 --metrics 127.0.0.1:9400
  angler serve --operator --operator-namespace angler-system
  angler serve --acquire-below 'free<10%' --class cpu=1,memory=4Gi --count 8 --max-price 0.05
  angler serve --dht-only --dht-listen :7401`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.serveConfig(f)
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), cfg)
		},
	}
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVar(&f.listen, "listen", ":7400", "`address` for QUIC, all of a node's traffic with its peers; port 0 is any")
	s.StringVar(&f.dhtListen, "dht-listen", ":7401", "`address` for the DHT, another UDP port")
	s.StringSliceVar(&f.advertise, "advertise", nil, "`addresses` where peers reach --listen (default this machine's)")
	s.StringSliceVar(&f.bootstrap, "bootstrap", nil, "`host:port` of DHT nodes to join by, or mainline for the public DHT (default the pool's)")
	f.place.register(s, "the cluster")
	s.StringVar(&f.capacity, "capacity", "", "what may be leased in all, such as `cpu=64,memory=256Gi` (default the sum of the offers)")
	s.StringVar(&f.kubeconfig, "kubeconfig", "", "`file` of the cluster (default $KUBECONFIG, then the pod's own cluster)")
	s.StringVar(&f.apiServer, "api-server", "", "https `address` of the cluster that tenants are given (default the kubeconfig's; 'angler lease proxy' needs none that they can reach)")
	s.StringArrayVar(&f.gpus, "gpu-map", nil, "how the cluster knows a GPU `model`, once for each: 'nvidia-h100=nvidia.com/gpu;gpu.product=NVIDIA-H100'")
	s.StringVar(&f.credential, "credential", credentialToken, "what tenants get: token (bound to the lease), or certificate (for clusters that sign client certificates)")
	s.StringVar(&f.template, "template", "", "`folder` of YAML files with objects that every lease's namespace gets, too (default none)")
	s.StringSliceVar(&f.allow, "allow", []string{market.AllowPool}, "who may ask for offers that do not say: `pool`, any, or peer ids")
	s.IntVar(&f.maxMatches, "max-matches", runtime.NumCPU(), "matches at once; as many as this machine has processors, if not given")
	s.IntVar(&f.maxEach, "max-matches-each", 0, "of these, matches of one requester (default half of them, and no fewer than 2)")
	s.IntVar(&f.minRoster, "min-roster", 3, "fewest distinct operators in a match that this node takes part in")
	f.operator.register(s)
	f.acquire.register(s)
	s.BoolVar(&f.dhtOnly, "dht-only", false, "be a DHT node only")
	s.StringVar(&f.metrics, "metrics", "", "`address` of /metrics and /healthz (default none)")
	s.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	s.StringVar(&f.logFormat, "log-format", "text", "text or json")
	for name, value := range map[string]string{
		"listen": ":7400", "dht-listen": ":7401", "advertise": "198.51.100.7:7400", "bootstrap": "dht.example.org:7401", "capacity": "cpu=64,memory=256Gi",
		"allow": "pool", "gpu-map": "'nvidia-h100=nvidia.com/gpu;gpu.product=NVIDIA-H100-80GB-HBM3'", "credential": "token", "template": "lease.d", "api-server": "https://k8s.example.org:6443", "metrics": "127.0.0.1:9400", "log-level": "info", "log-format": "json",
	} {
		sample(s, name, value)
	}
	settings(s, "serve", "cpu", "memory", "gpu", "unit", "class", "count", "max-price")
	return cmd
}

// serveConfig checks the flags and reads what they name.
func (a *app) serveConfig(f serveFlags) (node.Config, error) {
	cfg := node.Config{
		Version: Version(), LedgerPath: filepath.Join(a.paths.state, "ledger.db"), TablePath: filepath.Join(a.paths.state, "dht.table"), SparesDir: a.paths.spares(),
		Socket: a.paths.socket(), Listen: f.listen, DHTListen: f.dhtListen, Metrics: f.metrics, Kubeconfig: f.kubeconfig, APIServer: f.apiServer,
		Allow: f.allow, MinRoster: f.minRoster, MaxMatches: f.maxMatches, MaxEach: f.maxEach, DHTOnly: f.dhtOnly,
	}
	err := f.check()
	if err != nil {
		return cfg, err
	}
	if cfg.Log, err = newLogger(a.io.Err, f.logLevel, f.logFormat); err != nil {
		return cfg, err
	}
	if cfg.Cell, cfg.AutoCell, err = f.place.find(); err != nil {
		return cfg, err
	}
	cfg.Precision, cfg.PlacePath = f.place.precision, filepath.Join(a.paths.state, "coordinate")
	if cfg.Bootstrap, err = f.bootstrap, checkHostPorts("bootstrap", f.bootstrap); err != nil {
		return cfg, err
	}
	if cfg.Advertise, err = parseAddrPorts("advertise", f.advertise); err != nil {
		return cfg, err
	}
	if f.capacity != "" {
		if cfg.Capacity, err = market.ParseCapacity(f.capacity); err != nil {
			return cfg, fieldFault(err, nil)
		}
	}
	if err = f.house(&cfg); err != nil {
		return cfg, err
	}
	if err = f.operator.operate(&cfg); err != nil {
		return cfg, err
	}
	if cfg.Key, err = a.key(); err != nil {
		return cfg, err
	}
	if err = a.serveMembership(&cfg); err != nil {
		return cfg, err
	}
	if len(f.bootstrap) == 0 && cfg.Pool != nil {
		cfg.Bootstrap = others(cfg.Pool.Bootstrap, f.dhtListen)
	}
	cfg.Public = slices.Contains(cfg.Bootstrap, dht.Mainline)
	if err = checkAdvertise(cfg.Advertise, cfg.Public); err != nil {
		return cfg, err
	}
	if err = a.acquire(f.acquire, &cfg); err != nil {
		return cfg, err
	}
	cfg.Ready = func(at node.Addresses) { a.sayReady(cfg, at) }
	return cfg, nil
}

// Kinds of credentials.
const (
	credentialToken       = "token"
	credentialCertificate = "certificate"
)

// house reads what is decided for all leases of the cluster.
func (f *serveFlags) house(cfg *node.Config) (err error) {
	switch f.credential {
	case credentialToken, credentialCertificate:
		cfg.Certificates = f.credential == credentialCertificate
	default:
		return flagError("credential", "is token or certificate", "--credential token")
	}
	if cfg.GPUs, err = k8s.ParseGPUMap(f.gpus); err != nil {
		return asUsage(err)
	}
	if cfg.Template = f.template; f.template != "" {
		if info, err := os.Stat(f.template); err != nil || !info.IsDir() {
			return flagError("template", fmt.Sprintf("%q is not a folder", clean(f.template)), "--template lease.d")
		}
	}
	return nil
}

func (f *serveFlags) check() error {
	for _, l := range []struct{ flag, text string }{{"listen", f.listen}, {"dht-listen", f.dhtListen}, {"metrics", f.metrics}} {
		if l.flag == "metrics" && l.text == "" {
			continue
		}
		if err := checkListen(l.flag, l.text); err != nil {
			return err
		}
	}
	if u, err := url.Parse(f.apiServer); f.apiServer != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return flagError("api-server", fmt.Sprintf("%q is not an https address", clean(f.apiServer)), "--api-server https://k8s.example.org:6443")
	}
	switch {
	case f.maxMatches < 1:
		return flagError("max-matches", "must be 1 or more", "--max-matches 4")
	case f.maxEach < 0:
		return flagError("max-matches-each", "must be 1 or more", "--max-matches-each 2")
	case f.minRoster < 1:
		return flagError("min-roster", "must be 1 or more", "--min-roster 3")
	}
	for _, who := range f.allow {
		if _, err := identity.ParsePeerID(who); err != nil && who != market.AllowPool && who != market.AllowAny {
			return flagError("allow", fmt.Sprintf("%q is neither pool nor any nor a peer id", clean(who)), "--allow pool")
		}
	}
	return nil
}

// serveMembership finds the pool. A DHT node needs none; a provider needs to be an operator of one.
func (a *app) serveMembership(cfg *node.Config) error {
	j, err := a.membership(cfg.Key.ID(), identity.RoleOperator)
	if err != nil {
		if cfg.DHTOnly && a.flags.pool == "" {
			return nil
		}
		return err
	}
	cfg.Pool, cfg.Membership = &j.Pool, j.Membership
	if j.Membership == nil && !cfg.DHTOnly {
		return fmt.Errorf("this identity is no operator of pool %s: give its owner the id that 'angler identity show' prints, and join with the invitation", j.Pool.Name)
	}
	return nil
}

// others leaves out of a pool's bootstrap nodes the one that this daemon itself is about to be.
func others(bootstrap []string, listen string) []string {
	var list []string
	for _, b := range bootstrap {
		if b != listen {
			list = append(list, b)
		}
	}
	return list
}

func (a *app) serve(ctx context.Context, cfg node.Config) error {
	return node.Run(ctx, cfg)
}

func (a *app) sayReady(cfg node.Config, at node.Addresses) {
	if cfg.DHTOnly {
		a.talk.done("DHT node at %s", at.DHT)
		return
	}
	a.talk.done("%s serves pool %s: QUIC at %s, DHT at %s, control at %s", cfg.Key.ID().Short(), cfg.Pool.Name, at.QUIC, at.DHT, cfg.Socket)
}

// newLogger makes the daemon's log on stderr.
func newLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, flagError("log-level", "is debug, info, warn or error", "--log-level info")
	}
	opts := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return nil, flagError("log-format", "is text or json", "--log-format json")
}
