package deploy_test

import (
	"bufio"
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

var update = flag.Bool("update", false, "write deploy/manifests anew")

// tools is a folder for the program of testdata/helm.
var tools string

func TestMain(m *testing.M) {
	var err error
	if tools, err = os.MkdirTemp("", "angler-helm-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err = os.RemoveAll(tools); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// helm is the program of testdata/helm.
var helm = sync.OnceValues(func() (string, error) {
	path := filepath.Join(tools, "helm")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "testdata", "helm")
	var said bytes.Buffer
	build.Stderr = &said
	err := build.Run()
	if err != nil {
		os.Stderr.Write(said.Bytes())
	}
	return path, err
})

// render renders the chart with values in YAML.
func render(t *testing.T, values string) []byte {
	t.Helper()
	program, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err = os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c := exec.Command(program, filepath.Join("chart", "angler"), "angler", "angler-system", file)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.Bytes())
	}
	return out
}

const everything = `
serve:
  capacity: cpu=64,memory=256Gi
  apiServer: https://k8s.example.org:6443
  advertise: ["198.51.100.7:7400"]
  bootstrap: ["dht.example.org:7401"]
  gpuMap: ["nvidia-h100=nvidia.com/gpu;gpu.product=NVIDIA-H100-80GB-HBM3"]
  certificates: true
  extraArgs: ["--max-matches-each=1"]
template: {configMap: lease-objects}
service: {type: NodePort, annotations: {example.org/pool: outside}}
persistence: {storageClass: fast, size: 2Gi}
podLabels: {team: platform}
podAnnotations: {example.org/scrape: "true"}
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: edge, operator: Exists}]
imagePullSecrets: [{name: registry}]
`

// The plain manifests are the chart with its defaults; the rights stand in a file of their own.
func TestManifests(t *testing.T) {
	rights, rest := new(bytes.Buffer), new(bytes.Buffer)
	rights.WriteString("# Rendered from deploy/chart by a test of this folder: go test ./deploy -update\n" +
		"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: angler-system\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n")
	rest.WriteString("# Rendered from deploy/chart by a test of this folder: go test ./deploy -update\n")
	for _, o := range bytes.Split(render(t, ""), []byte("---\n# Source: angler/templates/")) {
		name, text, some := bytes.Cut(o, []byte("\n"))
		switch {
		case !some:
		case string(name) == "rbac.yaml":
			rights.WriteString("---\n" + strings.TrimSpace(string(text)) + "\n")
		default:
			rest.WriteString("---\n" + strings.TrimSpace(string(text)) + "\n")
		}
	}
	for name, got := range map[string][]byte{"rbac.yaml": rights.Bytes(), "angler.yaml": rest.Bytes()} {
		path := filepath.Join("manifests", name)
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the chart renders (%v): go test ./deploy -update, and look at the difference", path, err)
		}
	}
}

// The kinds in the chart are those of deploy/crds: Helm wants them in a folder of the chart.
func TestKindsOfTheChart(t *testing.T) {
	for _, name := range []string{"poolcontributions.yaml", "poolleases.yaml"} {
		a, err := os.ReadFile(filepath.Join("crds", name))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join("chart", "angler", "crds", name)); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs in the chart (%v)", name, err)
		}
	}
}

// roles reads the rules of all roles in YAML, by name.
func roles(t *testing.T, text []byte) map[string][]rbacv1.PolicyRule {
	t.Helper()
	found := map[string][]rbacv1.PolicyRule{}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if err != nil {
			return found
		}
		var role rbacv1.ClusterRole // a Role has the same rules
		if err := k8syaml.Unmarshal(document, &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind == "ClusterRole" || role.Kind == "Role" {
			found[role.Name] = role.Rules
		}
	}
}

