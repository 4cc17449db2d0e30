package requester

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// leaseFile is a lease's file. Versions before leases had parts wrote the one
// part's fields beside the lease's own: such a file has no list of parts.
type leaseFile struct {
	ID       market.LeaseID    `json:"id"`
	SID      []byte            `json:"sid"`
	State    State             `json:"state"`
	Class    market.Class      `json:"class"`
	Duration time.Duration     `json:"duration"`
	Policy   string            `json:"policy"`
	Further  []market.Quantity `json:"further,omitempty"`
	Workload []byte            `json:"workload,omitempty"`
	Roster   []byte            `json:"roster"`
	Created  time.Time         `json:"created"`
	Reason   string            `json:"reason,omitempty"`
	Parts    []Part            `json:"parts"`
	Timing   *Timing           `json:"timing,omitempty"`
	Holder   string            `json:"holder,omitempty"`
}

// encode writes the lease's file.
func (l Lease) encode() ([]byte, error) {
	text, err := json.MarshalIndent(leaseFile(l), "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// parseLease reads a lease's file and checks what the program relies on. The
// errors do not repeat what stands in it.
func parseLease(text []byte) (Lease, error) {
	var f leaseFile
	if err := json.Unmarshal(text, &f); err != nil {
		return Lease{}, errors.New("not a lease in JSON") // the cause might quote it
	}
	if f.Parts == nil {
		var only Part
		if err := json.Unmarshal(text, &only); err != nil {
			return Lease{}, errors.New("not a lease in JSON")
		}
		f.Parts = []Part{only}
	}
	l := Lease(f)
	if err := l.check(); err != nil {
		return Lease{}, err
	}
	return l, nil
}

// check says why this cannot be a lease that was stored.
func (l Lease) check() error {
	switch {
	case len(l.SID) != 32 || len(l.Parts) == 0 || len(l.Parts) > match.MaxProviders:
		return errors.New("its session or its parts are out of bounds")
	case !slices.Contains(states, l.State):
		return errors.New("unknown state")
	}
	units := 0
	for k, p := range l.Parts {
		units += int(p.Quantity)
		again := slices.ContainsFunc(l.Parts[:k], func(o Part) bool { return o.Provider == p.Provider })
		if again || p.ID != market.NewLeaseID([32]byte(l.SID), p.Provider) {
			return errors.New("its id is not that of its session and provider")
		}
		if err := p.check(); err != nil {
			return err
		}
		usable := p.State == Granted || p.State == Active
		if l.State == Granted && !usable || l.State == Active && p.State != Active && !p.over() {
			return errors.New("a part of it was never granted")
		}
	}
	if len(l.Workload) != 0 && len(l.Workload) != 32 {
		return errors.New("its workload is not a hash")
	}
	if units > 1<<16-1 {
		return errors.New("more units than there are")
	}
	sorted := l.with(slices.Clone(l.Parts))
	sorted.order()
	for k, p := range sorted.Parts {
		if p.ID != l.Parts[k].ID {
			return errors.New("its parts are not in order")
		}
	}
	if l.ID != sorted.ID {
		return errors.New("its id is not that of its session and provider")
	}
	return nil
}

func (p Part) check() error {
	switch {
	case !slices.Contains(states, p.State) || p.State == Releasing:
		return errors.New("unknown state")
	case (p.State == Granted || p.State == Active) && (p.Grant == nil || len(p.Receipt) == 0):
		return errors.New("granted, but without grant or receipt")
	}
	return nil
}
