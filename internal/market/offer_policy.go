package market

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// An offer lists the placement functions that it enters, and records of providers
// repeat what it lists. A name alone is the function with any parameters but those
// that need consent; behind it may stand, each after a semicolon,
//
//	handicap     a parameter that needs consent: it is allowed
//	-cap         one that does not: it is refused
//	winners=4    one that has to be given, and be no more than that
//
// in the order of their names. An offer that lists nothing enters every function,
// in the same way.

// consented are the parameters that an offer enters only if it says so. With
// handicaps a requester chooses whose price it learns, by name, also that of a
// provider that does not win; every other parameter bounds what is told, or is the
// provider's own, or costs the requester a win that the provider sees.
var consented = []string{"handicap"}

// maxPolicyEntry bounds an entry: records carry them.
const maxPolicyEntry = 64

// policyEntry is one that was read.
type policyEntry struct {
	name    string
	allowed []string
	refused []string
	bounds  map[string]int
}

// readPolicyEntry reads an entry in any order. The error says what is wrong with it.
func readPolicyEntry(text string) (policyEntry, error) {
	parts := strings.Split(text, ";")
	e := policyEntry{name: parts[0], bounds: map[string]int{}}
	if len(text) > maxPolicyEntry || !policyName.MatchString(e.name) {
		return e, fmt.Errorf("%s is not the name of a placement function", quote(text))
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		refuse := strings.HasPrefix(part, "-")
		key, value, bound := strings.Cut(strings.TrimPrefix(part, "-"), "=")
		most, err := strconv.Atoi(value)
		switch {
		case !policyName.MatchString(key):
			return e, fmt.Errorf("%s has no parameter behind a semicolon", quote(text))
		case seen[key]:
			return e, fmt.Errorf("%s has %s twice", quote(text), key)
		case bound && (refuse || err != nil || most < 0 || strconv.Itoa(most) != value):
			return e, fmt.Errorf("%s: %s is bounded by a number", quote(text), key)
		case bound:
			e.bounds[key] = most
		case refuse:
			e.refused = append(e.refused, key)
		case !slices.Contains(consented, key):
			return e, fmt.Errorf("%s: %s is allowed unless it is refused, by -%s", quote(text), key, key)
		default:
			e.allowed = append(e.allowed, key)
		}
		seen[key] = true
	}
	return e, nil
}

// String is the canonical text of the entry.
func (e policyEntry) String() string {
	terms := map[string]string{}
	for _, key := range e.allowed {
		terms[key] = key
	}
	for _, key := range e.refused {
		if !slices.Contains(consented, key) { // else it is refused anyway
			terms[key] = "-" + key
		}
	}
	for key, most := range e.bounds {
		terms[key] = key + "=" + strconv.Itoa(most)
	}
	text := e.name
	for _, key := range slices.Sorted(maps.Keys(terms)) {
		text += ";" + terms[key]
	}
	return text
}

// covers says whether the entry is for matches of a policy.
func (e policyEntry) covers(policy string) bool {
	parts := strings.Split(policy, ";")
	if parts[0] != e.name {
		return false
	}
	bounded := 0
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		if slices.Contains(e.refused, key) || slices.Contains(consented, key) && !slices.Contains(e.allowed, key) {
			return false
		}
		if most, is := e.bounds[key]; is {
			if n, err := strconv.Atoi(value); err != nil || n > most {
				return false
			}
			bounded++
		}
	}
	return bounded == len(e.bounds)
}

// Enters says whether who lists entries takes part in matches of a policy. An entry
// that cannot be read, as one of a later version may be, is for none.
func Enters(entries []string, policy string) bool {
	return slices.ContainsFunc(entries, func(text string) bool {
		e, err := readPolicyEntry(text)
		return err == nil && e.covers(policy)
	})
}

// enters says whether the offer takes part in matches of a policy.
func (o Offer) enters(policy string) bool {
	if len(o.Policies) == 0 {
		name, _, _ := strings.Cut(policy, ";")
		return policyEntry{name: name}.covers(policy)
	}
	return Enters(o.Policies, policy)
}

// PolicyParts takes a policy apart, or an entry of an offer: the name of its function,
// and those of the parameters that it speaks of.
func PolicyParts(text string) (function string, parameters []string) {
	parts := strings.Split(text, ";")
	for _, part := range parts[1:] {
		key, _, _ := strings.Cut(strings.TrimPrefix(part, "-"), "=")
		parameters = append(parameters, key)
	}
	return parts[0], parameters
}

// canonicalPolicies writes entries in their canonical form, sorted; what cannot be
// read stays as it is.
func canonicalPolicies(entries []string) (list []string) {
	for _, text := range entries {
		if e, err := readPolicyEntry(text); err == nil {
			text = e.String()
		}
		list = append(list, text)
	}
	return sorted(list)
}
