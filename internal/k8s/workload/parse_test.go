package workload

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	one := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {k: '1', l: \"2\"}\n"
	same := map[string]string{
		"itself":               one,
		"other order":          "data: {l: '2', k: '1'}\nmetadata: {name: a}\nkind: ConfigMap\napiVersion: v1\n",
		"JSON":                 `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1", "l": "2"}}`,
		"empty documents":      "---\n# nothing\n---\n" + one + "---\n",
		"a list":               `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1", "l": "2"}}]}`,
		"what a server writes": strings.Replace(one, "  name: a\n", "  name: a\n  uid: x\n  resourceVersion: '7'\n  managedFields: [{manager: m}]\n", 1) + "status: {x: y}\n",
	}
	want := parsed(t, one)
	for name, text := range same {
		if m := parsed(t, text); m.Hash() != want.Hash() || m.Len() != 1 {
			t.Errorf("%s: another hash, or %d objects", name, m.Len())
		}
	}
	for name, text := range map[string]string{
		"another value": strings.Replace(one, "'1'", "'2'", 1), "another name": strings.Replace(one, "name: a", "name: b", 1),
		"a namespace": strings.Replace(one, "name: a", "name: a\n  namespace: ns", 1), "two": one + "---\n" + strings.Replace(one, "name: a", "name: b", 1),
	} {
		if parsed(t, text).Hash() == want.Hash() {
			t.Errorf("%s: same hash", name)
		}
	}
	for want, text := range map[string]string{
		"no object in it":           "# nothing\n",
		"document 2":                one + "---\na: [",
		"is there twice":            one + "---\n" + one,
		"already":                   one + "kind: Secret\n",
		"needs apiVersion and kind": "metadata: {name: a}",
		"a generated name":          "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}",
		"no usable metadata.name":   "apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}",
		"is not text":               "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: [b]}",
		"unexpected GroupVersion":   "apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}",
		"item 1 is not an object":   "apiVersion: v1\nkind: List\nitems: [a]",
		"item 1: not an object":     "apiVersion: v1\nkind: List\nitems: [{a: b}]",
		"longer than 4 MiB":         strings.Repeat("#", maxManifest+1),
		"more than 500 objects":     manyObjects(),
		"cannot unmarshal":          "- a\n- b\n",
	} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func manyObjects() string {
	var b strings.Builder
	for i := range maxObjects + 1 {
		b.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x" + strings.Repeat("x", i) + "}\n---\n")
	}
	return b.String()
}

// Whatever is read has names that cannot climb out of a path, and hashes alike when it is read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(settings + deployment("a", "1") + job("b", "")))
	f.Add([]byte(`{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ".."}}]}`))
	f.Add([]byte("apiVersion: v1\nkind: &k Pod\nmetadata: {name: *k, labels: {<<: {a: b}}}\n"))
	f.Add([]byte("---\n---\n...\n"))
	f.Add([]byte("apiVersion: v1\nkind: Pod\nmetadata: {name: 1e3}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err != nil {
			if !errors.Is(err, ErrManifest) {
				t.Fatal(err)
			}
			return
		}
		var again strings.Builder
		for _, o := range m.objects {
			if name := o.GetName(); name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/%") {
				t.Fatalf("name %q", name)
			}
			json, err := o.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again.Write(json)
			again.WriteString("\n---\n")
		}
		if second, err := Parse([]byte(again.String())); err != nil || second.Hash() != m.Hash() {
			t.Fatalf("again: %v", err)
		}
	})
}
