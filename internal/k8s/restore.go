package k8s

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// lookLimit is how long a look at a namespace may take: who looks has the lease in hand, and others wait for it.
const lookLimit = 3 * time.Second

// maxNote is what an event can say, in bytes.
const maxNote = 1024

// Look asks once whether a lease still has its namespace. The error is ErrNoLease only if an API server says that it is not
// there, that it is being deleted, or that another one has its name by now. Any other error says nothing about the namespace:
// an API server that is away, or does not know us, has deleted nothing.
func (c *Cluster) Look(ctx context.Context, provider, leaseID string) error {
	_, err := c.look(ctx, manifest.NamespaceFor(leaseID), provider, leaseID)
	return err
}

// Made tells whether a grant is of this cluster: by its certificate authority, for a cluster may have several addresses. One
// that has been given another authority is taken for another cluster.
func (c *Cluster) Made(g Grant) bool { return bytes.Equal(g.CA, c.ca) }

// look returns the namespace of a lease by its name. One whose labels were taken off is the lease's all the same, if we made
// it: that is seen by who manages its fields.
func (c *Cluster) look(ctx context.Context, name, provider, leaseID string) (there metav1.ObjectMeta, err error) {
	limited, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	err = attempt(limited, func(ctx context.Context) (err error) {
		there, err = c.metadata(ctx, manifest.Object{GroupVersionResource: corev1.SchemeGroupVersion.WithResource("namespaces"), Name: name})
		return err
	})
	switch {
	case absent(err):
		return there, fmt.Errorf("%w: %s is not there", ErrNoLease, name)
	case err != nil:
		return there, fmt.Errorf("look at namespace %s: %w", name, refused(err))
	case there.DeletionTimestamp != nil:
		return there, fmt.Errorf("%w: %s is being deleted", ErrNoLease, there.Name)
	case there.Labels[manifest.LabelProvider] == provider && there.Labels[manifest.LabelLease] == leaseID:
		return there, nil
	case !slices.ContainsFunc(there.ManagedFields, func(f metav1.ManagedFieldsEntry) bool { return f.Manager == fieldManager }):
		return there, fmt.Errorf("%w: another namespace is called %s", ErrNoLease, there.Name)
	}
	return there, nil
}

