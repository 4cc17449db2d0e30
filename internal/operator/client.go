package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/k8s"
)

const (
	contributions = "poolcontributions"
	poolLeases    = "poolleases"
	fieldManager  = "angler-operator"
	page          = 100
	// attempts bounds all tries of one call.
	attempts = 30 * time.Second
	// watchFor is how long one watch lasts.
	watchFor = 5 * time.Minute
)

// objects reads and writes objects of our kinds in one namespace.
type objects struct {
	rest      rest.Interface
	namespace string
}

func (o objects) path(kind string, below ...string) []string {
	return append([]string{"apis", Group, Version, "namespaces", o.namespace, kind}, below...)
}

// list calls keep for each object of a kind, as JSON. A list that expires while it is read is an error: the next sync reads
// it anew.
func (o objects) list(ctx context.Context, kind string, selector labels.Set, keep func(raw json.RawMessage) error) (version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, attempts)
	defer cancel()
	opts := metav1.ListOptions{Limit: page, LabelSelector: labels.SelectorFromSet(selector).String()}
	for {
		var list struct {
			Metadata metav1.ListMeta   `json:"metadata"`
			Items    []json.RawMessage `json:"items"`
		}
		err = k8s.Retry(ctx, func(ctx context.Context) error {
			req := o.rest.Get().AbsPath(o.path(kind)...).Param("limit", fmt.Sprint(opts.Limit)).SetHeader("Accept", "application/json")
			if opts.Continue != "" {
				req.Param("continue", opts.Continue)
			}
			if opts.LabelSelector != "" {
				req.Param("labelSelector", opts.LabelSelector)
			}
			raw, failed := req.Do(ctx).Raw()
			if failed != nil {
				return failed
			}
			list.Items = nil
			return json.Unmarshal(raw, &list)
		})
		if err != nil {
			return "", fmt.Errorf("list %s: %w", kind, err)
		}
		for _, raw := range list.Items {
			if err = keep(raw); err != nil {
				return "", fmt.Errorf("list %s: %w", kind, err)
			}
		}
		if opts.Continue = list.Metadata.Continue; opts.Continue == "" {
			return list.Metadata.ResourceVersion, nil
		}
	}
}

// apply writes an object, or with "status" below it that alone, by server-side apply: what others wrote meanwhile is no
// conflict, for nobody else is to write these fields.
func (o objects) apply(ctx context.Context, kind, name string, object any, below ...string) error {
	ctx, cancel := context.WithTimeout(ctx, attempts)
	defer cancel()
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	err = k8s.Retry(ctx, func(ctx context.Context) error {
		return o.rest.Patch(types.ApplyPatchType).AbsPath(o.path(kind, append([]string{name}, below...)...)...).
			Param("fieldManager", fieldManager).Param("force", "true").SetHeader("Accept", "application/json").Body(body).Do(ctx).Error()
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("write %s/%s: %w", kind, name, err)
	}
	return nil // what is gone needs no status
}

func (o objects) delete(ctx context.Context, kind, name string) error {
	ctx, cancel := context.WithTimeout(ctx, attempts)
	defer cancel()
	err := k8s.Retry(ctx, func(ctx context.Context) error {
		return o.rest.Delete().AbsPath(o.path(kind, name)...).Do(ctx).Error()
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s/%s: %w", kind, name, err)
	}
	return nil
}

// watch calls changed for every event of a kind from a version on, until the watch ends.
func (o objects) watch(ctx context.Context, kind, version string, changed func()) error {
	ctx, cancel := context.WithTimeout(ctx, watchFor+attempts)
	defer cancel()
	stream, err := o.rest.Get().AbsPath(o.path(kind)...).Param("watch", "1").Param("resourceVersion", version).
		Param("timeoutSeconds", fmt.Sprint(int(watchFor.Seconds()))).SetHeader("Accept", "application/json").Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	events := json.NewDecoder(stream)
	for {
		var event struct {
			Type string `json:"type"`
		}
		switch err := events.Decode(&event); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		changed()
		if event.Type == "ERROR" {
			return nil // that version is too old: the next list has a newer one
		}
	}
}
