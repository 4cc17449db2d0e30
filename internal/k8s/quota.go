package k8s

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

const errUnbound = notYet("the cluster has not taken the quota into account yet")

// awaitQuotas waits until every quota binds: until its status, which is what admission goes by, repeats what we asked for.
// Before that, pods are admitted without being counted.
func (c *Cluster) awaitQuotas(ctx context.Context, namespace string, want map[string]corev1.ResourceList) error {
	err := retry(ctx, func(ctx context.Context) error {
		// A watch without a resource version starts with all that is there.
		events, err := c.set.CoreV1().ResourceQuotas(namespace).Watch(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		defer events.Stop()
		missing := map[string]bool{}
		for name := range want {
			missing[name] = true
		}
		for event := range events.ResultChan() {
			if event.Type == watch.Error {
				return apierrors.FromObject(event.Object)
			}
			if quota, ok := event.Object.(*corev1.ResourceQuota); ok && binds(quota, want[quota.Name]) {
				delete(missing, quota.Name)
			}
			if len(missing) == 0 {
				return nil
			}
		}
		return errUnbound
	})
	if err != nil {
		return fmt.Errorf("wait for the quota: %w", err)
	}
	return nil
}

// binds reports whether a quota limits exactly what is wanted, and whether its status has caught up.
func binds(quota *corev1.ResourceQuota, want corev1.ResourceList) bool {
	return equal(quota.Spec.Hard, want) && equal(quota.Status.Hard, want)
}

func equal(a, b corev1.ResourceList) bool {
	if len(a) != len(b) {
		return false
	}
	for name, quantity := range a {
		other, ok := b[name]
		if !ok || quantity.Cmp(other) != 0 {
			return false
		}
	}
	return true
}
