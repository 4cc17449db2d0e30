package market

import (
	"log/slog"
	"regexp"
	"time"
)

// Bounds and defaults of a lease's duration.
const (
	DefaultDuration = time.Hour
	MinDuration     = time.Minute
	MaxDuration     = 366 * 24 * time.Hour
)

// DefaultPolicy is the placement function of a request that names none.
const DefaultPolicy = "lowest-price"

// maxPolicyText bounds the text of a policy.
const maxPolicyText = 128

// A policy is the name of a placement function and its parameters:
// split;winners=4. What they mean is package placement's business.
var (
	policyName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	policyGrammar = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}(;[a-z][a-z0-9-]{0,31}(=[A-Za-z0-9][A-Za-z0-9.,+/-]{0,63})?)*$`)
)

// Request is what a requester wants. Numbers of units and prices are secrets.
type Request struct {
	Class    Class
	Quantity Quantity // 1 or more
	MaxPrice Price    // NoMaximum: any
	Duration time.Duration
	Policy   string // the placement function, with its parameters

	// Secrets that parameters of the policy call for: see package placement.
	Cap       Quantity           // cap: most units from one provider; 0: no bound
	Handicaps map[[32]byte]Price // handicap: added to the price of a provider, by identity, for ranking alone; 0 if it is not there
	Further   []Quantity         // with: what is wanted of each dimension of the policy, in its order
}

// Validate returns a *FieldError of class, quantity, duration or policy.
func (r Request) Validate() error {
	if err := r.Class.Validate(); err != nil {
		return err
	}
	if r.Quantity == 0 {
		return wrong("quantity", "must be 1 or more", "32")
	}
	if err := validDuration(r.Duration); err != nil {
		return err
	}
	return validPolicy(r.Policy)
}

// Ask is the public part of a request, as a provider sees it in an invitation,
// with what the provider knows about who asks.
type Ask struct {
	Requester [32]byte // Ed25519 public key, proven by the connection
	Member    bool     // its membership of the pool was verified
	Class     Class
	Policy    string
	Duration  time.Duration
}

// Validate returns a *FieldError of class, duration or policy. A peer wrote it.
func (a Ask) Validate() error {
	if err := a.Class.Validate(); err != nil {
		return err
	}
	if err := validDuration(a.Duration); err != nil {
		return err
	}
	return validPolicy(a.Policy)
}

func validDuration(d time.Duration) error {
	switch {
	case d < MinDuration:
		return wrong("duration", "must be a minute or more", "1h")
	case d > MaxDuration:
		return wrong("duration", "must be 366 days or less", "1h")
	case d%time.Second != 0:
		return wrong("duration", "must be whole seconds", "1h")
	}
	return nil
}

func validPolicy(text string) error {
	if len(text) > maxPolicyText || !policyGrammar.MatchString(text) {
		return wrong("policy", quote(text)+" is not a placement function", DefaultPolicy)
	}
	return nil
}

// LogValue leaves the secrets out.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("class", r.Class.String()), slog.String("policy", r.Policy), slog.Duration("duration", r.Duration))
}
