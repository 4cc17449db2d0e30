package requester

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// misfit is why a provider that would serve a request is of no use to it.
type misfit uint8

const (
	suits   misfit = iota
	far            // its round trip is longer than the request allows
	outside        // it is not in the region
	other          // it takes part in matches of other policies
	apart          // it has no address of the family in which the others connect
	foreign        // it speaks other versions of the protocol
)

// keep takes a provider that was met at an address, if it is of use to this
// request.
func (d *discovery) keep(addr netip.AddrPort, m match.Candidate) {
	r, req := m.Record, d.req
	if !slices.Contains(r.Classes, req.Class.String()) {
		return
	}
	id := r.ID.String()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(r.Versions, match.Version) {
		d.unfit[id] = foreign
		return
	}
	if why := d.bounds.admit(m); why != suits { // first: another policy would not bring it nearer
		d.unfit[id] = why
		return
	}
	if !market.Enters(r.Policies, req.Policy) {
		d.other = append(d.other, r.Policies...)
		d.unfit[id] = other
		return
	}
	d.at[addr] = id
	if _, known := d.met[id]; known {
		return
	}
	d.met[id] = m
	d.client.progress(Event{Phase: Discovered, Done: len(d.met)})
}

// misfits counts those that are of no use, by why.
func (d *discovery) misfits() map[misfit]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := map[misfit]int{}
	for id, why := range d.unfit {
		if _, met := d.met[id]; !met { // by another way, which is shorter
			n[why]++
		}
	}
	return n
}

// candidates are the best of those that were kept and can connect to each other,
// in order.
func (d *discovery) candidates() []match.Candidate {
	d.mu.Lock()
	defer d.mu.Unlock()
	var met []match.Candidate
	for _, id := range slices.Sorted(maps.Keys(d.met)) { // so that ties do not depend on who answered first
		met = append(met, d.met[id])
	}
	connects := family(met)
	met = slices.DeleteFunc(met, func(m match.Candidate) bool {
		if connects(m) {
			return false
		}
		id := m.Record.ID.String()
		delete(d.met, id)
		d.unfit[id] = apart
		return true
	})
	d.bounds.rank(met)
	return met[:min(d.bounds.MaxProviders, len(met))]
}
