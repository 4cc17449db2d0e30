package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// ErrKind means that a cluster does not know a kind.
var ErrKind = errors.New("the cluster knows no")

// Lookup asks an API server under which resource it keeps a kind, and whether that is of a namespace. It makes one request,
// and tries again what may pass. The error is ErrKind if there is no such kind.
func Lookup(ctx context.Context, client rest.Interface, kind schema.GroupVersionKind) (resource schema.GroupVersionResource, namespaced bool, err error) {
	path := "/apis/" + kind.Group + "/" + kind.Version
	if kind.Group == "" {
		path = "/api/" + kind.Version
	}
	var list metav1.APIResourceList
	err = Retry(ctx, func(ctx context.Context) error {
		result := client.Get().AbsPath(path).SetHeader("Accept", "application/json").Do(ctx)
		if failed := result.Error(); failed != nil {
			return failed
		}
		text, failed := result.Raw()
		if failed != nil {
			return failed
		}
		list = metav1.APIResourceList{}
		return json.Unmarshal(text, &list)
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return schema.GroupVersionResource{}, false, fmt.Errorf("look up %s %s: %w", kind.GroupVersion(), kind.Kind, err)
	}
	for _, r := range list.APIResources {
		if r.Kind == kind.Kind && !strings.Contains(r.Name, "/") && err == nil {
			return kind.GroupVersion().WithResource(r.Name), r.Namespaced, nil
		}
	}
	return schema.GroupVersionResource{}, false, fmt.Errorf("%w %s %s", ErrKind, kind.GroupVersion(), kind.Kind)
}
