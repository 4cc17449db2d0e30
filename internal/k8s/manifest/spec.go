package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Labels and annotations. The prefix is a name that the project controls.
const (
	// LabelProvider and LabelLease, on every object, say whose it is. What lacks them is never changed or deleted.
	LabelProvider = "angler-dex.github.io/provider"
	LabelLease    = "angler-dex.github.io/lease"
	// LabelManagedBy informs; nothing is selected by it.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "angler"
	// AnnotationRequester and AnnotationExpires, on the namespace, tell an operator for whom it is and until when.
	AnnotationRequester = "angler-dex.github.io/requester"
	AnnotationExpires   = "angler-dex.github.io/expires"
	// AnnotationGPU and AnnotationNodes, on the namespace, name the accelerator that was leased and the labels, as
	// LABEL=VALUE with commas between, of the nodes that have the model that was leased.
	AnnotationGPU   = "angler-dex.github.io/gpu"
	AnnotationNodes = "angler-dex.github.io/gpu-nodes"
	// AnnotationExtended, on the namespace, lists the extended resources that were leased, with commas between.
	AnnotationExtended = "angler-dex.github.io/extended"
	// AnnotationNotice, on the namespace, says what is about to happen to the lease, and when.
	AnnotationNotice = "angler-dex.github.io/notice"

	// Domain is the name that the project controls.
	Domain = "angler-dex.github.io"
)

// ResourceStorage is the name under which a Spec's quota holds persistent storage, in bytes over all volume claims.
const ResourceStorage = corev1.ResourceStorage

// classGrammar keeps to letters that mean nothing in YAML, where templates put a class.
var classGrammar = regexp.MustCompile(`^[A-Za-z0-9,=._/-]{0,1000}$`)

// A Spec is what a lease says about its namespace.
type Spec struct {
	LeaseID   string // a label value: at most 63 of A-Z a-z 0-9 - _ .
	Provider  string // peer id, likewise
	Requester string // peer id, likewise
	Namespace string // a DNS label; empty: NamespaceFor(LeaseID)
	// Quota is the leased quantity in base resources: cpu and memory, both above zero, and optionally ephemeral-storage,
	// storage (ResourceStorage), services.loadbalancers and extended resources by full name, such as nvidia.com/gpu.
	Quota   corev1.ResourceList
	Expires time.Time // when the lease ends
	Class   string    // the class in words, for templates; at most 1000 of A-Z a-z 0-9 , = . _ / -; may be empty
	GPU     *GPU      // the model that was leased, whose resource Quota holds; nil: none
	House   House
}

// A House is what an operator decides for all leases of a cluster.
type House struct {
	GPUs         GPUMap    // the models that can be leased
	Template     *Template // objects beside ours; nil: none
	Certificates bool      // a grant holds a client certificate, not a token
}

// NamespaceFor returns the name of a lease's namespace: the same for the same lease, different for different ones (of a
// base32 id it keeps 100 bits).
func NamespaceFor(leaseID string) string {
	const kept = 20
	short := strings.ToLower(leaseID)
	return "angler-" + short[:min(kept, len(short))]
}

// name returns the namespace's name.
func (s Spec) name() string {
	if s.Namespace == "" {
		return NamespaceFor(s.LeaseID)
	}
	return s.Namespace
}

// validate checks that s can be written down in Kubernetes. The error names the field.
func (s Spec) validate() error {
	for field, value := range map[string]string{"lease id": s.LeaseID, "provider": s.Provider, "requester": s.Requester} {
		if value == "" {
			return fmt.Errorf("manifest: no %s", field)
		}
		if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
			return fmt.Errorf("manifest: %s: %s", field, problems[0])
		}
	}
	if problems := validation.IsDNS1123Label(s.name()); len(problems) > 0 {
		return fmt.Errorf("manifest: namespace: %s", problems[0])
	}
	if s.Expires.IsZero() {
		return errors.New("manifest: no expiry")
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if _, ok := s.Quota[name]; !ok {
			return fmt.Errorf("manifest: quota: no %s", name)
		}
	}
	for name, quantity := range s.Quota {
		if quantity.Sign() <= 0 {
			return fmt.Errorf("manifest: quota: %s: not above zero", name)
		}
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage, ResourceStorage:
			continue
		case corev1.ResourceServicesLoadBalancers:
		default:
			if err := checkExtended(name); err != nil {
				return fmt.Errorf("manifest: quota: %w", err)
			}
		}
		if _, whole := quantity.AsInt64(); !whole {
			return fmt.Errorf("manifest: quota: %s: not a whole number", name)
		}
	}
	if !classGrammar.MatchString(s.Class) {
		return errors.New("manifest: class: not at most 1000 of A-Z a-z 0-9 , = . _ / -")
	}
	if s.GPU != nil {
		if err := s.GPU.validate(); err != nil {
			return fmt.Errorf("manifest: gpu: %w", err)
		}
		if _, ok := s.Quota[s.GPU.Resource]; !ok {
			return fmt.Errorf("manifest: gpu: the quota has no %s", s.GPU.Resource)
		}
	}
	return nil
}

// labels returns the labels of every object of the lease.
func (s Spec) labels() map[string]string {
	return map[string]string{LabelProvider: s.Provider, LabelLease: s.LeaseID, LabelManagedBy: ManagedBy}
}
