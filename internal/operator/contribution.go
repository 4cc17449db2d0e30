package operator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
)

// Group and Version are those of both kinds.
const (
	Group   = manifest.Domain
	Version = "v1alpha1"
)

// Prefix is what the names of our offers begin with.
const Prefix = "contribution/"

// A Contribution is an object of kind PoolContribution; deploy/crds says what the fields mean.
type Contribution struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ContributionSpec   `json:"spec"`
	Status            ContributionStatus `json:"status,omitzero"`
}

// ContributionSpec is what is contributed. It holds secrets.
type ContributionSpec struct {
	Unit          UnitSpec     `json:"unit"`
	Location      string       `json:"location,omitempty"`
	Quantity      uint32       `json:"quantity,omitempty"`
	Surplus       *SurplusSpec `json:"surplus,omitempty"`
	Price         string       `json:"price,omitempty"`
	PriceTiers    string       `json:"priceTiers,omitempty"`
	PriceExpr     string       `json:"priceExpr,omitempty"`
	Storage       Amount       `json:"storage,omitempty"`
	PerMatch      uint32       `json:"perMatch,omitempty"`
	Policies      []string     `json:"policies,omitempty"`
	Allow         []string     `json:"allow,omitempty"`
	Deny          []string     `json:"deny,omitempty"`
	MaxDuration   string       `json:"maxDuration,omitempty"`
	ReclaimNotice string       `json:"reclaimNotice,omitempty"`
	MaxLeases     int          `json:"maxLeases,omitempty"`
	MaxMatches    int          `json:"maxMatches,omitempty"`
	Paused        bool         `json:"paused,omitempty"`
}

// UnitSpec is one unit.
type UnitSpec struct {
	CPU      Amount `json:"cpu"`
	Memory   Amount `json:"memory"`
	Arch     string `json:"arch,omitempty"`
	GPU      string `json:"gpu,omitempty"`
	GPUs     int    `json:"gpus,omitempty"`
	Currency string `json:"currency,omitempty"`
}

// SurplusSpec says how much of what a cluster has over.
type SurplusSpec struct {
	Share    string   `json:"share,omitempty"`
	Keep     KeepSpec `json:"keep,omitzero"`
	WhenFree string   `json:"whenFree,omitempty"`
}

// KeepSpec stays free.
type KeepSpec struct {
	CPU    Amount `json:"cpu,omitempty"`
	Memory Amount `json:"memory,omitempty"`
}

// ContributionStatus is what came of it.
type ContributionStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Offer              string             `json:"offer,omitempty"`
	Announced          int                `json:"announced"`
	Units              *uint32            `json:"units,omitempty"`
	Leases             int                `json:"leases"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// An Amount is a Kubernetes quantity, which in YAML may be written as a number.
type Amount string

// UnmarshalJSON takes a string or a number.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(a))
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	*a = Amount(n)
	return nil
}

// offerName is the name of a contribution's offer.
func offerName(contribution string) string { return Prefix + contribution }

// offer is what a contribution says in the daemon's words. The error is a *market.FieldError with the path of the field.
func (s ContributionSpec) offer(name string) (control.Offer, error) {
	o := control.Offer{
		Name: offerName(name), Class: s.Unit.class(), Ceiling: s.Quantity, Price: s.Price, PriceTiers: s.PriceTiers, PriceExpr: s.PriceExpr,
		Storage: string(s.Storage), PerMatch: s.PerMatch, Policies: s.Policies, Allow: s.Allow, Deny: s.Deny,
		MaxLeases: s.MaxLeases, MaxMatches: s.MaxMatches, Paused: s.Paused,
	}
	var err error
	if o.MaxDuration, err = duration("spec.maxDuration", s.MaxDuration); err != nil {
		return o, err
	}
	if o.Notice, err = duration("spec.reclaimNotice", s.ReclaimNotice); err != nil {
		return o, err
	}
	switch {
	case s.Surplus != nil:
		if o.Ceiling == 0 {
			o.Ceiling = uint32(market.MaxQuantity)
		}
		o.Surplus = s.Surplus.control()
	case s.Quantity == 0:
		return o, &market.FieldError{Field: "spec.quantity", Problem: "is missing, and so is spec.surplus", Example: "32"}
	}
	return o, nil
}

func (u UnitSpec) class() string {
	parts := []string{"cpu=" + string(u.CPU), "memory=" + string(u.Memory)}
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+"="+value)
		}
	}
	add("arch", u.Arch)
	add("gpu", u.GPU)
	if u.GPUs > 0 {
		add("gpus", fmt.Sprint(u.GPUs))
	}
	add("currency", u.Currency)
	return strings.Join(parts, ",")
}

func (s SurplusSpec) control() *control.Surplus {
	c := &control.Surplus{Share: s.Share}
	if c.Share == "" {
		c.Share = market.AllOf.String()
	}
	var keep []string
	if s.Keep.CPU != "" {
		keep = append(keep, "cpu="+string(s.Keep.CPU))
	}
	if s.Keep.Memory != "" {
		keep = append(keep, "memory="+string(s.Keep.Memory))
	}
	c.Keep = strings.Join(keep, ",")
	if s.WhenFree != "" {
		c.WhenFree = ">" + strings.TrimPrefix(s.WhenFree, ">")
	}
	return c
}

func duration(field, text string) (control.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, &market.FieldError{Field: field, Problem: "is not a duration", Example: "24h"}
	}
	return control.Duration(d), nil
}

// paths are the fields of a contribution behind those of an offer.
var paths = map[string]string{
	"class": "spec.unit", "quantity": "spec.quantity", "price": "spec.price", "price-tiers": "spec.priceTiers", "price-expr": "spec.priceExpr",
	"per-match": "spec.perMatch", "share": "spec.surplus.share", "keep": "spec.surplus.keep", "when-free": "spec.surplus.whenFree",
	"storage": "spec.storage", "policy": "spec.policies", "allow": "spec.allow", "deny": "spec.deny", "max-duration": "spec.maxDuration",
	"reclaim-notice": "spec.reclaimNotice", "max-leases": "spec.maxLeases", "max-matches": "spec.maxMatches", "name": "metadata.name",
}

// inSpec renames the field with which the words of the daemon begin.
func inSpec(message string) string {
	field, rest, ok := strings.Cut(message, ": ")
	if path, known := paths[field]; ok && known {
		return path + ": " + rest
	}
	return message
}
