package k8s

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

// A cluster that caps the life of tokens grants what it grants: the grant says until when, and a fresh token can be had.
func TestTokenLifeIsCapped(t *testing.T) {
	t.Parallel()
	cfg, err := clientcmd.BuildConfigFromFlags("", k8stest.Launch(t, "--apiserver-flag", "--service-account-max-token-expiration=1h"))
	if err != nil {
		t.Fatal(err)
	}
	c, spec, ctx := clusterAs(t, cfg), leaseOf(t, ""), testContext(t)
	spec.Expires = time.Now().Add(100 * time.Hour)
	grant, _ := provision(t, c, spec)
	token, expires, err := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires)
	if err != nil {
		t.Fatal(err)
	}
	for what, until := range map[string]time.Time{"granted": grant.Expires, "fresh": expires} {
		if left := time.Until(until); left > time.Hour || left < time.Hour-patience {
			t.Errorf("the %s token lives for %v", what, left)
		}
	}
	grant.Token, grant.Expires = token, expires
	if _, err = tenantOf(t, grant).CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
}
