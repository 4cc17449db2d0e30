package k8s

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A NoticeKind is what a tenant is told of.
type NoticeKind uint8

// The kinds of notices.
const (
	NoticeRenewed NoticeKind = iota + 1 // the lease now ends at Ends
	NoticeExpiry                        // the lease ends at Ends, if nothing is done
	NoticeReclaim                       // the provider takes the lease back at Ends
	NoticeBegun                         // the lease has begun, and ends at Ends: no event
)

// A Notice tells a tenant when its lease ends, and why it is told.
type Notice struct {
	Kind NoticeKind
	Ends time.Time
}

// kinds holds, for each kind, the reason of its events, their type and the words around the time.
var kinds = map[NoticeKind]struct{ reason, severity, before, after string }{
	NoticeRenewed: {"LeaseRenewed", corev1.EventTypeNormal, "the lease is renewed until ", ""},
	NoticeExpiry:  {"LeaseEnds", corev1.EventTypeWarning, "the lease ends at ", " unless it is renewed"},
	NoticeReclaim: {"LeaseReclaimed", corev1.EventTypeWarning, "the provider takes the lease back at ", ""},
	NoticeBegun:   {},
}

// noticeManager owns the notice in server-side apply, so that to provision a namespace anew leaves it there.
const noticeManager = "angler-notice"

// Notice tells whoever looks into a lease's namespace what is about to happen to it: as an annotation of the namespace,
// which stays until the next notice, and as an event in it, which kubectl get events shows. Each moves the annotation that
// says when the lease expires, which is all that NoticeBegun does; NoticeRenewed takes the other back. It is idempotent. The error is ErrNoLease if the lease
// has no namespace.
func (c *Cluster) Notice(ctx context.Context, provider, leaseID string, n Notice) error {
	says, ok := kinds[n.Kind]
	if !ok {
		return fmt.Errorf("k8s: no kind of notice: %d", n.Kind)
	}
	there, err := c.living(ctx, provider, leaseID)
	if err != nil {
		return fmt.Errorf("notice: %w", err)
	}
	ends := n.Ends.UTC().Format(time.RFC3339)
	text := says.before + ends + says.after
	var said map[string]string
	if n.Kind == NoticeExpiry || n.Kind == NoticeReclaim {
		said = map[string]string{manifest.AnnotationNotice: text}
	}
	if n.Kind != NoticeBegun {
		err = c.annotate(ctx, there, types.ApplyPatchType, said)
	}
	if err == nil {
		// A merge leaves the field with the manager of the namespace, whose next apply may move it again.
		err = c.annotate(ctx, there, types.MergePatchType, map[string]string{manifest.AnnotationExpires: ends})
	}
	if err == nil && n.Kind != NoticeBegun {
		// The event's name follows from what it says, so that there is one however often it is asked for.
		err = c.event(ctx, there.ObjectMeta, provider, happening{
			name: fmt.Sprintf("angler-notice-%d-%d", n.Kind, n.Ends.Unix()), reason: says.reason, severity: says.severity, text: text,
		})
	}
	if err != nil {
		return fmt.Errorf("notice: %w", refused(err))
	}
	return nil
}

// annotate sets annotations of this very namespace: by apply, these are all that notices have there; by merge, these change.
func (c *Cluster) annotate(ctx context.Context, there *corev1.Namespace, how types.PatchType, annotations map[string]string) error {
	body, err := json.Marshal(corev1ac.Namespace(there.Name).WithUID(there.UID).WithAnnotations(annotations))
	if err != nil {
		return err
	}
	return retry(ctx, func(ctx context.Context) error {
		ask := c.set.CoreV1().RESTClient().Patch(how).Resource("namespaces").Name(there.Name).Param("fieldManager", noticeManager)
		if how == types.ApplyPatchType {
			ask = ask.Param("force", "true")
		}
		return ask.Body(body).Do(ctx).Error()
	})
}

// A happening is what an event tells whoever looks into a namespace.
type happening struct{ name, reason, severity, text string }

// event writes an event about a lease's namespace into it; that there is one of that name already is no error.
func (c *Cluster) event(ctx context.Context, there metav1.ObjectMeta, provider string, h happening) error {
	event := &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Name: h.name, Namespace: there.Name, Labels: map[string]string{manifest.LabelManagedBy: manifest.ManagedBy},
		},
		EventTime:           metav1.NewMicroTime(c.now()),
		ReportingController: manifest.Domain + "/angler", ReportingInstance: provider,
		Action: "Notify", Reason: h.reason, Type: h.severity, Note: h.text,
		// With the namespace named, an event about a namespace may lie in it, where its tenant may read.
		Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Namespace", Name: there.Name, Namespace: there.Name, UID: there.UID},
	}
	return retry(ctx, func(ctx context.Context) error {
		_, err := c.set.EventsV1().Events(there.Name).Create(ctx, event, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}
