package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// An Object is one manifest and where it is applied.
type Object struct {
	schema.GroupVersionResource
	Kind      string
	Namespace string // empty for the namespace itself
	Name      string
	Config    any // an applyconfiguration
}

// String names the object as kubectl does: resource/name.
func (o Object) String() string { return o.Resource + "/" + o.Name }

// Collection returns the API path of the object's siblings, Path that of the object itself.
func (o Object) Collection() string {
	path := "/apis/" + o.Group + "/" + o.Version
	if o.Group == "" {
		path = "/api/" + o.Version
	}
	if o.Namespace != "" {
		path += "/namespaces/" + o.Namespace
	}
	return path + "/" + o.Resource
}

// Path returns the API path of the object.
func (o Object) Path() string { return o.Collection() + "/" + o.Name }

// JSON returns the manifest in canonical form: keys sorted, no spaces.
func (o Object) JSON() ([]byte, error) {
	loose, err := json.Marshal(o.Config)
	if err != nil {
		return nil, fmt.Errorf("manifest: %s: %w", o, err)
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(loose))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("manifest: %s: %w", o, err)
	}
	return json.Marshal(tree)
}

// A Plan is the set of objects of one lease, grouped by what must exist before what.
type Plan struct {
	Namespace Object   // first
	Objects   []Object // independent of each other
	Last      []Object // what needs those: a binding to a role that is not there is refused to whoever may not bind
}

// All returns every object in an order in which they can be applied one by one.
func (p Plan) All() []Object {
	return slices.Concat([]Object{p.Namespace}, p.Objects, p.Last)
}

// Quotas returns, by name, what each ResourceQuota of the plan limits.
func (p Plan) Quotas() map[string]corev1.ResourceList {
	quotas := map[string]corev1.ResourceList{}
	for _, o := range p.Objects {
		if q, ok := o.Config.(*corev1ac.ResourceQuotaApplyConfiguration); ok {
			quotas[o.Name] = *q.Spec.Hard
		}
	}
	return quotas
}

// Objects returns the plan of a lease. The error says what about the spec cannot be written down.
func Objects(s Spec) (Plan, error) {
	if err := s.validate(); err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Namespace: namespace(s),
		Objects: []Object{
			resourceQuota(s), priorityQuota(s), limitRange(s),
			denyAll(s), allow(s),
			tenantAccount(s), defaultAccount(s), SecretForTokens(s), role(s),
		},
		Last: []Object{roleBinding(s)},
	}
	if s.House.Template != nil {
		if err := plan.extend(s.House.Template, s); err != nil {
			return Plan{}, err
		}
	}
	return plan, nil
}

// Hash returns the SHA-256 of all manifests of a lease: what provider and requester sign for. It is taken over the domain
// string "angler/1 manifest" and, for each object in the order of All, the API path and the canonical JSON, each with an
// 8-byte big-endian length in front.
func Hash(s Spec) ([32]byte, error) {
	plan, err := Objects(s)
	if err != nil {
		return [32]byte{}, err
	}
	h := sha256.New()
	h.Write([]byte("angler/1 manifest"))
	for _, o := range plan.All() {
		canonical, err := o.JSON()
		if err != nil {
			return [32]byte{}, err
		}
		writeCounted(h, []byte(o.Path()))
		writeCounted(h, canonical)
	}
	return [32]byte(h.Sum(nil)), nil
}

// writeCounted writes len(b) as 8 big-endian bytes, then b. A hash never fails to write.
func writeCounted(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
	h.Write(b)
}
