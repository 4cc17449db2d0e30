package requester

import (
	"maps"
	"slices"
	"strings"

	"github.com/angler-dex/angler/internal/match"
)

// keep takes a provider that was met, if it is of use to this request.
func (d *discovery) keep(m match.Candidate) {
	r, req := m.Record, d.req
	if !slices.Contains(r.Classes, req.Class.String()) || !slices.Contains(r.Versions, match.Version) || !d.bounds.admissible(m) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(r.Policies, policyName(req.Policy)) {
		d.other = append(d.other, r.Policies...)
		return
	}
	if _, known := d.met[r.ID.String()]; known {
		return
	}
	d.met[r.ID.String()] = m
	d.client.progress(Event{Phase: Discovered, Done: len(d.met)})
}

// candidates are the best of those that were kept, in order.
func (d *discovery) candidates() []match.Candidate {
	d.mu.Lock()
	defer d.mu.Unlock()
	var met []match.Candidate
	for _, id := range slices.Sorted(maps.Keys(d.met)) { // so that ties do not depend on who answered first
		met = append(met, d.met[id])
	}
	d.bounds.rank(met)
	return met[:min(d.bounds.MaxProviders, len(met))]
}

// policyName is a policy without its parameters: records list names.
func policyName(policy string) string {
	name, _, _ := strings.Cut(policy, ";")
	return name
}
