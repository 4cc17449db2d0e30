package k8s

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"flag"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

func TestMain(m *testing.M) {
	// These tests wait for the cluster, they do not compute: let them wait side by side whatever the number of cores.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	k8stest.Main(m)
}

// patience bounds what a test waits for on a busy machine; nothing is expected to take it.
const patience = 90 * time.Second

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// adminConfig is the client configuration of the cluster's administrator.
func adminConfig(t testing.TB) *rest.Config {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", k8stest.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	return cfg
}

func clientFor(t *testing.T, cfg *rest.Config) *kubernetes.Clientset {
	t.Helper()
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// testCluster opens the package's cluster as its administrator. wrap, if not nil, sees every request.
func testCluster(t testing.TB, wrap func(http.RoundTripper) http.RoundTripper) *Cluster {
	t.Helper()
	c, err := open(adminConfig(t), Config{Now: time.Now, Rand: rand.Reader}, wrap)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// id returns an id of the form of peer and lease ids, a different one for each text.
func id(text string) string {
	sum := sha256.Sum256([]byte(text))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
}

// leaseOf returns the spec of a lease of two cpus and two gibibytes; name makes it the test's own.
func leaseOf(t testing.TB, name string) manifest.Spec {
	return manifest.Spec{
		LeaseID:   id(t.Name() + "/" + name),
		Provider:  id("provider of " + t.Name()),
		Requester: id("requester"),
		Quota: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("2"),
			corev1.ResourceMemory: resource.MustParse("2Gi"),
		},
		Expires: time.Now().Add(time.Hour),
	}
}

// provision provisions spec and returns the grant and a client that has nothing but the grant's kubeconfig.
func provision(t *testing.T, c *Cluster, spec manifest.Spec) (Grant, *kubernetes.Clientset) {
	t.Helper()
	grant, err := c.Provision(testContext(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	return grant, tenantOf(t, grant)
}

func tenantOf(t *testing.T, grant Grant) *kubernetes.Clientset {
	t.Helper()
	if err := grant.Validate(time.Now()); err != nil {
		t.Fatal(err)
	}
	text, err := grant.Kubeconfig("lease")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	cfg.WarningHandlerWithContext = rest.NoWarnings{}
	return clientFor(t, cfg)
}