// What the chart grants is what the code needs, no more and no less, and nothing that makes more of itself.
func TestRights(t *testing.T) {
	granted := roles(t, render(t, everything))
	golden := filepath.Join("..", "internal", "k8s", "manifest", "testdata")
	for _, file := range []string{"provider-role.yaml", "provider-role-surplus.yaml", "provider-role-gpu.yaml", "provider-role-certificate.yaml", "operator-role.yaml"} {
		text, err := os.ReadFile(filepath.Join(golden, file))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range roles(t, text) {
			got := granted[name]
			if !slices.EqualFunc(got, want, func(a, b rbacv1.PolicyRule) bool { return a.String() == b.String() }) {
				t.Errorf("role %s of the chart is not that of %s", name, file)
			}
			delete(granted, name)
		}
	}
	if len(granted) > 0 {
		t.Errorf("roles of which the code knows nothing: %v", granted)
	}
	for name, rules := range roles(t, render(t, everything)) {
		for _, rule := range rules {
			for _, word := range slices.Concat(rule.Verbs, rule.Resources, rule.APIGroups, rule.NonResourceURLs) {
				if slices.Contains([]string{"*", "escalate", "bind", "impersonate"}, word) {
					t.Errorf("role %s has %s", name, word)
				}
			}
		}
	}
	if few := roles(t, render(t, "operator: {enabled: false}\nsurplus: {enabled: false}\n")); len(few) != 1 || few["angler-provider"] == nil {
		t.Errorf("without operator and surplus: %v", few)
	}
}

// A cluster takes all of it, and Pod Security at its strictest lets the pod in.
func TestApplied(t *testing.T) {
	kubeconfig := k8stest.Launch(t, "--nodes", "1", "--workloads")
	kubectl := func(args ...string) string {
		t.Helper()
		out, err := k8stest.Kubectl(t, kubeconfig, args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	kubectl("apply", "-f", "crds")
	kubectl("apply", "-f", filepath.Join("manifests", "rbac.yaml"))
	kubectl("apply", "-f", filepath.Join("manifests", "angler.yaml"))
	kubectl("wait", "--for=create", "pod/angler-0", "-n", "angler-system", "--timeout=60s")
	pod := kubectl("get", "pod", "angler-0", "-n", "angler-system", "-o", "jsonpath={.spec.serviceAccountName} {.spec.containers[*].args}")
	if !strings.HasPrefix(pod, "angler ") || !strings.Contains(pod, `"--operator-namespace=angler-system"`) {
		t.Errorf("pod: %s", pod)
	}
	all := filepath.Join(t.TempDir(), "all.yaml")
	if err := os.WriteFile(all, render(t, everything+"hostNetwork: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl("delete", "-f", filepath.Join("manifests", "angler.yaml"))
	kubectl("apply", "-f", all)
	args := kubectl("get", "statefulset", "angler", "-n", "angler-system", "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	for _, want := range []string{"--capacity=cpu=64,memory=256Gi", "--api-server=https://k8s.example.org:6443", "--advertise=198.51.100.7:7400",
		"--bootstrap=dht.example.org:7401", "--gpu-map=nvidia-h100=nvidia.com/gpu;gpu.product=NVIDIA-H100-80GB-HBM3", "--credential=certificate",
		"--template=/etc/angler/template", "--max-matches-each=1"} {
		if !strings.Contains(args, `"`+want+`"`) {
			t.Errorf("no %s in %s", want, args)
		}
	}
	// The account may do what the daemon does, and not more.
	for what, want := range map[string]string{
		"create namespaces": "yes", "list nodes": "yes", "list poolcontributions.angler-dex.github.io -n angler-system": "yes",
		"list poolcontributions.angler-dex.github.io -n default": "no", "delete nodes": "no", "create clusterroles": "no",
		"bind clusterroles": "no", "escalate roles": "no", "impersonate users": "no", "update poolcontributions.angler-dex.github.io -n angler-system": "no",
	} {
		// It exits with 1 when it says no.
		out, _ := k8stest.Kubectl(t, kubeconfig, append([]string{"auth", "can-i", "--as", "system:serviceaccount:angler-system:angler"}, strings.Fields(what)...)...)
		if strings.TrimSpace(out) != want {
			t.Errorf("can it %s? %q, want %s", what, out, want)
		}
	}
}
