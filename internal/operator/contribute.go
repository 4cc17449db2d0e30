package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/control"
)

// outcome is what became of a contribution.
type outcome struct {
	offer  *control.Offer // as the daemon has it; nil: none
	reason string         // why there is none
	err    error
}

// contribute makes the offers what the contributions say.
func (o *Operator) contribute(ctx context.Context, leases []control.Lease) (version string, err error) {
	var list []Contribution
	version, err = o.objects.list(ctx, contributions, nil, func(raw json.RawMessage) error {
		var c Contribution
		if json.Unmarshal(raw, &c) != nil {
			c.Spec = ContributionSpec{} // of another version of ours: what can be read of it is its name
		}
		if c.DeletionTimestamp == nil {
			list = append(list, c)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	slices.SortFunc(list, func(a, b Contribution) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	offers, err := o.cfg.Daemon.Offers(ctx)
	if err != nil {
		return "", err
	}
	have := map[string]control.Offer{}
	for _, offer := range offers {
		if name, ours := strings.CutPrefix(offer.Name, Prefix); ours {
			have[name] = offer
		}
	}
	var faults []error
	came, where := map[string]outcome{}, ""
	for _, c := range list {
		out := o.reconcile(ctx, c, have, &where)
		if out.err != nil && out.reason == reasonUnavailable {
			faults = append(faults, out.err)
		}
		came[c.Name] = out
	}
	for name := range have {
		if came[name].offer != nil {
			continue
		}
		delete(o.put, name)
		if err := o.cfg.Daemon.RemoveOffer(ctx, offerName(name)); err != nil && !errors.Is(err, control.ErrNotFound) {
			faults = append(faults, err)
			continue
		}
		o.cfg.Log.Info("offer removed", "offer", offerName(name))
	}
	for _, c := range list {
		faults = append(faults, o.report(ctx, c, came[c.Name], leases))
	}
	return version, errors.Join(faults...)
}

// Reasons of the condition Accepted.
const (
	reasonOffered     = "Offered"
	reasonInvalid     = "Invalid"
	reasonElsewhere   = "Elsewhere"
	reasonUnavailable = "Unavailable"
)

// reconcile puts the offer of one contribution, if it is not what the daemon has.
func (o *Operator) reconcile(ctx context.Context, c Contribution, have map[string]control.Offer, where *string) outcome {
	want, err := c.Spec.offer(c.Name)
	if err != nil {
		return outcome{reason: reasonInvalid, err: err}
	}
	if at := c.Spec.Location; at != "" {
		if *where != "" && at != *where {
			return outcome{reason: reasonElsewhere, err: errors.New("spec.location: another contribution, which is older, says " + *where)}
		}
		if err = o.cfg.Locate(at); err != nil {
			return outcome{reason: reasonElsewhere, err: err}
		}
		*where = at
	}
	there, known := have[c.Name]
	if last, ok := o.put[c.Name]; ok && known && reflect.DeepEqual(last.asked, want) && reflect.DeepEqual(last.got, settled(there)) {
		return outcome{offer: &there, reason: reasonOffered}
	}
	got, err := o.cfg.Daemon.PutOffer(ctx, want)
	switch {
	case errors.Is(err, control.ErrInvalid):
		return outcome{reason: reasonInvalid, err: errors.New(inSpec(err.Error()))}
	case err != nil:
		return outcome{reason: reasonUnavailable, err: err}
	}
	o.put[c.Name] = putOffer{asked: want, got: settled(got)}
	o.cfg.Log.Info("offer put", "offer", got.Name)
	return outcome{offer: &got, reason: reasonOffered}
}

// settled is an offer without what changes by itself.
func settled(o control.Offer) control.Offer {
	o.Fault, o.Announced = "", nil
	if o.Surplus != nil {
		s := *o.Surplus
		s.Now = nil
		o.Surplus = &s
	}
	return o
}

// report writes the status of a contribution, if it is not what it says.
func (o *Operator) report(ctx context.Context, c Contribution, out outcome, leases []control.Lease) error {
	status := ContributionStatus{ObservedGeneration: c.Generation}
	accepted := metav1.Condition{Type: "Accepted", Status: metav1.ConditionTrue, Reason: out.reason, Message: "the daemon has the offer"}
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Open", Message: "it takes part in matches"}
	for _, l := range leases {
		if l.Offer == offerName(c.Name) && !over(l.State) {
			status.Leases++
		}
	}
	if out.offer == nil {
		accepted.Status, accepted.Message = metav1.ConditionFalse, out.err.Error()
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, out.reason, "nothing is offered"
	} else {
		status.Offer, status.Announced = out.offer.Name, len(out.offer.Announced)
		units := units(*out.offer, leases)
		status.Units = &units
		switch {
		case out.offer.Paused:
			ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, "Paused", "spec.paused is true"
		case out.offer.Fault != "":
			ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, "EntersNothing", out.offer.Fault
		case units == 0:
			ready.Reason, ready.Message = "Full", "it takes part in matches and enters nothing: nothing is free"
		}
	}
	for _, condition := range []metav1.Condition{accepted, ready} {
		status.Conditions = append(status.Conditions, o.since(condition, c))
	}
	if reflect.DeepEqual(normal(status), normal(c.Status)) {
		return nil
	}
	return o.objects.apply(ctx, contributions, c.Name, map[string]any{
		"apiVersion": Group + "/" + Version, "kind": "PoolContribution", "metadata": map[string]any{"name": c.Name, "namespace": c.Namespace}, "status": status,
	}, "status")
}

// units is what an offer would enter now at most: its ceiling less what is leased under it, or what the cluster has over.
func units(o control.Offer, leases []control.Lease) uint32 {
	left := o.Ceiling
	for _, l := range leases {
		if l.Offer == o.Name && !over(l.State) {
			left -= min(left, l.Quantity)
		}
	}
	switch {
	case o.Paused || o.Fault != "":
		return 0
	case o.Surplus == nil:
		return left
	case o.Surplus.Now == nil:
		return 0
	}
	return min(left, *o.Surplus.Now)
}

// since completes a condition: the time of its last transition is kept if its status is.
func (o *Operator) since(condition metav1.Condition, c Contribution) metav1.Condition {
	condition.ObservedGeneration = c.Generation
	condition.LastTransitionTime = metav1.NewTime(o.cfg.Now().UTC().Truncate(1e9))
	for _, before := range c.Status.Conditions {
		if before.Type == condition.Type && before.Status == condition.Status {
			condition.LastTransitionTime = metav1.NewTime(before.LastTransitionTime.UTC())
		}
	}
	return condition
}

// normal makes statuses comparable: times in one zone, conditions in one order.
func normal(s ContributionStatus) ContributionStatus {
	s.Conditions = slices.Clone(s.Conditions)
	for i := range s.Conditions {
		s.Conditions[i].LastTransitionTime = metav1.NewTime(s.Conditions[i].LastTransitionTime.UTC())
	}
	slices.SortFunc(s.Conditions, func(a, b metav1.Condition) int { return cmp.Compare(a.Type, b.Type) })
	return s
}
