package manifest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// Only commit a changed golden file if you understand what changed it.
var update = flag.Bool("update", false, "write the golden files in testdata anew")

func small() Spec {
	return Spec{
		LeaseID:   "mfzwizlooj2gk43uebwgkyltmuqhi2dfebtgs4tt",
		Provider:  "onxw2zjaobzg65tjmrsxeidxnf2gqidbebrwk4tu",
		Requester: "ojsxc5lfon2gk4raorugc5bao5qw45dtebxw4zi",
		Quota:     quotas("cpu=1", "memory=1Gi"),
		Expires:   time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC),
	}
}

func large() Spec {
	s := small()
	s.Namespace = "training"
	s.Quota = quotas("cpu=64", "memory=512Gi", "nvidia.com/gpu=8", "storage=2Ti", "ephemeral-storage=100Gi")
	return s
}

func gpuLease() Spec {
	s := small()
	s.Quota = quotas("cpu=8", "memory=64Gi", "nvidia.com/gpu=2", "services.loadbalancers=1")
	s.GPU = &GPU{Resource: "nvidia.com/gpu", Nodes: map[string]string{"gpu.product": "NVIDIA-H100-80GB-HBM3", "a": "b"}}
	return s
}

func certificateLease() Spec {
	s := small()
	s.House.Certificates = true
	return s
}

func quotas(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for _, pair := range pairs {
		name, amount, _ := strings.Cut(pair, "=")
		list[corev1.ResourceName(name)] = resource.MustParse(amount)
	}
	return list
}

func TestGolden(t *testing.T) {
	for name, spec := range map[string]Spec{"small": small(), "large": large(), "template": templatedLease(t), "gpu": gpuLease(), "certificate": certificateLease()} {
		t.Run(name, func(t *testing.T) {
			plan, err := Objects(spec)
			if err != nil {
				t.Fatal(err)
			}
			hash, err := Hash(spec)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			fmt.Fprintf(&out, "# sha256 %x\n", hash)
			for _, o := range plan.All() {
				text, err := yaml.Marshal(o.Config)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "---\n# %s\n%s", o.Path(), text)
			}
			golden(t, name+".yaml", out.Bytes())
		})
	}
}

// What an operator installs once for a cluster.
func TestGoldenProvider(t *testing.T) {
	for name, objects := range map[string][]any{
		"provider-role.yaml":             {ProviderClusterRole()},
		"provider-role-surplus.yaml":     {SurplusClusterRole()},
		"operator-role.yaml":             {OperatorRole("angler-system")},
		"provider-role-gpu.yaml":         {ProviderGPUClusterRole()},
		"provider-role-certificate.yaml": {ProviderCertificateClusterRole()},
		"gpu-policy.yaml":                configs(GPUPolicy()),
		"gpu-convenience.yaml":           configs(GPUConvenience()),
	} {
		var out []byte
		for i, o := range objects {
			text, err := yaml.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				out = append(out, "---\n"...)
			}
			out = append(out, text...)
		}
		golden(t, name, out)
	}
}

func configs(objects []Object) []any {
	var list []any
	for _, o := range objects {
		list = append(list, o.Config)
	}
	return list
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at the difference after go test ./internal/k8s/manifest -update:\n%s", path, got)
	}
}

// Every object carries both labels by which a lease's objects are recognised, says its own kind and name, and lies in the namespace.
func TestObjectsAreLabelledAndPlaced(t *testing.T) {
	spec := small()
	plan, err := Objects(spec)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, o := range plan.All() {
		text, err := o.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			APIVersion, Kind string
			Metadata         struct {
				Name, Namespace string
				Labels          map[string]string
			}
		}
		if err := yaml.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.Metadata.Labels[LabelLease] != spec.LeaseID || got.Metadata.Labels[LabelProvider] != spec.Provider {
			t.Errorf("%s: labels %v", o, got.Metadata.Labels)
		}
		if got.APIVersion != o.GroupVersion().String() || got.Kind != o.Kind || got.Metadata.Name != o.Name || got.Metadata.Namespace != o.Namespace {
			t.Errorf("%s: manifest says %+v", o, got)
		}
		if seen[o.Path()] {
			t.Errorf("%s twice", o.Path())
		}
		seen[o.Path()] = true
	}
}

