package k8s

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var (
	// ErrNoCluster means that there is no configuration for a cluster, or that nothing answers where it points.
	ErrNoCluster = errors.New("no cluster")
	// ErrUnreached means that the API server has not answered for a while; nothing was asked of it yet.
	ErrUnreached = errors.New("the API server does not answer")
	// ErrForbidden means that the cluster does not let this identity do it, or does not know this identity.
	ErrForbidden = errors.New("the cluster refuses")
	// ErrForeign means that a namespace of that name is there and not this lease's. It has not been touched.
	ErrForeign = errors.New("the namespace is somebody else's")
	// ErrExpired means that the lease, or the credential of a grant, has ended.
	ErrExpired = errors.New("expired")
	// ErrNoLease means that a lease has no namespace here, or that it is being deleted.
	ErrNoLease = errors.New("no such lease in the cluster")
	// ErrUnenforced means that the cluster would let a tenant have another model of GPU than the one that was leased.
	ErrUnenforced = errors.New("nothing in the cluster holds pods to the leased GPU model")
	// ErrHostile means that an API server does what none would do: somebody has put up something else in its place.
	ErrHostile = errors.New("not an API server's doing")
	// ErrGrant means that a peer's grant is not one that can be used safely.
	ErrGrant = errors.New("unusable grant")
)

// A ProvisionError says why there is no grant, and what became of what had been made.
type ProvisionError struct {
	Namespace string
	Err       error  // what failed; errors.Is finds ErrForbidden, ErrForeign, the context's error, …
	Undone    string // what has been taken back, in words; "" if there was nothing to take back
	Left      error  // why something may be left behind; nil if nothing is
}

func (e *ProvisionError) Error() string {
	text := fmt.Sprintf("provision namespace %s: %v", e.Namespace, e.Err)
	if e.Undone != "" {
		text += "; undone: " + e.Undone
	}
	if e.Left != nil {
		text += "; left behind: " + e.Left.Error()
	}
	return text
}

func (e *ProvisionError) Unwrap() error { return e.Err }

// refused adds ErrForbidden to what an API server answered to somebody who may not.
func refused(err error) error {
	if apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) && !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	return err
}
