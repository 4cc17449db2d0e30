package workload

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// What a manifest may hold at most.
const (
	maxManifest = 4 << 20
	maxObjects  = 500
)

// ErrManifest means that a manifest is not one that can be applied; the error names the document.
var ErrManifest = errors.New("unusable manifest")

// A Manifest is a list of objects to apply, in order.
type Manifest struct {
	objects []*unstructured.Unstructured
	hash    [sha256.Size]byte
}

// Parse reads documents of YAML or JSON, each an object or a list of objects. What only an API server writes (status,
// managed fields, uid, …) is left out, as kubectl does with what it got from another cluster. The error is ErrManifest.
func Parse(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("%w: longer than 4 MiB", ErrManifest)
	}
	m := new(Manifest)
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = m.read(document)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: document %d: %w", ErrManifest, n, err)
		}
	}
	if len(m.objects) == 0 {
		return nil, fmt.Errorf("%w: no object in it", ErrManifest)
	}
	return m, m.seal()
}

// read adds the objects of one document.
func (m *Manifest) read(document []byte) error {
	var tree map[string]any
	text, err := sigsyaml.YAMLToJSONStrict(document)
	if err == nil {
		err = json.Unmarshal(text, &tree)
	}
	if err != nil {
		return err
	}
	if len(tree) == 0 {
		return nil // empty, or a comment
	}
	if items, ok := tree["items"].([]any); ok && tree["kind"] == "List" {
		for i, item := range items {
			object, ok := item.(map[string]any)
			if !ok {
				return fmt.Errorf("item %d is not an object", i+1)
			}
			if err := m.add(object); err != nil {
				return fmt.Errorf("item %d: %w", i+1, err)
			}
		}
		return nil
	}
	return m.add(tree)
}

// serverFields are what an API server writes into metadata.
var serverFields = []string{"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"}

func (m *Manifest) add(tree map[string]any) error {
	meta, ok := tree["metadata"].(map[string]any)
	version, _ := tree["apiVersion"].(string)
	kind, _ := tree["kind"].(string)
	if version == "" || kind == "" {
		return errors.New("not an object: it needs apiVersion and kind, such as apiVersion: v1, kind: Pod")
	}
	if _, err := schema.ParseGroupVersion(version); err != nil {
		return err
	}
	name, _ := meta["name"].(string)
	switch namespace, given := meta["namespace"]; {
	case !ok || name == "" && meta["generateName"] != nil:
		return fmt.Errorf("%s has no metadata.name: what is applied needs one, a generated name is another one each time", kind)
	case name == "" || len(content.IsPathSegmentName(name)) > 0:
		return fmt.Errorf("%s has no usable metadata.name", kind)
	case given:
		if _, isText := namespace.(string); !isText {
			return fmt.Errorf("%s %s: metadata.namespace is not text", kind, name)
		}
	}
	for _, field := range serverFields {
		delete(meta, field)
	}
	delete(tree, "status")
	object := &unstructured.Unstructured{Object: tree}
	if slices.ContainsFunc(m.objects, func(o *unstructured.Unstructured) bool { return named(o) == named(object) }) {
		return fmt.Errorf("%s %s is there twice", kind, name)
	}
	if len(m.objects) == maxObjects {
		return fmt.Errorf("more than %d objects", maxObjects)
	}
	m.objects = append(m.objects, object)
	return nil
}

// named tells objects apart. One kind may be written in two versions: the API server will say.
func named(o *unstructured.Unstructured) [4]string {
	return [4]string{o.GroupVersionKind().Group, o.GetKind(), o.GetNamespace(), o.GetName()}
}

// seal computes the hash.
func (m *Manifest) seal() error {
	h := sha256.New()
	h.Write([]byte("angler/1 workload"))
	for _, o := range m.objects {
		text, err := json.Marshal(o.Object)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrManifest, err)
		}
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text))))
		h.Write(text)
	}
	m.hash = [sha256.Size]byte(h.Sum(nil))
	return nil
}

// Hash returns what a receipt says of the manifest: the SHA-256 of "angler/1 workload" and, for each object in order, its JSON
// with sorted keys and no spaces, each with an 8-byte big-endian length in front. How the YAML was written does not matter.
func (m *Manifest) Hash() [sha256.Size]byte { return m.hash }

// Len returns the number of objects.
func (m *Manifest) Len() int { return len(m.objects) }
