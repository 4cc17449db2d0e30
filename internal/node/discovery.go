package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/dht"
)

// openDHT binds the node of the DHT.
func (d *daemon) openDHT() error {
	conn, err := net.ListenPacket("udp", d.cfg.DHTListen)
	if err != nil {
		return fmt.Errorf("--dht-listen: %w", err)
	}
	d.dht, err = dht.New(dht.Config{
		Conn: conn, Bootstrap: d.cfg.Bootstrap, Public: d.cfg.Public, TablePath: d.cfg.TablePath, Log: d.cfg.Log.With("part", "dht"),
	})
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	return nil
}

// keys are what is announced: each class in the own cell and in all that
// contain it, so that it is found from near and, if need be, from far. A full
// provider is announced like any other: that it is full is its secret.
func (d *daemon) keys() []dht.Key {
	if d.draining() != control.NotDraining || d.misplaced() != nil || !d.place.announces() {
		return nil // what is announced runs out by itself
	}
	return dht.Announced(d.poolName(), d.place.where(), announced(d.ledger))
}

// port is the one under which others reach this provider.
func (d *daemon) port() int {
	if len(d.cfg.Advertise) > 0 {
		return int(d.cfg.Advertise[0].Port())
	}
	return int(d.mesh.Addr().Port())
}

// astray is where announcements lead to as far as others tell, if that is none of
// the addresses in the record; invalid: it is one, or nobody has told.
func (d *daemon) astray() netip.AddrPort { return d.astrayAt(d.dht.Stats().External) }

// astrayAt is astray for a node that others see at an address.
func (d *daemon) astrayAt(seen netip.Addr) netip.AddrPort {
	seen = seen.Unmap()
	if !seen.IsValid() || slices.ContainsFunc(d.record.addrs, func(a netip.AddrPort) bool { return a.Addr() == seen }) {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(seen, uint16(d.port()))
}

// misplaced says whether announcements would send others to an address that is
// not advertised: an announcement carries a port, and its packet the address.
// In a pool others refer to it who have reached it at the advertised ones (see
// match.KindReferral); among strangers there is nobody to do so.
func (d *daemon) misplaced() error { return d.misplacedAt(d.dht.Stats().External) }

// misplacedAt is misplaced for a node that others see at an address.
func (d *daemon) misplacedAt(seen netip.Addr) error {
	if !d.cfg.Public || len(d.cfg.Advertise) == 0 || !seen.IsValid() ||
		slices.ContainsFunc(d.cfg.Advertise, func(a netip.AddrPort) bool { return a.Addr() == seen }) {
		return nil
	}
	return fmt.Errorf("--advertise: the public DHT sees this node at %s, which is not advertised, and an announcement carries no other address: serve from an advertised address, or leave --advertise out", seen)
}

// troubleEvery is how often the place in the DHT is looked at.
const troubleEvery = time.Second

// unfound is why this node cannot be found at present, nil if it can.
func (d *daemon) unfound() error {
	if st := d.dht.Stats(); !st.Joined && st.JoinErr != nil {
		return st.JoinErr
	}
	return d.misplaced()
}

// deserted is why no bootstrap node is there, while saved nodes and others do
// instead; nil if one is.
func (d *daemon) deserted() error {
	if st := d.dht.Stats(); st.Joined {
		return st.Deserted
	}
	return nil
}

// watchDHT says in the log, once each time, that this node cannot be found, or
// has no bootstrap node, and when that is over. The DHT node goes on trying by
// itself.
func (d *daemon) watchDHT(ctx context.Context) error {
	lost := trouble{log: d.cfg.Log, begins: "cannot be found; will keep trying", ends: "can be found again"}
	deserted := trouble{log: d.cfg.Log, begins: "going on with saved nodes; will keep trying", ends: "a bootstrap node answers again"}
	tick := time.NewTicker(troubleEvery)
	defer tick.Stop()
	for {
		lost.is(d.unfound())
		deserted.is(d.deserted())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// trouble is said in the log when it begins, becomes another, or ends.
type trouble struct {
	log          *slog.Logger
	begins, ends string
	said         string
}

// is says what the matter is now; nil: nothing.
func (t *trouble) is(err error) {
	switch {
	case err != nil && err.Error() != t.said:
		t.said = err.Error()
		t.log.Warn(t.begins, "why", err)
	case err == nil && t.said != "":
		t.said = ""
		t.log.Info(t.ends)
	}
}
