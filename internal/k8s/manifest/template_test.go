package manifest

import (
	"strings"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

const exampleTemplate = `# What every lease gets beside our own objects.
apiVersion: v1
kind: ConfigMap
metadata:
  name: about
  labels: {team: infra}
data:
  namespace: "{{.Namespace}}"
  lease: {{ .LeaseID }} {{/* the id */}}
  class: "{{.Class}}"
---
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: "{{.Namespace}}"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`

func templateOf(t testing.TB, text string) (*Template, error) {
	t.Helper()
	return ReadTemplate(fstest.MapFS{"a.yaml": {Data: []byte(text)}, "README.md": {Data: []byte("{{")}, "sub.yaml/x": {}})
}

func resolved(t testing.TB, text string) *Template {
	t.Helper()
	tmpl, err := templateOf(t, text)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.Resolve(map[schema.GroupVersionKind]schema.GroupVersionResource{
		{Version: "v1", Kind: "ConfigMap"}:                                {Version: "v1", Resource: "configmaps"},
		{Version: "v1", Kind: "ResourceQuota"}:                            {Version: "v1", Resource: "resourcequotas"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"}: {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	})
	return tmpl
}

func templatedLease(t testing.TB) Spec {
	s := small()
	s.Class = "arch=amd64,cpu=1,memory=1Gi"
	s.House.Template = resolved(t, exampleTemplate)
	return s
}

// A template is part of the hash, and its objects are the lease's.
func TestTemplateInPlan(t *testing.T) {
	s := templatedLease(t)
	plan, err := Objects(s)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(plan.Last); n != 2 || plan.Objects[len(plan.Objects)-1].Path() != "/apis/rbac.authorization.k8s.io/v1/namespaces/"+s.name()+"/roles/reader" {
		t.Errorf("%v, %v", plan.Objects, plan.Last)
	}
	hash, err := Hash(s)
	if err != nil {
		t.Fatal(err)
	}
	for what, other := range map[string]Spec{
		"no template": small(),
		"another template": func() Spec {
			o := s
			o.House.Template = resolved(t, strings.Replace(exampleTemplate, "infra", "ops", 1))
			return o
		}(),
		"another class": func() Spec { o := s; o.Class = "cpu=1"; return o }(),
	} {
		if h, hashErr := Hash(other); hashErr != nil || h == hash {
			t.Errorf("%s: same hash, or %v", what, hashErr)
		}
	}
	unresolved, err := templateOf(t, exampleTemplate)
	if err != nil {
		t.Fatal(err)
	}
	s.House.Template = unresolved
	if _, err := Objects(s); err == nil || !strings.Contains(err.Error(), "not looked up") {
		t.Errorf("unresolved: %v", err)
	}
	// It cannot replace what confines the tenant.
	s.House.Template = resolved(t, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: angler}\n")
	if _, err := Objects(s); err == nil || !strings.Contains(err.Error(), "resourcequotas/angler is there already") {
		t.Errorf("our quota: %v", err)
	}
}

func TestTemplateRefused(t *testing.T) {
	object := func(rest string) string { return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n" + rest }
	for name, c := range map[string]struct{ text, want string }{
		"a function":          {object(`data: {a: "{{printf "%s" .Class}}"}`), "only {{.Namespace}}"},
		"a pipeline":          {object(`data: {a: "{{.Class | len}}"}`), "only {{.Namespace}}"},
		"a loop":              {object(`{{range 1000000000}}x{{end}}`), "only {{.Namespace}}"},
		"a condition":         {object(`{{if .Class}}x{{end}}`), "only {{.Namespace}}"},
		"a variable":          {object(`{{$x := .Class}}`), "only {{.Namespace}}"},
		"a template":          {object(`{{define "x"}}{{end}}`), "defines a template"},
		"another field":       {object(`data: {a: "{{.Token}}"}`), "only {{.Namespace}}"},
		"a field of a field":  {object(`data: {a: "{{.Class.X}}"}`), "only {{.Namespace}}"},
		"broken":              {object(`{{`), "a.yaml"},
		"not YAML":            {"a: [", "a.yaml: document 1"},
		"a key twice":         {object("kind: Secret"), "already"},
		"no object":           {"a: b", "needs apiVersion and kind"},
		"a list":              {"apiVersion: v1\nkind: ConfigMapList\nitems: []", "a list"},
		"no name":             {"apiVersion: v1\nkind: ConfigMap", "metadata.name"},
		"a name that climbs":  {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../x}", "metadata.name"},
		"another namespace":   {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: kube-system}", "another namespace"},
		"a made-up name":      {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, generateName: y}", "metadata.generateName"},
		"a finalizer":         {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, finalizers: [a/b]}", "metadata.finalizers"},
		"labels of no map":    {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: [a]}", "not a map"},
		"too many":            {strings.Repeat(object("")+"---\n", maxTemplateObjects+1), "more than 128 objects"},
		"too long":            {strings.Repeat("#", maxTemplateFile+1), "longer than"},
		"two in one document": {object("") + object(""), "already"},
	} {
		if _, err := templateOf(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
	if _, err := ReadTemplate(fstest.MapFS{"x.txt": {}}); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("an empty folder: %v", err)
	}
}

// Whatever an operator writes is refused, or makes objects in the lease's namespace with the lease's labels and nothing else.
func FuzzTemplate(f *testing.F) {
	f.Add(exampleTemplate)
	f.Add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{.Class}}'}\n")
	f.Add("{{.Namespace}}: {{.LeaseID}}")
	f.Add("apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: x, labels: *m}\n")
	f.Add("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {angler-dex.github.io/lease: other}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, err := templateOf(t, text)
		if err != nil {
			return
		}
		s := small()
		objects, err := tmpl.render(s)
		if err != nil {
			return // a name that is none with these ids
		}
		for _, o := range objects {
			meta := o.tree["metadata"].(map[string]any)
			labels := meta["labels"].(map[string]any)
			if meta["namespace"] != s.name() || labels[LabelLease] != s.LeaseID || labels[LabelProvider] != s.Provider || o.name == "" || strings.ContainsAny(o.name, "/%") {
				t.Fatalf("%+v", o)
			}
		}
	})
}
