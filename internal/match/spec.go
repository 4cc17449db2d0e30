package match

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
)

// ErrNotProvisionable says that a class cannot be turned into a namespace: a
// quota cannot tell GPU models apart, so a unit with a GPU could not be held to
// what was agreed.
var ErrNotProvisionable = errors.New("classes with GPUs cannot be provisioned yet")

// Provisionable says whether leases of a class can be made into namespaces.
func Provisionable(c market.Class) error {
	if c.GPU != "" {
		return ErrNotProvisionable
	}
	return nil
}

// specOf says what a lease is in the cluster. Nothing in the cluster may end
// before the lease does, which begins when it is granted, while its credential
// is made before that.
func specOf(l market.Lease, provider identity.PeerID) (manifest.Spec, error) {
	if err := Provisionable(l.Class); err != nil {
		return manifest.Spec{}, err
	}
	units := int64(l.Quantity)
	quota := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(l.Class.CPU*units, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(l.Class.Memory*units, resource.BinarySI),
	}
	if l.Class.Storage > 0 {
		quota[manifest.ResourceStorage] = *resource.NewQuantity(l.Class.Storage*units, resource.BinarySI)
	}
	return manifest.Spec{
		LeaseID: l.ID.String(), Provider: provider.String(), Requester: identity.PeerID(l.Requester).String(),
		Quota: quota, Expires: l.Expires.Add(provisionWithin),
	}, nil
}
