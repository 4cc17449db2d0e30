package market

import "strings"

// Further dimensions are what a request may want of one provider beside its
// units, as a number of steps each: a policy with the parameter
// with=storage names them, and the price does not depend on them.

// Dimension is a further dimension that a ledger keeps account of.
type Dimension struct {
	Name string // in the parameter "with" of a policy
	Kind Kind   // what it takes from the pool
	Step int64  // of the kind: one is so much
}

// dimensions are those that there are: a cluster can hold a namespace to them
// with a quota whatever the units are.
var dimensions = []Dimension{{Name: "storage", Kind: KindStorage, Step: gib}}

// Storage is persistent storage over all volume claims, in Gi.
var Storage = dimensions[0]

// Further are the names of the dimensions that a policy has, in its order, known
// or not.
func Further(policy string) []string {
	_, parameters, _ := strings.Cut(policy, ";")
	for p := range strings.SplitSeq(parameters, ";") {
		if names, ok := strings.CutPrefix(p, "with="); ok {
			return strings.Split(names, ",")
		}
	}
	return nil
}

func dimensionOf(name string) (Dimension, bool) {
	for _, d := range dimensions {
		if d.Name == name {
			return d, true
		}
	}
	return Dimension{}, false
}

// ParseFurther reads an amount of a dimension, such as storage 500Gi, in its
// steps, rounding up. The error is a *FieldError of the dimension's name and
// does not repeat the text.
func ParseFurther(d Dimension, text string) (Quantity, error) {
	bad := func(problem string) (Quantity, error) { return 0, wrong(d.Name, problem, d.Kind.Format(500*d.Step)) }
	amount, problem := d.Kind.parse(text)
	if problem != "" {
		return bad(problem)
	}
	steps := ceil(amount, d.Step)
	if steps > int64(MaxQuantity) {
		return bad("is too large")
	}
	return Quantity(steps), nil
}

// Format writes a number of steps as an amount.
func (d Dimension) Format(q Quantity) string { return d.Kind.Format(int64(q) * d.Step) }

// beside is what numbers of a policy's further dimensions take from the pool:
// below 2^47 of each kind, as steps are.
func beside(policy string, further []Quantity) Resources {
	r := Resources{}
	for i, name := range Further(policy) {
		if d, known := dimensionOf(name); known && i < len(further) && further[i] > 0 {
			r[d.Kind] += int64(further[i]) * d.Step
		}
	}
	return r
}

// enterFurther is what an offer enters of an ask's further dimensions beside its
// units: what it has of each, less what is held and leased under it, and no more
// than is free when the units are taken. Of a dimension that nobody keeps
// account of it has nothing.
func (o Offer) enterFurther(a Ask, units Quantity, p pool) []Quantity {
	names := Further(a.Policy)
	if len(names) == 0 {
		return nil
	}
	further := make([]Quantity, len(names))
	rest := p.free(o)
	if unit, err := a.Class.Base().Times(units); err == nil && units > 0 {
		rest = rest.Less(unit)
	} else {
		return further // without units there is nothing beside them
	}
	for i, name := range names {
		if d, known := dimensionOf(name); known && d == Storage {
			left := max(0, int64(o.Storage)-p.byOffer[o.Name].beside[d.Kind]/d.Step)
			further[i] = Quantity(min(left, rest[d.Kind]/d.Step, int64(MaxQuantity)))
		}
	}
	return further
}
