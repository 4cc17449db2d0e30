package manifest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// A Template is an operator's own objects for each lease's namespace: YAML files in which a field stands for what the lease
// says, as in {{.Namespace}}. There are no functions, conditions or loops, so that what is made is the same kinds of objects
// for each lease, and can be checked before there is any.
type Template struct {
	files []templateFile
	kinds map[schema.GroupVersionKind]schema.GroupVersionResource // nil before Resolve
}

type templateFile struct {
	name string
	text *template.Template
}

// TemplateFields is what a template may name.
type TemplateFields struct {
	Namespace string // the lease's
	LeaseID   string
	Provider  string // peer id
	Requester string // peer id
	Class     string // a unit of what was leased: arch=amd64,cpu=1,…
	Expires   string // when the lease ended as it was granted, RFC 3339
}

var fieldNames = []string{"Namespace", "LeaseID", "Provider", "Requester", "Class", "Expires"}

// What a template may hold at most.
const (
	maxTemplateFiles   = 64
	maxTemplateFile    = 256 << 10
	maxTemplateObjects = 128
)

// ReadTemplate reads the files *.yaml and *.yml of a folder, in the order of their names, and checks all that can be checked
// without a cluster: the fields, that each document is an object with a name, that it lies in the lease's namespace, and
// that it is none of ours. Resolve has to follow. The errors name the file.
func ReadTemplate(folder fs.FS) (*Template, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	t := new(Template)
	for _, entry := range entries {
		if extension := path.Ext(entry.Name()); entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			continue
		}
		if len(t.files) == maxTemplateFiles {
			return nil, fmt.Errorf("template: more than %d files", maxTemplateFiles)
		}
		file, err := readTemplateFile(folder, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("template: %s: %w", entry.Name(), err)
		}
		t.files = append(t.files, file)
	}
	if len(t.files) == 0 {
		return nil, errors.New("template: the folder has no file *.yaml or *.yml")
	}
	if _, err := t.render(sampleLease()); err != nil {
		return nil, err
	}
	return t, nil
}

func readTemplateFile(folder fs.FS, name string) (templateFile, error) {
	f, err := folder.Open(name)
	if err != nil {
		return templateFile{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTemplateFile+1))
	if err != nil {
		return templateFile{}, err
	}
	if len(text) > maxTemplateFile {
		return templateFile{}, fmt.Errorf("longer than %d bytes", maxTemplateFile)
	}
	parsed, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return templateFile{}, err
	}
	if len(parsed.Templates()) > 1 {
		return templateFile{}, errors.New("defines a template")
	}
	if parsed.Tree != nil {
		if err := onlyFields(parsed.Root); err != nil {
			return templateFile{}, err
		}
	}
	return templateFile{name, parsed}, nil
}

// onlyFields refuses everything but text, comments and {{.Field}}.
func onlyFields(list *parse.ListNode) error {
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.TextNode, *parse.CommentNode:
			continue
		case *parse.ActionNode:
			if p := node.Pipe; len(p.Decl) == 0 && len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
				if field, ok := p.Cmds[0].Args[0].(*parse.FieldNode); ok && len(field.Ident) == 1 && slices.Contains(fieldNames, field.Ident[0]) {
					continue
				}
			}
		}
		return fmt.Errorf("%s: only {{.%s}} can stand here", node, strings.Join(fieldNames, "}}, {{."))
	}
	return nil
}

// sampleLease is what a template is checked with.
func sampleLease() Spec {
	return Spec{LeaseID: "sample", Provider: "provider", Requester: "requester", Class: "cpu=1,memory=1Gi", Expires: time.Unix(0, 0)}
}

// Kinds returns the kinds of objects that the template makes, each once.
func (t *Template) Kinds() ([]schema.GroupVersionKind, error) {
	objects, err := t.render(sampleLease())
	if err != nil {
		return nil, err
	}
	var kinds []schema.GroupVersionKind
	for _, o := range objects {
		if !slices.Contains(kinds, o.kind) {
			kinds = append(kinds, o.kind)
		}
	}
	return kinds, nil
}

// Resolve tells the template under which resource the cluster keeps each of its kinds; all must be namespaced ones, which
// the caller checks. Without it a template makes nothing.
func (t *Template) Resolve(kinds map[schema.GroupVersionKind]schema.GroupVersionResource) {
	t.kinds = kinds
}

// Sample returns the objects that the template makes for a lease that does not exist, in a namespace of the caller's.
func (t *Template) Sample(namespace string) ([]Object, error) {
	s := sampleLease()
	s.Namespace = namespace
	return t.objects(s)
}

