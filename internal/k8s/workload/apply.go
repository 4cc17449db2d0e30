package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/angler-dex/angler/internal/k8s"
)

// fieldManager owns what Apply sets.
const fieldManager = "angler-workload"

// checksAtOnce is how many objects are tried at a time.
const checksAtOnce = 8

// ErrScope means that an object belongs to the whole cluster, or to another namespace than the leased one.
var ErrScope = errors.New("outside the leased namespace")

// An Object is one that was applied.
type Object struct {
	Kind     schema.GroupVersionKind
	Resource schema.GroupVersionResource
	Name     string
}

// String names the object as kubectl does: job/name.
func (o Object) String() string { return strings.ToLower(o.Kind.Kind) + "/" + o.Name }

// Applied is what is in the namespace because of a manifest, in its order.
type Applied []Object

// String lists the objects.
func (a Applied) String() string {
	names := make([]string, len(a))
	for i, o := range a {
		names[i] = o.String()
	}
	return strings.Join(names, ", ")
}

// An ApplyError says which object could not be written, and which had been.
type ApplyError struct {
	Object  Object
	Applied Applied
	Err     error
}

func (e *ApplyError) Error() string {
	text := fmt.Sprintf("apply %s: %v", e.Object, e.Err)
	if len(e.Applied) > 0 {
		text += "; applied before: " + e.Applied.String()
	}
	return text
}

func (e *ApplyError) Unwrap() error { return e.Err }

// Apply makes the objects of a manifest be there as it says. It first checks all of them, at the end in a dry run: if one is
// refused then, nothing has been written. The error is ErrScope or k8s.ErrKind, or an *ApplyError, in which errors.Is finds
// k8s.ErrForbidden and ctx's error. What may pass is retried until ctx ends. Applying again is harmless.
func (t *Target) Apply(ctx context.Context, m *Manifest) (Applied, error) {
	all := make(Applied, len(m.objects))
	known := map[schema.GroupVersionKind]place{}
	for i, o := range m.objects {
		var err error
		if all[i], err = t.locate(ctx, o, known); err != nil {
			return nil, err
		}
	}
	checks, checkCtx := errgroup.WithContext(ctx)
	checks.SetLimit(checksAtOnce)
	for i, o := range m.objects {
		checks.Go(func() error {
			if err := t.write(checkCtx, all[i], o, metav1.DryRunAll); err != nil {
				return &ApplyError{Object: all[i], Err: err}
			}
			return nil
		})
	}
	if err := checks.Wait(); err != nil {
		return nil, err
	}
	for i, o := range m.objects {
		if err := t.write(ctx, all[i], o); err != nil {
			return all[:i], &ApplyError{Object: all[i], Applied: all[:i], Err: err}
		}
	}
	return all, nil
}

// A place is where a cluster keeps a kind.
type place struct {
	resource   schema.GroupVersionResource
	namespaced bool
}

// locate finds out where an object goes, and whether it may. It remembers kinds in known.
func (t *Target) locate(ctx context.Context, o *unstructured.Unstructured, known map[schema.GroupVersionKind]place) (Object, error) {
	kind := o.GroupVersionKind()
	at, ok := known[kind]
	if !ok {
		var err error
		if at.resource, at.namespaced, err = k8s.Lookup(ctx, t.set.RESTClient(), kind); err != nil {
			return Object{}, fmt.Errorf("%s %s: %w", kind.Kind, o.GetName(), err)
		}
		known[kind] = at
	}
	switch where := o.GetNamespace(); {
	case !at.namespaced:
		return Object{}, fmt.Errorf("%w: %s %s is of the whole cluster, and a lease is a namespace", ErrScope, kind.Kind, o.GetName())
	case where != "" && where != t.namespace:
		return Object{}, fmt.Errorf("%w: %s %s is for namespace %s, and the lease is %s (leave metadata.namespace out)", ErrScope, kind.Kind, o.GetName(), where, t.namespace)
	}
	return Object{Kind: kind, Resource: at.resource, Name: o.GetName()}, nil
}

// write applies one object. Fields that others have set meanwhile are taken over: the namespace is the requester's own.
func (t *Target) write(ctx context.Context, to Object, o *unstructured.Unstructured, dryRun ...string) error {
	o = o.DeepCopy()
	o.SetNamespace(t.namespace)
	return k8s.Retry(ctx, func(ctx context.Context) error {
		_, err := t.at(to).Apply(ctx, to.Name, o, metav1.ApplyOptions{FieldManager: fieldManager, Force: true, DryRun: dryRun})
		return err
	})
}

func (t *Target) at(o Object) dynamic.ResourceInterface {
	return t.objects.Resource(o.Resource).Namespace(t.namespace)
}