// A hash depends on what a spec means, not on how its numbers are written, and on every field.
func TestHash(t *testing.T) {
	hash := func(edit func(*Spec)) [32]byte {
		t.Helper()
		s := small()
		edit(&s)
		h, err := Hash(s)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	base := hash(func(*Spec) {})
	for _, same := range []string{"cpu=1000m memory=1024Mi", "cpu=1 memory=1073741824", "memory=1048576Ki cpu=1e0"} {
		if hash(func(s *Spec) { s.Quota = quotas(strings.Fields(same)...) }) != base {
			t.Errorf("%s: another hash", same)
		}
	}
	if hash(func(s *Spec) { s.Namespace = NamespaceFor(s.LeaseID) }) != base {
		t.Error("the default namespace written out: another hash")
	}
	if hash(func(s *Spec) { s.Expires = s.Expires.In(time.FixedZone("", 3600)) }) != base {
		t.Error("another time zone: another hash")
	}
	for name, edit := range map[string]func(*Spec){
		"lease":        func(s *Spec) { s.LeaseID += "a"; s.Namespace = NamespaceFor(small().LeaseID) },
		"provider":     func(s *Spec) { s.Provider += "a" },
		"requester":    func(s *Spec) { s.Requester += "a" },
		"namespace":    func(s *Spec) { s.Namespace = "other" },
		"cpu":          func(s *Spec) { s.Quota[corev1.ResourceCPU] = resource.MustParse("2") },
		"memory":       func(s *Spec) { s.Quota[corev1.ResourceMemory] = resource.MustParse("2Gi") },
		"storage":      func(s *Spec) { s.Quota[ResourceStorage] = resource.MustParse("1Gi") },
		"expires":      func(s *Spec) { s.Expires = s.Expires.Add(time.Second) },
		"gpu":          func(s *Spec) { s.GPU, s.Quota = gpuLease().GPU, gpuLease().Quota },
		"certificates": func(s *Spec) { s.House.Certificates = true },
	} {
		if hash(edit) == base {
			t.Errorf("another %s: same hash", name)
		}
	}
}

func TestSpecRefused(t *testing.T) {
	for want, edit := range map[string]func(*Spec){
		"no lease id":                      func(s *Spec) { s.LeaseID = "" },
		"lease id: must be no more than":   func(s *Spec) { s.LeaseID = strings.Repeat("a", 64) },
		"provider: a valid label":          func(s *Spec) { s.Provider = "a b" },
		"no requester":                     func(s *Spec) { s.Requester = "" },
		"namespace: a lowercase RFC 1123":  func(s *Spec) { s.Namespace = "Kube_System" },
		"no expiry":                        func(s *Spec) { s.Expires = time.Time{} },
		"quota: no cpu":                    func(s *Spec) { s.Quota = quotas("memory=1Gi") },
		"quota: no memory":                 func(s *Spec) { s.Quota = quotas("cpu=1") },
		"quota: cpu: not above zero":       func(s *Spec) { s.Quota = quotas("cpu=0", "memory=1Gi") },
		"quota: memory: not above zero":    func(s *Spec) { s.Quota = quotas("cpu=1", "memory=-1Gi") },
		`unknown resource "pods"`:          func(s *Spec) { s.Quota["pods"] = resource.MustParse("1") },
		`unknown resource "kubernetes.io/`: func(s *Spec) { s.Quota["kubernetes.io/x"] = resource.MustParse("1") },
		`resource "nvidia.com/g p"`:        func(s *Spec) { s.Quota["nvidia.com/g p"] = resource.MustParse("1") },
		"loadbalancers: not a whole":       func(s *Spec) { s.Quota["services.loadbalancers"] = resource.MustParse("500m") },
		"class: not at most":               func(s *Spec) { s.Class = "a\nb" },
		"gpu: no label":                    func(s *Spec) { s.GPU = &GPU{Resource: "nvidia.com/gpu"} },
		"gpu: the quota has no nvidia":     func(s *Spec) { s.GPU = gpuLease().GPU },
		"nvidia.com/gpu: not a whole":      func(s *Spec) { s.Quota["nvidia.com/gpu"] = resource.MustParse("500m") },
	} {
		s := small()
		edit(&s)
		_, err := Objects(s)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		if _, err := Hash(s); err == nil {
			t.Errorf("%s: hashed", want)
		}
	}
}

// Whoever could write these could widen what confines the tenant, or reach around it.
func TestTenantCannotWidenItself(t *testing.T) {
	forbidden := map[string]bool{
		"networkpolicies": true, "resourcequotas": true, "limitranges": true, "roles": true, "rolebindings": true,
		"serviceaccounts": true, "serviceaccounts/token": true, "namespaces": true, "endpoints": true, "endpointslices": true,
		"daemonsets": true, "ingresses": true, "poddisruptionbudgets": true, "pods/binding": true, "pods/proxy": true,
		"services/proxy": true, "bindings": true,
	}
	reading := map[string]bool{"get": true, "list": true, "watch": true}
	for _, rule := range tenantRules {
		for _, r := range rule.Resources {
			for _, v := range rule.Verbs {
				if forbidden[r] && !reading[v] {
					t.Errorf("the tenant may %s %s", v, r)
				}
			}
		}
	}
	for _, rule := range slices.Concat(tenantRules, providerRules, certificateRules) {
		for _, word := range append(append(append([]string{}, rule.APIGroups...), rule.Resources...), rule.Verbs...) {
			switch word {
			case "*", "escalate", "bind", "impersonate":
				t.Errorf("%v holds %q", rule, word)
			}
		}
	}
}

// Every kind that the tenant may create is counted.
func TestEveryKindIsCounted(t *testing.T) {
	counted := map[string]bool{"pods": true, "persistentvolumeclaims": true} // by name in resourceQuota
	for name := range counts {
		counted[string(name)] = true
	}
	for _, rule := range tenantRules {
		for _, r := range rule.Resources {
			creates := false
			for _, v := range rule.Verbs {
				creates = creates || v == "create"
			}
			name := r
			if g := rule.APIGroups[0]; g != "" {
				name = "count/" + r + "." + g
			}
			if creates && !strings.Contains(r, "/") && !counted[name] {
				t.Errorf("the tenant may create %s without end", r)
			}
		}
	}
}
