package market

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Surplus makes an offer follow what a cluster has over, instead of being so
// many units. What it comes to at a moment is a secret, as a ceiling is; how
// it is counted is the daemon's to know (Config.Surplus).
type Surplus struct {
	Share    Percent   // of what pods of others leave; 0 is not a share
	Keep     Resources // that stays free, whatever the share
	WhenFree Percent   // nothing is entered unless more than this is free; 0: whenever there is something
}

// Taken is what is promised to somebody at a moment.
type Taken struct {
	Lease    LeaseID // zero for a hold
	Class    Class
	Quantity Quantity
}

// ErrNoSurplus says that a daemon follows no cluster.
var ErrNoSurplus = errors.New("this daemon does not know what its cluster has over")

// Percent is a share in hundredths of a percent: 10000 is all.
type Percent uint16

// AllOf is 100 %.
const AllOf Percent = 10000

var percentGrammar = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,2}))?%$`)

// ParsePercent reads a share such as 50% or 12.5%: at most two decimals, no
// more than 100 %. The error is a *FieldError of the field.
func ParsePercent(field, text string) (Percent, error) {
	m := percentGrammar.FindStringSubmatch(text)
	if m == nil {
		return 0, wrong(field, quote(text)+" is not a percentage", "50%")
	}
	n, err := strconv.Atoi(m[1] + (m[2] + "00")[:2])
	if err != nil || n > int(AllOf) {
		return 0, wrong(field, "is more than 100%", "50%")
	}
	return Percent(n), nil
}

// String is what ParsePercent reads.
func (p Percent) String() string {
	text := fmt.Sprintf("%d.%02d", p/100, p%100)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}

// ParseWhenFree reads the bound of Surplus.WhenFree, such as >30%. The error is
// a *FieldError of the field "when-free".
func ParseWhenFree(text string) (Percent, error) {
	rest, ok := strings.CutPrefix(strings.ReplaceAll(text, " ", ""), ">")
	p, err := ParsePercent("when-free", rest)
	if !ok || err != nil || p == AllOf {
		return 0, wrong("when-free", "is not > and a percentage below 100%", "'>30%'")
	}
	return p, nil
}

// ParseKeep reads Surplus.Keep, in the form of a capacity. The error is a
// *FieldError of the field "keep".
func ParseKeep(text string) (Resources, error) {
	r, err := ParseCapacity(text)
	if err != nil {
		var f *FieldError
		if errors.As(err, &f) {
			return nil, wrong("keep", f.Problem, "cpu=4,memory=8Gi")
		}
		return nil, err
	}
	if r[KindStorage] > 0 {
		return nil, wrong("keep", "storage is not on nodes", "cpu=4,memory=8Gi")
	}
	return r, nil
}

func (s *Surplus) validate(unit Class) error {
	switch {
	case s.Share == 0 || s.Share > AllOf:
		return wrong("share", "must be above 0 and at most 100%", "50%")
	case s.WhenFree >= AllOf:
		return wrong("when-free", "must be below 100%", "'>30%'")
	case unit.Storage > 0:
		return wrong("class", "storage is no part of a cluster's surplus", classExample)
	case len(s.Keep) > maxListed:
		return wrong("keep", "lists too much", "cpu=4,memory=8Gi")
	}
	if err := s.Keep.validate(); err != nil {
		return wrong("keep", "is not a list of amounts", "cpu=4,memory=8Gi")
	}
	return nil
}

func (s *Surplus) clone() *Surplus {
	if s == nil {
		return nil
	}
	c := *s
	c.Keep = s.Keep.Most(nil)
	return &c
}

// surplusOf is how many units of class an offer that follows the cluster may
// still enter, for its cluster's sake.
func (l *Ledger) surplusOf(o Offer, class Class, p pool) (Quantity, error) {
	if l.surplus == nil {
		return 0, ErrNoSurplus
	}
	return l.surplus(*o.Surplus, class, p.taken)
}

// Surplus is how many of its units an offer that follows the cluster would enter
// now, its ceiling and the declared capacity apart. The error says why it enters
// none for another reason than that none is over.
func (l *Ledger) Surplus(name string) (Quantity, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.offers[name]
	switch {
	case !ok:
		return 0, ErrNoOffer
	case o.Surplus == nil:
		return 0, ErrNoSurplus
	}
	return l.surplusOf(o, o.Unit, l.pool(l.clock()))
}

// FollowsCluster says whether an offer that is not paused follows what the
// cluster has over.
func (l *Ledger) FollowsCluster() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.offers {
		if o.Surplus != nil && !o.Paused {
			return true
		}
	}
	return false
}

// Promised lists what is leased and held now.
func (l *Ledger) Promised() []Taken {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.pool(l.clock()).taken)
}

// overOffers is what the offers that follow the cluster may still take, for the
// sum of the offers: they draw on the same nodes, so the most of each kind.
func (l *Ledger) overOffers(p pool) Resources {
	over := Resources{}
	for _, o := range l.offers {
		if o.Surplus == nil || o.Paused {
			continue
		}
		n, err := l.surplusOf(o, o.Unit, p)
		if err != nil {
			continue
		}
		left := max(0, int64(o.Ceiling)-p.byOffer[o.Name].units)
		if size, err := o.Unit.Base().Times(min(n, Quantity(left))); err == nil {
			over = over.Most(size)
		}
	}
	return over
}

// Split returns a kind without its qualifier, and the qualifier: the
// architecture of cpu and memory, "" for the usual one; the model of cards.
func (k Kind) Split() (base Kind, qualifier string) {
	name, qualifier, _ := strings.Cut(string(k), "/")
	return Kind(name), qualifier
}