// objects returns the template's objects for a lease.
func (t *Template) objects(s Spec) ([]Object, error) {
	rendered, err := t.render(s)
	if err != nil {
		return nil, err
	}
	objects := make([]Object, 0, len(rendered))
	for _, r := range rendered {
		resource, ok := t.kinds[r.kind]
		if !ok {
			return nil, fmt.Errorf("template: %s: %s was not looked up in the cluster", r.file, r.kind.Kind)
		}
		objects = append(objects, Object{GroupVersionResource: resource, Kind: r.kind.Kind, Namespace: s.name(), Name: r.name, Config: r.tree})
	}
	return objects, nil
}

// A rendered object is one document of a template, filled in.
type rendered struct {
	file, name string
	kind       schema.GroupVersionKind
	tree       map[string]any
}

func (t *Template) render(s Spec) ([]rendered, error) {
	fields := TemplateFields{
		Namespace: s.name(), LeaseID: s.LeaseID, Provider: s.Provider, Requester: s.Requester, Class: s.Class,
		Expires: s.Expires.UTC().Format(time.RFC3339),
	}
	var objects []rendered
	for _, file := range t.files {
		var text bytes.Buffer
		if err := file.text.Execute(&text, fields); err != nil {
			return nil, fmt.Errorf("template: %w", err)
		}
		documents := yaml.NewYAMLReader(bufio.NewReader(&text))
		for n := 1; ; n++ {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			var o rendered
			if err == nil {
				o, err = readObject(document, s)
			}
			switch {
			case err != nil:
				return nil, fmt.Errorf("template: %s: document %d: %w", file.name, n, err)
			case o.tree == nil:
				continue // empty, or a comment
			case len(objects) == maxTemplateObjects:
				return nil, fmt.Errorf("template: more than %d objects", maxTemplateObjects)
			}
			o.file = file.name
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// readObject reads one document and makes it an object of the lease.
func readObject(document []byte, s Spec) (rendered, error) {
	var tree map[string]any
	if err := sigsyaml.UnmarshalStrict(document, &tree); err != nil {
		return rendered{}, err
	}
	if len(tree) == 0 {
		return rendered{}, nil
	}
	version, _ := tree["apiVersion"].(string)
	kind, _ := tree["kind"].(string)
	group, err := schema.ParseGroupVersion(version)
	meta, _ := tree["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	switch {
	case version == "" || kind == "" || err != nil:
		return rendered{}, errors.New("not an object: it needs apiVersion and kind")
	case strings.HasSuffix(kind, "List"):
		return rendered{}, errors.New("a list: write its objects as documents")
	case name == "" || len(content.IsPathSegmentName(name)) > 0:
		return rendered{}, fmt.Errorf("%s without a usable metadata.name", kind)
	}
	for _, key := range []string{"finalizers", "ownerReferences", "generateName"} {
		if _, there := meta[key]; there {
			return rendered{}, fmt.Errorf("%s %s: metadata.%s cannot stand in a template", kind, name, key)
		}
	}
	if namespace, there := meta["namespace"]; there && namespace != s.name() {
		return rendered{}, fmt.Errorf("%s %s: lies in another namespace than the lease's ({{.Namespace}}, or leave it out)", kind, name)
	}
	labels, ok := meta["labels"].(map[string]any)
	if !ok && meta["labels"] != nil {
		return rendered{}, fmt.Errorf("%s %s: metadata.labels is not a map", kind, name)
	}
	all := map[string]any{}
	for key, value := range labels {
		all[key] = value
	}
	for key, value := range s.labels() {
		all[key] = value
	}
	meta["labels"], meta["namespace"] = all, s.name()
	return rendered{name: name, kind: group.WithKind(kind), tree: tree}, nil
}

// extend adds the template's objects to the plan. Roles and accounts come with what does not depend on anything; the
// rest, which may depend on them, comes last.
func (p *Plan) extend(t *Template, s Spec) error {
	more, err := t.objects(s)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, o := range p.All() {
		seen[o.Path()] = true
	}
	for _, o := range more {
		if seen[o.Path()] {
			return fmt.Errorf("template: %s is there already", o)
		}
		seen[o.Path()] = true
		if o.Group == rbacv1.GroupName && o.Kind == "Role" || o.Group == "" && o.Kind == "ServiceAccount" {
			p.Objects = append(p.Objects, o)
		} else {
			p.Last = append(p.Last, o)
		}
	}
	return nil
}
