package market

import (
	"fmt"
	"slices"
)

// State is where a lease stands. The zero State is not valid.
type State uint8

// The states of a lease, in the order in which it may pass them.
const (
	Held         State = iota + 1 // units set aside for a match; memory only
	Reserved                      // won; on disk before anybody is told
	Provisioning                  // claimed; the cluster is being changed
	Provisional                   // granted; the requester has yet to confirm
	Active                        // confirmed
	Expiring                      // being undone; still occupies capacity
	Released                      // over; nothing of it is left
	Failed                        // never came to be; nothing of it is left
)

var stateNames = [...]string{
	Held: "held", Reserved: "reserved", Provisioning: "provisioning", Provisional: "provisional",
	Active: "active", Expiring: "expiring", Released: "released", Failed: "failed",
}

// transitions is the whole machine. Two rules shape it: a lease frees its
// capacity only when nothing of it can be left in the cluster, so after
// provisioning began the only way out is through expiring; and nothing comes
// back from the end.
var transitions = [...][]State{
	Held:         {Reserved, Released},
	Reserved:     {Provisioning, Released, Failed},
	Provisioning: {Provisional, Expiring},
	Provisional:  {Active, Expiring},
	Active:       {Expiring},
	Expiring:     {Released, Failed},
	Released:     {},
	Failed:       {},
}

// TransitionError says that a lease cannot go from one state to another: a
// late confirm, a claim of something that was released, or a bug.
type TransitionError struct{ From, To State }

func (e *TransitionError) Error() string {
	return fmt.Sprintf("a lease that is %s cannot become %s", e.From, e.To)
}

// Next returns the states that may follow s.
func (s State) Next() []State {
	if !s.Valid() {
		return nil
	}
	return slices.Clone(transitions[s])
}

// Check returns nil if s may become to, else a *TransitionError.
func (s State) Check(to State) error {
	if s.Valid() && slices.Contains(transitions[s], to) {
		return nil
	}
	return &TransitionError{From: s, To: to}
}

// Valid says whether s is one of the eight states.
func (s State) Valid() bool { return s >= Held && s <= Failed }

// Terminal says whether s is an end: it occupies no capacity.
func (s State) Terminal() bool { return s == Released || s == Failed }

// Stored says whether a lease in s stands on disk.
func (s State) Stored() bool { return s.Valid() && s != Held }

// Usable says whether a requester's credentials work in s.
func (s State) Usable() bool { return s == Provisional || s == Active }

// String is the name in lower case.
func (s State) String() string {
	if !s.Valid() {
		return fmt.Sprintf("state(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText is String of a valid state.
func (s State) MarshalText() ([]byte, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("%s is not a lease state", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText is the inverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name != "" && name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("%s is not a lease state", quote(string(text)))
}
