package k8s

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// checkNamespace is where an operator's template is tried in a dry run: every cluster has it.
const checkNamespace = metav1.NamespaceDefault

// Template reads an operator's template (manifest.ReadTemplate) and checks it against the cluster: it must know each kind,
// and as a namespaced one, and it must take each object from this identity in a dry run. So whatever the provider may not
// write, and every role with more rights than the provider holds, is refused here, before there is a lease. The rights for
// kinds that ProviderClusterRole has no rule for are the operator's to give: create and patch. The errors name the file or
// the object; ErrForbidden is among them.
func (c *Cluster) Template(ctx context.Context, folder fs.FS) (*manifest.Template, error) {
	t, err := manifest.ReadTemplate(folder)
	if err != nil {
		return nil, err
	}
	kinds, err := t.Kinds()
	if err != nil {
		return nil, err
	}
	known := map[schema.GroupVersionKind]schema.GroupVersionResource{}
	for _, kind := range kinds {
		var namespaced bool
		known[kind], namespaced, err = Lookup(ctx, c.set.RESTClient(), kind)
		if err == nil && !namespaced {
			err = fmt.Errorf("%s %s is not of a namespace, but of the whole cluster", kind.GroupVersion(), kind.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("template: %w", err)
		}
	}
	t.Resolve(known)
	objects, err := t.Sample(checkNamespace)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if err := c.check(ctx, o); err != nil {
			return nil, fmt.Errorf("template: %s %s: %w", o.Kind, o.Name, refused(err))
		}
	}
	return t, nil
}

// check applies an object under a name that nothing has, in a dry run. What a binding refers to by name may be a role of the
// template itself, which is not there: that it is not found says that nothing else is wrong with the binding.
func (c *Cluster) check(ctx context.Context, o manifest.Object) error {
	config, ok := o.Config.(map[string]any)
	if !ok {
		return fmt.Errorf("not an object: %T", o.Config)
	}
	o.Name = fmt.Sprintf("angler-check-%x", sha256.Sum256([]byte(o.Path())))[:32]
	copied := maps.Clone(config)
	meta, _ := copied["metadata"].(map[string]any)
	meta = maps.Clone(meta)
	meta["name"] = o.Name
	copied["metadata"], o.Config = meta, copied
	body, err := o.JSON()
	if err != nil {
		return err
	}
	err = retry(ctx, func(ctx context.Context) error {
		return c.set.CoreV1().RESTClient().Patch(types.ApplyPatchType).AbsPath(o.Path()).
			Param("fieldManager", fieldManager).Param("force", "true").Param("dryRun", "All").Body(body).Do(ctx).Error()
	})
	if o.Group == rbacv1.GroupName && o.Kind == "RoleBinding" && apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
