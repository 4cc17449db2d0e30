package operator

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// show makes the PoolLeases of this provider what its leases are.
func (o *Operator) show(ctx context.Context, leases []control.Lease) error {
	there := map[string]Lease{}
	_, err := o.objects.list(ctx, poolLeases, labels.Set{manifest.LabelProvider: o.cfg.Provider}, func(raw json.RawMessage) error {
		var l Lease
		if err := json.Unmarshal(raw, &l); err == nil || l.Name != "" {
			there[l.Name] = l
		}
		return nil
	})
	if err != nil {
		return err
	}
	var faults []error
	written := map[string]Lease{}
	for _, l := range shown(leases) {
		want := object(o.cfg.Namespace, l)
		if err := o.write(ctx, want, there[l.ID]); err != nil {
			faults = append(faults, err)
			continue
		}
		written[l.ID] = want
		delete(there, l.ID)
	}
	if len(faults) == 0 {
		for name := range there {
			faults = append(faults, o.objects.delete(ctx, poolLeases, name))
		}
	}
	o.leases = written
	return errors.Join(faults...)
}

// write writes one PoolLease, if it is not there as it should be.
func (o *Operator) write(ctx context.Context, want, there Lease) error {
	fresh := there.Name == ""
	if fresh || !reflect.DeepEqual(want.Spec, there.Spec) {
		body := map[string]any{
			"apiVersion": want.APIVersion, "kind": want.Kind, "spec": want.Spec,
			"metadata": map[string]any{"name": want.Name, "namespace": want.Namespace, "labels": want.Labels},
		}
		if err := o.objects.apply(ctx, poolLeases, want.Name, body); err != nil {
			return err
		}
	}
	status := want.Status
	status.ObservedGeneration = max(1, there.Generation)
	now := metav1.NewTime(o.cfg.Now().UTC().Truncate(1e9))
	status.Conditions = nil
	for _, condition := range want.Status.Conditions {
		condition.LastTransitionTime, condition.ObservedGeneration = now, status.ObservedGeneration
		for _, before := range there.Status.Conditions {
			if before.Type == condition.Type && before.Status == condition.Status {
				condition.LastTransitionTime = metav1.NewTime(before.LastTransitionTime.UTC())
			}
		}
		status.Conditions = append(status.Conditions, condition)
	}
	if !fresh && reflect.DeepEqual(status, there.Status.normal()) {
		return nil
	}
	return o.objects.apply(ctx, poolLeases, want.Name, map[string]any{
		"apiVersion": want.APIVersion, "kind": want.Kind, "metadata": map[string]any{"name": want.Name, "namespace": want.Namespace}, "status": status,
	}, "status")
}

// normal makes a status that was read comparable.
func (s LeaseStatus) normal() LeaseStatus {
	s.Conditions = append([]metav1.Condition(nil), s.Conditions...)
	for i := range s.Conditions {
		s.Conditions[i].LastTransitionTime = metav1.NewTime(s.Conditions[i].LastTransitionTime.UTC())
	}
	return s
}
