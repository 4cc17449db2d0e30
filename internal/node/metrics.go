package node

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
)

// serveMetrics serves /metrics and /healthz. The figures count events and name
// neither peers nor amounts: who can read them learns how busy this daemon is
// and nothing that the market keeps secret.
func (d *daemon) serveMetrics(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.registry(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", d.serveHealth)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(d.metrics); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serveHealth says whether the daemon can do its work now.
func (d *daemon) serveHealth(w http.ResponseWriter, r *http.Request) {
	if st := d.dht.Stats(); !st.Joined {
		http.Error(w, "no bootstrap node answers", http.StatusServiceUnavailable)
		return
	}
	if d.provider != nil {
		if c := d.showCluster(r.Context()); c.Error != "" {
			http.Error(w, "the cluster does not answer", http.StatusServiceUnavailable)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

func (d *daemon) registry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("angler_dht_nodes", "Nodes in the routing table.", func() float64 { return float64(d.dht.Stats().Nodes) })
	gauge("angler_dht_good_nodes", "Nodes in the routing table that answered lately.", func() float64 { return float64(d.dht.Stats().GoodNodes) })
	if d.provider == nil {
		return reg
	}
	matches := func(outcome string, value func() int) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "angler_matches_total", Help: "Matches that this provider took part in, by how they ended for it.",
			ConstLabels: prometheus.Labels{"outcome": outcome},
		}, func() float64 { return float64(value()) }))
	}
	matches("selected", func() int { won, _, _ := d.recent.counts(); return won })
	matches("not_selected", func() int { _, lost, _ := d.recent.counts(); return lost })
	matches("aborted", func() int { _, _, over := d.recent.counts(); return over })
	for _, s := range []market.State{market.Reserved, market.Provisioning, market.Provisional, market.Active, market.Expiring} {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "angler_leases", Help: "Leases that occupy capacity, by state.", ConstLabels: prometheus.Labels{"state": s.String()},
		}, func() float64 { return float64(d.countLeases(s)) }))
	}
	gauge("angler_matching", "Matches that this provider takes part in now.", func() float64 { return float64(d.provider.Matching()) })
	gauge("angler_draining", "Whether it takes part in no new matches, 0 or 1.", func() float64 {
		if d.draining() == control.NotDraining {
			return 0
		}
		return 1
	})
	gauge("angler_offers_entering_nothing", "Open offers that have no price now, or whose unit cannot be provided.", func() float64 {
		return float64(len(d.ledger.Faults()))
	})
	gauge("angler_namespaces_left_over", "Namespaces that are there although no lease is.", func() float64 { return float64(len(d.remains.get())) })
	gauge("angler_cluster_seen_seconds", "Time since it was seen what the cluster has over; 0 while nobody wants to know.", func() float64 {
		if d.cfg.Acquire == nil && !d.ledger.FollowsCluster() {
			return 0
		}
		return d.surplus.age().Seconds()
	})
	return reg
}

func (d *daemon) countLeases(s market.State) (n int) {
	for _, l := range d.ledger.Leases() {
		if l.State == s {
			n++
		}
	}
	return n
}