// absent tells whether an API server has said that an object is not there. What a proxy in front of it says about a path does
// not count.
func absent(err error) bool {
	return apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

func (c *Cluster) metadata(ctx context.Context, o manifest.Object) (metav1.ObjectMeta, error) {
	return metaOf(c.set.CoreV1().RESTClient().Get().AbsPath(o.Path()).SetHeader("Accept", metadataOnly).Do(ctx))
}

// Restore makes what a lease has in the cluster be what its spec says again, whoever has changed it, and returns which
// objects that were, as resource/name; an event in the namespace says so, too. Objects that others have added stay. ends is
// when the lease ends by now, which its namespace says; the rest of spec is as it was when it was provisioned. Errors are as
// of Look: a namespace that is gone is not made anew, for what the tenant had in it is lost.
func (c *Cluster) Restore(ctx context.Context, spec manifest.Spec, ends time.Time) (restored []string, err error) {
	plan, err := manifest.Objects(spec)
	if err != nil {
		return nil, err
	}
	now := spec
	now.Expires = ends
	present, err := manifest.Objects(now)
	if err != nil {
		return nil, err
	}
	before, err := c.look(ctx, plan.Namespace.Name, spec.Provider, spec.LeaseID)
	if err != nil {
		return nil, err
	}
	var faults []error
	faults = append(faults, retry(ctx, func(ctx context.Context) error {
		after, failed := c.applyNamespace(ctx, present.Namespace, before.UID)
		if failed == nil && !maps.Equal(says(before), says(after)) {
			restored = append(restored, present.Namespace.String())
		}
		return failed
	}))
	for _, o := range slices.Concat(plan.Objects, plan.Last) { // one that cannot be put back is not to keep others from it
		changed, failed := c.restore(ctx, o)
		if changed {
			restored = append(restored, o.String())
		}
		faults = append(faults, failed)
	}
	if text := "changed by somebody else and put back: " + strings.Join(restored, ", "); len(restored) > 0 {
		faults = append(faults, c.event(ctx, before, spec.Provider, happening{
			name: fmt.Sprintf("angler-restored-%d", c.now().UnixNano()), reason: "LeaseRestored", severity: corev1.EventTypeWarning,
			text: text[:min(len(text), maxNote)],
		}))
	}
	if err := errors.Join(faults...); err != nil {
		return restored, fmt.Errorf("restore lease %s: %w", spec.LeaseID, refused(err))
	}
	return restored, nil
}

// restore puts one object back, and tells whether it was another than it should be. What cannot be changed in a binding, its
// role, or in a Secret, its type, takes a new object. An operator's own objects are never deleted: they may hold something.
func (c *Cluster) restore(ctx context.Context, o manifest.Object) (changed bool, err error) {
	body, err := o.JSON()
	if err != nil {
		return false, err
	}
	_, template := o.Config.(map[string]any)
	err = retry(ctx, func(ctx context.Context) error {
		before, looked := c.metadata(ctx, o)
		if looked != nil && !apierrors.IsNotFound(looked) && !apierrors.IsForbidden(looked) { // of a template's kind we may know nothing
			return looked
		}
		after, failed := c.applyOnce(ctx, o.Path(), body)
		if apierrors.IsInvalid(failed) && looked == nil && !template && (o.Kind == "RoleBinding" || o.Kind == "Secret") {
			if failed = c.replace(ctx, o, before.UID); failed == nil {
				after, failed = c.applyOnce(ctx, o.Path(), body)
			}
		}
		if failed == nil && !template && meddled(after) {
			after, failed = c.overwrite(ctx, o, body)
		}
		changed = changed || failed == nil && (apierrors.IsNotFound(looked) || looked == nil && hands(before) != hands(after))
		return failed
	})
	if err != nil {
		return changed, fmt.Errorf("apply %s: %w", o, err)
	}
	return changed, nil
}

// meddled tells whether somebody else has set anything in an object but its metadata. That need not stand beside what we set:
// what was changed we have taken back.
func meddled(o metav1.ObjectMeta) bool {
	for _, f := range o.ManagedFields {
		var fields map[string]json.RawMessage
		if f.Manager == fieldManager || f.Subresource != "" || f.FieldsV1 == nil || json.Unmarshal(f.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if delete(fields, "f:metadata"); len(fields) > 0 {
			return true
		}
	}
	return false
}

// overwrite makes an object be what its manifest says and nothing more: server-side apply leaves alone what it does not name,
// such as a rule that lets everybody in.
func (c *Cluster) overwrite(ctx context.Context, o manifest.Object, body []byte) (metav1.ObjectMeta, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		return metav1.ObjectMeta{}, err
	}
	type step struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	}
	var steps []step
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		if part != "apiVersion" && part != "kind" && part != "metadata" {
			steps = append(steps, step{"add", "/" + part, parts[part]}) // in the place of what is there
		}
	}
	patch, err := json.Marshal(steps)
	if err != nil {
		return metav1.ObjectMeta{}, err
	}
	return metaOf(c.set.CoreV1().RESTClient().Patch(types.JSONPatchType).AbsPath(o.Path()).
		Param("fieldManager", fieldManager).SetHeader("Accept", metadataOnly).Body(patch).Do(ctx))
}

// replace makes room for an object in the place of this very one.
func (c *Cluster) replace(ctx context.Context, o manifest.Object, uid types.UID) error {
	body, err := json.Marshal(metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(uid))})
	if err != nil {
		return err
	}
	return c.set.CoreV1().RESTClient().Delete().AbsPath(o.Path()).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
}

// hands tells states of an object apart by who manages which of its fields: who changes a field that we set takes it over, or
// takes it away, and who only counts usage does not. When they did so is left out.
func hands(o metav1.ObjectMeta) string {
	var lines []string
	for _, f := range o.ManagedFields {
		if f.Subresource == "" && f.FieldsV1 != nil {
			lines = append(lines, f.Manager+" "+string(f.Operation)+" "+f.FieldsV1.String())
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// says is what a namespace says of itself, but for what we say there about the lease's end, which moves. It tells states of a
// namespace apart, of which we set nothing else.
func says(o metav1.ObjectMeta) map[string]string {
	all := map[string]string{}
	for key, value := range o.Annotations {
		if key != manifest.AnnotationExpires && key != manifest.AnnotationNotice {
			all["annotation "+key] = value
		}
	}
	for key, value := range o.Labels {
		all["label "+key] = value
	}
	return all
}
