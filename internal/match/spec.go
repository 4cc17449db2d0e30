package match

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
)

// ErrNotProvisionable says that a class cannot be turned into a namespace of this
// cluster: a quota cannot tell GPU models apart, so the operator has to say how
// the cluster knows the model.
var ErrNotProvisionable = errors.New("no such GPU can be leased here: its model is not in 'angler serve --gpu-map'")

// Provisionable says whether leases of a class can be made into namespaces of a
// house.
func Provisionable(c market.Class, house manifest.House) error {
	if _, known := house.GPUs[c.GPU]; c.GPU != "" && !known {
		return ErrNotProvisionable
	}
	return nil
}

// specOf says what a lease is in the cluster. Nothing in the cluster may end
// before the lease does, which begins when it is granted, while its credential
// is made before that.
func specOf(l market.Lease, provider identity.PeerID, house manifest.House) (manifest.Spec, error) {
	if err := Provisionable(l.Class, house); err != nil {
		return manifest.Spec{}, err
	}
	units := int64(l.Quantity)
	quota := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(l.Class.CPU*units, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(l.Class.Memory*units, resource.BinarySI),
	}
	all, err := l.Resources()
	if err != nil {
		return manifest.Spec{}, err
	}
	if storage := all[market.KindStorage]; storage > 0 { // of the units and beside them
		quota[manifest.ResourceStorage] = *resource.NewQuantity(storage, resource.BinarySI)
	}
	spec := manifest.Spec{
		LeaseID: l.ID.String(), Provider: provider.String(), Requester: identity.PeerID(l.Requester).String(),
		Quota: quota, Expires: l.Expires.Add(provisionWithin), Class: l.Class.String(), House: house,
	}
	if l.Class.GPU != "" {
		gpu := house.GPUs[l.Class.GPU]
		quota[gpu.Resource] = *resource.NewQuantity(l.Class.GPUs*units, resource.DecimalSI)
		spec.GPU = &gpu
	}
	return spec, nil
}
