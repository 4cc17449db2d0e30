package operator

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A Lease is an object of kind PoolLease; deploy/crds says what the fields mean. Its name is the lease's id.
type Lease struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              LeaseSpec   `json:"spec"`
	Status            LeaseStatus `json:"status,omitzero"`
}

// LeaseSpec is what was agreed and may be seen by whoever sees the namespace's labels, too.
type LeaseSpec struct {
	Class        string `json:"class"`
	Provider     string `json:"provider"`
	Requester    string `json:"requester"`
	Duration     string `json:"duration"`
	Contribution string `json:"contribution,omitempty"`
	Offer        string `json:"offer,omitempty"`
}

// LeaseStatus is where the lease stands. Quantity and price are secrets of the two sides.
type LeaseStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	State              string             `json:"state"`
	Quantity           uint32             `json:"quantity"`
	Price              string             `json:"price"`
	Namespace          string             `json:"namespace,omitempty"`
	Created            string             `json:"created,omitempty"`
	Expires            string             `json:"expires,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// maxEnded is how many leases that are over are shown.
const maxEnded = 50

// States in which a lease is over, as the daemon says them.
func over(state string) bool { return state == "released" || state == "failed" }

// shown picks the leases that have an object: all that live, and the newest of those that are over. leases are newest first.
func shown(leases []control.Lease) []control.Lease {
	var list []control.Lease
	ended := 0
	for _, l := range leases {
		if over(l.State) {
			if ended++; ended > maxEnded {
				continue
			}
		}
		list = append(list, l)
	}
	return list
}

// object is the PoolLease of a lease, but for what the cluster adds.
func object(namespace string, l control.Lease) Lease {
	o := Lease{
		TypeMeta: metav1.TypeMeta{APIVersion: Group + "/" + Version, Kind: "PoolLease"},
		ObjectMeta: metav1.ObjectMeta{Name: l.ID, Namespace: namespace, Labels: map[string]string{
			manifest.LabelProvider: l.Provider, manifest.LabelManagedBy: manifest.ManagedBy,
		}},
		Spec: LeaseSpec{Class: l.Class, Provider: l.Provider, Requester: l.Requester, Duration: l.Duration.String(), Offer: l.Offer},
		Status: LeaseStatus{
			State: l.State, Quantity: l.Quantity, Price: l.Price, Namespace: l.Namespace, Created: l.Created.UTC().Format(time.RFC3339),
		},
	}
	if name, ours := strings.CutPrefix(l.Offer, Prefix); ours {
		o.Spec.Contribution = name
	}
	if l.Expires != nil {
		o.Status.Expires = l.Expires.UTC().Format(time.RFC3339)
	}
	o.Status.Conditions = []metav1.Condition{ready(l), ending(l)}
	return o
}

// ready says whether the tenant can use it.
func ready(l control.Lease) metav1.Condition {
	c := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Pending", Message: "it is " + l.State}
	switch {
	case l.State == "active" || l.State == "provisional":
		c.Status, c.Reason = metav1.ConditionTrue, "Granted"
	case l.State == "expiring":
		c.Reason = "Ending"
	case over(l.State):
		c.Reason = "Over"
	}
	if l.Reason != "" {
		c.Message += ": " + l.Reason
	}
	return c
}

// ending says whether its tenant was told that it ends soon.
func ending(l control.Lease) metav1.Condition {
	c := metav1.Condition{Type: "EndingSoon", Status: metav1.ConditionFalse, Reason: "NoNotice", Message: "its tenant was given no notice"}
	switch l.Notice {
	case "":
	case control.NoticeReclaim:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, "TakenBack", "its tenant was told that it is taken back"
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, "TermEnds", "its tenant was told that its term ends"
	}
	return c
}
