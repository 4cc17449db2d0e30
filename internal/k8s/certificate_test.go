package k8s

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A provider with the documented roles and no more grants a client certificate: the tenant works with it as with a token,
// may ask for another, and has no rights any more when the lease is released.
func TestCertificateGrant(t *testing.T) {
	t.Parallel()
	role := manifest.ProviderClusterRole()
	role.WithRules(pointers(manifest.ProviderCertificateClusterRole().Rules)...)
	c, ctx, spec := clusterAs(t, identity(t, "certifies", role)), testContext(t), leaseOf(t, "")
	spec.House.Certificates = true
	grant, tenant := provision(t, c, spec)
	if grant.Token != "" || len(grant.Certificate) == 0 {
		t.Fatalf("%+v", grant)
	}
	if off := grant.Expires.Sub(spec.Expires); off > 5*time.Second || off < -patience-5*time.Minute {
		t.Errorf("the certificate is off by %v", off)
	}
	if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
		t.Error(err)
	}
	if err := start(t, tenant, grant.Namespace, pod("over", "2", "1Gi")); !apierrors.IsForbidden(err) {
		t.Errorf("over the quota: %v", err)
	}
	if err := start(t, tenant, "default", pod("p", "1", "1Gi")); !apierrors.IsForbidden(err) {
		t.Errorf("elsewhere: %v", err)
	}
	again := grant
	var err error
	if again.Certificate, again.Key, again.Expires, err = c.Certificate(ctx, spec.Provider, spec.LeaseID, spec.Expires); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(again.Key, grant.Key) {
		t.Error("the same key")
	}
	if _, err = tenantOf(t, again).CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("with the second: %v", err)
	}
	requests, err := clientFor(t, adminConfig(t)).CertificatesV1().CertificateSigningRequests().List(ctx, metav1.ListOptions{LabelSelector: manifest.LabelLease + "=" + spec.LeaseID})
	if err != nil || len(requests.Items) > 0 {
		t.Errorf("requests left behind: %v, %v", requests, err)
	}
	long := spec
	long.Expires = time.Now().AddDate(0, 1, 0)
	if _, _, expires, askErr := c.Certificate(ctx, long.Provider, long.LeaseID, long.Expires); askErr != nil || time.Until(expires) > 25*time.Hour {
		t.Errorf("a certificate for a month: until %v, %v", expires, askErr)
	}
	if err = c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the certificate's rights end with the lease", func() bool {
		_, err = tenant.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{})
		return apierrors.IsForbidden(err)
	})
	if _, _, _, err = c.Certificate(ctx, spec.Provider, spec.LeaseID, spec.Expires); !errors.Is(err, ErrNoLease) {
		t.Errorf("of a lease that is over: %v", err)
	}
}

// Without the rights for certificates there is no grant, and nothing left.
func TestCertificateRefused(t *testing.T) {
	t.Parallel()
	c, spec := clusterAs(t, identity(t, "certifies-not", manifest.ProviderClusterRole())), leaseOf(t, "")
	spec.House.Certificates = true
	_, err := c.Provision(testContext(t), spec)
	var failure *ProvisionError
	if !errors.Is(err, ErrForbidden) || !errors.As(err, &failure) || failure.Left != nil || !strings.Contains(err.Error(), "certificatesigningrequests") {
		t.Errorf("%v", err)
	}
	assertGone(testContext(t), t, spec)
}
