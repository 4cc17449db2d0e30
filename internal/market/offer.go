package market

import (
	"encoding/base32"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Offer is what a provider puts up. Ceiling, Storage, PerMatch and what it asks (Price,
// Tiers, Expr) are secrets; who may ask, for how long and how often is the
// provider's own policy.
type Offer struct {
	Name     string   // unique in a ledger; the default is Unit.String()
	Unit     Class    // what one unit is; smaller standard classes are served too
	Ceiling  Quantity // most units that this offer ever has held and leased at once, 1 or more
	Storage  Quantity // Gi of persistent storage that are there beside the units, for all of them
	PerMatch Quantity // most units that it enters into one match; 0: all that it has
	Paused   bool     // takes no new matches; its leases live on
	Surplus  *Surplus // units follow what the cluster has over, up to Ceiling; nil: they do not

	// What a unit costs an hour: the price, or the tiers or the expression in
	// its place.
	Price Price
	Tiers Tiers
	Expr  *PriceExpr

	Policies []string // the placement functions that it enters, and with what (offer_policy.go); none: every one

	// Notice is how long before its end a lease that is taken back is told so,
	// at least; 0: leases are not taken back before their end.
	Notice time.Duration

	Allow       []string      // "pool", "any", or peer ids; none: "pool"
	Deny        []string      // peer ids; wins over Allow
	MaxDuration time.Duration // 0: DefaultMaxDuration
	MaxLeases   int           // live leases a requester; 0: DefaultMaxLeases
	MaxMatches  int           // counted matches a requester in MatchWindow; 0: DefaultMaxMatches
}

// What an offer grants to one requester unless it says otherwise. A requester
// that may run m matches can learn about m bits of a provider's free capacity
// (each says whether it is at least q): that is what the match budget bounds.
const (
	DefaultMaxDuration = 30 * 24 * time.Hour
	DefaultMaxLeases   = 128
	DefaultMaxMatches  = 2048
)

// Entries of Offer.Allow that are not peer ids.
const (
	AllowPool = "pool" // members of the pool that the daemon is in
	AllowAny  = "any"
)

const maxListed = 256

var (
	// The default name is a class, hence the equals signs and commas.
	offerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._=,/-]{0,199}$`)
	peerName  = regexp.MustCompile(`^[a-z2-7]{52}$`)
)

// Normalize fills the defaults in and sorts the lists; it changes no meaning.
func (o Offer) Normalize() Offer {
	if o.Name == "" {
		o.Name = o.Unit.String()
	}
	o.Policies = canonicalPolicies(o.Policies)
	if o.Allow = sorted(o.Allow); len(o.Allow) == 0 {
		o.Allow = []string{AllowPool}
	}
	o.Deny = sorted(o.Deny)
	if o.MaxDuration == 0 {
		o.MaxDuration = DefaultMaxDuration
	}
	if o.MaxLeases == 0 {
		o.MaxLeases = DefaultMaxLeases
	}
	if o.MaxMatches == 0 {
		o.MaxMatches = DefaultMaxMatches
	}
	return o
}

func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// Validate checks a normalised offer. The error is a *FieldError of name,
// class, quantity, price, price-tiers, per-match, share, keep, when-free, policy, allow, deny,
// max-duration, reclaim-notice, max-leases, max-matches.
func (o Offer) Validate() error {
	if err := o.Unit.Validate(); err != nil {
		return err
	}
	switch {
	case !offerName.MatchString(o.Name):
		return wrong("name", quote(o.Name)+" must be 1 to 200 letters, digits or any of . _ = , / -", "spare-cpu")
	case o.Ceiling == 0:
		return wrong("quantity", "must be 1 or more (pause an offer that has nothing)", "32")
	case o.MaxLeases < 1:
		return wrong("max-leases", "must be 1 or more", "16")
	case o.MaxMatches < 1:
		return wrong("max-matches", "must be 1 or more", "100")
	case len(o.Policies) > maxListed || len(o.Allow) > maxListed || len(o.Deny) > maxListed:
		return wrong("name", "lists more than 256 policies or peers", "")
	}
	if validDuration(o.MaxDuration) != nil {
		return wrong("max-duration", "must be whole seconds, from a minute to 366 days", "24h")
	}
	if o.Notice != 0 && validDuration(o.Notice) != nil {
		return wrong("reclaim-notice", "must be whole seconds, from a minute to 366 days", "30m")
	}
	if err := o.validAsk(); err != nil {
		return err
	}
	if o.Surplus != nil {
		if err := o.Surplus.validate(o.Unit); err != nil {
			return err
		}
	}
	for _, p := range o.Policies {
		if _, err := readPolicyEntry(p); err != nil {
			return wrong("policy", err.Error(), "'"+DefaultPolicy+";handicap'")
		}
	}
	for _, who := range o.Allow {
		if who != AllowPool && who != AllowAny && !peerName.MatchString(who) {
			return wrong("allow", quote(who)+" is neither pool nor any nor a peer id", AllowPool)
		}
	}
	for _, who := range o.Deny {
		if !peerName.MatchString(who) {
			return wrong("deny", quote(who)+" is not a peer id", strings.Repeat("a", 52))
		}
	}
	size, err := o.Unit.Base().Times(o.Ceiling)
	if err == nil {
		_, err = size.Plus(Resources{Storage.Kind: int64(o.Storage) * Storage.Step})
	}
	if err != nil {
		return wrong("quantity", "times the unit is too large", "32")
	}
	return nil
}

func (o Offer) clone() Offer {
	o.Policies, o.Allow, o.Deny, o.Tiers = slices.Clone(o.Policies), slices.Clone(o.Allow), slices.Clone(o.Deny), slices.Clone(o.Tiers)
	o.Surplus = o.Surplus.clone()
	return o
}

// Announced lists the classes under which the offer is found.
func (o Offer) Announced() []Class { return o.Unit.Announced() }

// Admits says whether the offer takes part in a match that a asks for: it is
// not paused, serves the class, knows the policy, allows the requester and the
// duration. Room and budgets are not looked at.
func (o Offer) Admits(a Ask) bool {
	return !o.Paused && o.Unit.Serves(a.Class) && o.enters(a.Policy) && a.Duration <= o.MaxDuration && o.allows(a)
}

func (o Offer) allows(a Ask) bool {
	peer := peerText(a.Requester)
	if slices.Contains(o.Deny, peer) {
		return false
	}
	return slices.Contains(o.Allow, AllowAny) || a.Member && slices.Contains(o.Allow, AllowPool) || slices.Contains(o.Allow, peer)
}

// LogValue leaves the secrets out.
func (o Offer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("name", o.Name), slog.String("unit", o.Unit.String()), slog.Bool("paused", o.Paused))
}

var peerEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// peerText writes an identity or a lease id as the commands show it: 52
// characters of lower-case base32, no padding (RFC 4648).
func peerText(id [32]byte) string { return strings.ToLower(peerEncoding.EncodeToString(id[:])) }
