package k8s

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// The first thing that each of forty tenants does with its grant is to ask for too much. Without trying a grant before it
// leaves, about one in six of these goes wrong on a busy machine: the pod is admitted, or the tenant not known yet.
func TestQuotaBindsBeforeTheGrantLeaves(t *testing.T) {
	t.Parallel()
	c := testCluster(t, nil)
	ctx := testContext(t)
	var tenants errgroup.Group
	tenants.SetLimit(4)
	for i := range 40 {
		tenants.Go(func() error {
			grant, err := c.Provision(ctx, leaseOf(t, fmt.Sprint(i)))
			if err != nil {
				return err
			}
			err = start(t, tenantOf(t, grant), grant.Namespace, pod("over", "3", "1Gi"))
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota: angler") {
				return fmt.Errorf("tenant %d: a pod over the quota: %w", i, err)
			}
			return nil
		})
	}
	if err := tenants.Wait(); err != nil {
		t.Error(err)
	}
}
