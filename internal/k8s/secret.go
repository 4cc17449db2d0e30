package k8s

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// An Acquired is a lease of somebody else's cluster, kept as a Secret in this one.
type Acquired struct {
	LeaseID    string
	Expires    string // RFC 3339, for people
	Kubeconfig []byte
}

// labelAcquired, on a Secret, says for which lease it is; its provider label is ours, who acquired it.
const labelAcquired = manifest.Domain + "/acquired"

// KubeconfigKey is the key of the kubeconfig in a Secret of an acquired lease.
const KubeconfigKey = "kubeconfig"

// PutAcquired writes the Secret of an acquired lease: angler- and the first 20 letters of its id, in a namespace.
func (c *Cluster) PutAcquired(ctx context.Context, namespace, provider string, a Acquired) error {
	secret := corev1ac.Secret(manifest.NamespaceFor(a.LeaseID), namespace).WithType(corev1.SecretTypeOpaque).
		WithLabels(map[string]string{labelAcquired: a.LeaseID, manifest.LabelProvider: provider, manifest.LabelManagedBy: manifest.ManagedBy}).
		WithAnnotations(map[string]string{manifest.AnnotationExpires: a.Expires}).
		WithData(map[string][]byte{KubeconfigKey: a.Kubeconfig})
	err := Retry(ctx, func(ctx context.Context) error {
		_, err := c.set.CoreV1().Secrets(namespace).Apply(ctx, secret, metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
		return err
	})
	if err != nil {
		return fmt.Errorf("store lease %.10s as a secret in namespace %s: %w", a.LeaseID, namespace, err)
	}
	return nil
}

// AcquiredLeases lists the leases that have a Secret of ours in a namespace: by id, when the Secret says that they expire.
func (c *Cluster) AcquiredLeases(ctx context.Context, namespace, provider string) (map[string]string, error) {
	var leases map[string]string
	err := Retry(ctx, func(ctx context.Context) error {
		list, err := c.set.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{
			LabelSelector: labelAcquired + "," + labels.SelectorFromSet(labels.Set{manifest.LabelProvider: provider}).String(),
		})
		if err != nil {
			return err
		}
		leases = map[string]string{}
		for _, s := range list.Items {
			leases[s.Labels[labelAcquired]] = s.Annotations[manifest.AnnotationExpires]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list acquired leases in namespace %s: %w", namespace, err)
	}
	return leases, nil
}

// DropAcquired deletes the Secret of a lease; that there is none is no error.
func (c *Cluster) DropAcquired(ctx context.Context, namespace, leaseID string) error {
	err := Retry(ctx, func(ctx context.Context) error {
		return c.set.CoreV1().Secrets(namespace).Delete(ctx, manifest.NamespaceFor(leaseID), metav1.DeleteOptions{})
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("drop the secret of lease %.10s: %w", leaseID, err)
	}
	return nil
}
