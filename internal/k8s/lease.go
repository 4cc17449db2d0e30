package k8s

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// living returns the namespace of a lease that lives. The error is ErrNoLease if there is none or it is being deleted, and
// ErrForeign if two carry its ids, which only somebody else can have brought about.
func (c *Cluster) living(ctx context.Context, provider, leaseID string) (*corev1.Namespace, error) {
	selector, err := leaseSelector(provider, leaseID)
	if err != nil {
		return nil, err
	}
	var found *corev1.Namespace
	err = retry(ctx, func(ctx context.Context) error {
		found = nil
		return c.eachNamespace(ctx, selector, func(there *corev1.Namespace) error {
			switch {
			case there.DeletionTimestamp != nil:
			case found != nil:
				return fmt.Errorf("%w: %s and %s carry the ids of one lease", ErrForeign, found.Name, there.Name)
			default:
				found = there
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return nil, refused(err)
	case found == nil:
		return nil, fmt.Errorf("%w: %s", ErrNoLease, leaseID)
	}
	return found, nil
}
