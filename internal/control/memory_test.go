package control_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/control"
)

// memory is a daemon that keeps its offers and leases in memory.
type memory struct {
	mu      sync.Mutex
	offers  map[string]control.Offer
	leases  []control.Lease
	peers   []control.Found
	stopped chan struct{} // closed when a lookup was told to stop, or its context ended
}

func newMemory() *memory {
	return &memory{offers: map[string]control.Offer{}, stopped: make(chan struct{})}
}

func (m *memory) Status(ctx context.Context) (control.Status, error) {
	list, err := m.Offers(ctx)
	return control.Status{ID: "me", Mode: control.ModeProvider, Pool: "harbour", Offers: list}, err
}

func (m *memory) Offers(context.Context) ([]control.Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []control.Offer
	for _, o := range m.offers {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b control.Offer) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (m *memory) PutOffer(_ context.Context, o control.Offer) (control.Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o.Ceiling == 0 {
		return control.Offer{}, fmt.Errorf("offer %s: %w", o.Name, control.New(control.ErrInvalid, "a ceiling of 0 units"))
	}
	m.offers[o.Name] = o
	return o, nil
}

func (m *memory) SetPaused(_ context.Context, name string, paused bool) (control.Offer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.offers[name]
	if !ok {
		return o, control.New(control.ErrNotFound, "no offer "+name)
	}
	o.Paused = paused
	m.offers[name] = o
	return o, nil
}

func (m *memory) RemoveOffer(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.offers[name]; !ok {
		return control.New(control.ErrNotFound, "no offer "+name)
	}
	delete(m.offers, name)
	return nil
}

func (m *memory) Leases(context.Context) ([]control.Lease, error) { return m.leases, nil }

func (m *memory) Lease(_ context.Context, id string) (control.Lease, error) {
	for _, l := range m.leases {
		if l.ID == id {
			return l, nil
		}
	}
	return control.Lease{}, control.New(control.ErrNotFound, "no lease "+id)
}

func (m *memory) ReleaseLease(ctx context.Context, id string) (control.Lease, error) {
	l, err := m.Lease(ctx, id)
	if err == nil {
		l.State = "released"
	}
	return l, err
}

// Lookup streams the peers of the class "peers"; "slow" waits for the caller to go, "boom" is a bug.
func (m *memory) Lookup(ctx context.Context, q control.Lookup, found func(control.Found) bool) error {
	switch q.Class {
	case "boom":
		panic("a bug")
	case "slow":
		<-ctx.Done()
		close(m.stopped)
		return ctx.Err()
	case "late":
		return context.DeadlineExceeded
	case "endless":
		for i := 0; ; i++ {
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 4433)
			if !found(control.Found{Addr: a}) {
				close(m.stopped)
				return nil
			}
		}
	}
	for _, p := range m.peers {
		if !found(p) {
			return nil
		}
	}
	return nil
}

var _ control.Daemon = (*memory)(nil)

var hour = control.Duration(time.Hour)

func (m *memory) ReclaimLease(ctx context.Context, id string) (control.Lease, error) {
	l, err := m.Lease(ctx, id)
	if err == nil && l.Reclaim == 0 {
		err = fmt.Errorf("lease %s: %w", id, control.New(control.ErrConflict, "it cannot be taken back"))
	}
	l.Notice = control.NoticeReclaim
	return l, err
}

func (m *memory) SetDrain(_ context.Context, d control.Drain) (control.Drain, error) {
	return control.Drain{State: d.State, Leases: len(m.leases)}, nil
}
