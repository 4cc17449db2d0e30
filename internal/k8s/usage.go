package k8s

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// Usage is how much of one limit of a lease is in use, as the cluster itself counts it.
type Usage struct {
	Resource string `json:"resource"` // as the quota names it: limits.cpu, requests.memory, pods, count/jobs.batch, …
	Used     string `json:"used"`     // a Kubernetes quantity in canonical form
	Hard     string `json:"hard"`     // the limit, likewise
}

// Usage returns the usage of every limit of a lease that is not zero, sorted by name. The error is ErrNoLease if the lease
// has no namespace. A cluster counts what pods ask for, not what they consume, and takes a moment to notice that one is gone.
func (c *Cluster) Usage(ctx context.Context, provider, leaseID string) ([]Usage, error) {
	there, err := c.living(ctx, provider, leaseID)
	if err != nil {
		return nil, fmt.Errorf("usage: %w", err)
	}
	var quota *corev1.ResourceQuota
	err = retry(ctx, func(ctx context.Context) (err error) {
		quota, err = c.set.CoreV1().ResourceQuotas(there.Name).Get(ctx, manifest.QuotaName, metav1.GetOptions{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("usage: %w", refused(err))
	}
	return usageOf(quota.Status), nil
}

// usageOf leaves out what is limited to nothing: a list of all that a tenant does not have says little.
func usageOf(status corev1.ResourceQuotaStatus) []Usage {
	list := make([]Usage, 0, len(status.Hard))
	for name, hard := range status.Hard {
		used := status.Used[name]
		if hard.IsZero() && used.IsZero() {
			continue
		}
		list = append(list, Usage{Resource: string(name), Used: used.String(), Hard: hard.String()})
	}
	slices.SortFunc(list, func(a, b Usage) int { return strings.Compare(a.Resource, b.Resource) })
	return list
}
