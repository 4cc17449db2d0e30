package placement

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Names of policies.
const (
	LowestPricePolicy = "lowest-price"
	SecondPricePolicy = "second-price"
	SplitPolicy       = "split"
	FitPolicy         = "fit"
)

// Bounds of a policy's text and parameters.
const (
	MaxPolicyText = 128
	MaxFurther    = 4
	MinWinners    = 2
	MaxWinners    = 8
)

// Policy is a placement function with its public parameters. All parties of a match agree on it.
type Policy struct {
	Name     string
	Winners  int      // most winners of a split; 0: as many as it takes
	Cap      bool     // the requester enters a secret bound on what one provider delivers
	Handicap bool     // the requester enters a secret handicap for each provider
	Tiers    bool     // a provider enters a supply curve instead of one price
	Further  []string // dimensions beside the units, sorted
}

// Policies lists the names of the functions that this version has, sorted.
func Policies() []string {
	return []string{FitPolicy, LowestPricePolicy, SecondPricePolicy, SplitPolicy}
}

// splits says whether there may be several winners.
func (p Policy) splits() bool { return p.Name == SplitPolicy || p.Name == FitPolicy }

var dimension = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// ParsePolicy reads a policy: a name, then parameters, each after a semicolon, in any order: cap, handicap, tiers,
// winners=4, with=gpu,storage. Errors wrap ErrPolicy and say what would do.
func ParsePolicy(text string) (Policy, error) {
	refuse := func(format string, args ...any) (Policy, error) {
		return Policy{}, fmt.Errorf("%w %.40q: %s", ErrPolicy, text, fmt.Sprintf(format, args...))
	}
	if len(text) > MaxPolicyText {
		return refuse("has more than %d characters", MaxPolicyText)
	}
	parts := strings.Split(text, ";")
	p := Policy{Name: parts[0]}
	if !slices.Contains(Policies(), p.Name) {
		return refuse("this version has %s", strings.Join(Policies(), ", "))
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		key, value, given := strings.Cut(part, "=")
		if seen[key] {
			return refuse("the parameter %.40q is given twice", key)
		}
		seen[key] = true
		if why := p.set(key, value, given); why != "" {
			return refuse("%s", why)
		}
	}
	if why := p.refused(); why != "" {
		return refuse("%s", why)
	}
	return p, nil
}

// set takes one parameter; what it returns is why not.
func (p *Policy) set(key, value string, given bool) string {
	flags := map[string]*bool{"cap": &p.Cap, "handicap": &p.Handicap, "tiers": &p.Tiers}
	switch flag := flags[key]; {
	case flag != nil && given:
		return key + " has no value"
	case flag != nil:
		*flag = true
	case key == "winners":
		n, err := strconv.Atoi(value)
		if err != nil || strconv.Itoa(n) != value || n < MinWinners || n > MaxWinners {
			return fmt.Sprintf("winners must be a number from %d to %d; for example winners=4", MinWinners, MaxWinners)
		}
		p.Winners = n
	case key == "with":
		p.Further = strings.Split(value, ",")
		slices.Sort(p.Further)
		for k, d := range p.Further {
			if !dimension.MatchString(d) || k > 0 && d == p.Further[k-1] || len(p.Further) > MaxFurther {
				return fmt.Sprintf("with must be 1 to %d different names; for example with=gpu,storage", MaxFurther)
			}
		}
	default:
		return fmt.Sprintf("unknown parameter %.40q, there are cap, handicap, tiers, winners=4 and with=gpu,storage", key)
	}
	return ""
}

// refused says why the parameters make no sense together, if so.
func (p Policy) refused() string {
	switch {
	case p.splits():
		return ""
	case p.Winners > 0:
		return "it has one winner: winners belongs to split and fit; for example split;winners=4"
	case p.Cap:
		return "it has one winner, which delivers everything: cap belongs to split and fit; for example split;cap"
	}
	return ""
}

// String is the policy's canonical text: parameters in the order of their names.
func (p Policy) String() string {
	text := p.Name
	for _, f := range []struct {
		on   bool
		text string
	}{
		{p.Cap, "cap"},
		{p.Handicap, "handicap"},
		{p.Tiers, "tiers"},
		{p.Winners > 0, "winners=" + strconv.Itoa(p.Winners)},
		{len(p.Further) > 0, "with=" + strings.Join(p.Further, ",")},
	} {
		if f.on {
			text += ";" + f.text
		}
	}
	return text
}
