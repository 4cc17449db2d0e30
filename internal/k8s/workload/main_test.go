package workload

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

func TestMain(m *testing.M) { k8stest.Main(m, "--nodes", "1", "--workloads") }

// patience bounds what a test waits for on a busy machine; nothing is expected to take it.
const patience = 90 * time.Second

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// lease grants two cpus and two gibibytes of the package's cluster and opens them as their tenant would.
func lease(t *testing.T) *Target {
	t.Helper()
	text, err := grantOf(t, k8stest.Start(t)).Kubeconfig("lease")
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(text, "")
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// grantOf provisions a lease of the test's in a cluster.
func grantOf(t *testing.T, kubeconfig string) k8s.Grant {
	t.Helper()
	c, err := k8s.Open(k8s.Config{Kubeconfig: kubeconfig, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	id := sha256.Sum256([]byte(t.Name()))
	grant, err := c.Provision(testContext(t), manifest.Spec{
		LeaseID: hex.EncodeToString(id[:16]), Provider: "provider", Requester: "requester", Expires: time.Now().Add(time.Hour),
		Quota: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("2Gi")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

func parsed(t *testing.T, text string) *Manifest {
	t.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// container is one that the restricted Pod Security level admits, in a pod with secure.
const (
	secure    = `securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}`
	container = `{name: main, image: none, command: [say, it], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}`
)

// job returns a Job whose one pod carries the annotations.
func job(name, annotations string) string {
	return `apiVersion: batch/v1
kind: Job
metadata: {name: ` + name + `}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {` + annotations + `}}
    spec:
      restartPolicy: Never
      ` + secure + `
      containers: [` + container + `]
---
`
}

// deployment returns a Deployment of n pods.
func deployment(name, n string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ` + name + `}
spec:
  replicas: ` + n + `
  selector: {matchLabels: {app: ` + name + `}}
  template:
    metadata: {labels: {app: ` + name + `}}
    spec:
      ` + secure + `
      containers: [` + container + `]
---
`
}
