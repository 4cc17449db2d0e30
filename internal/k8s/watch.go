package k8s

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A Watcher is told what becomes of leases in the cluster. Its functions may be called by several goroutines at once, and
// must not wait.
type Watcher struct {
	Changed func(leaseID string)             // somebody has changed or deleted something of this lease
	Missed  func()                           // what happened up to now may have been missed
	Failed  func(resource string, err error) // these are not seen now; nil: they are again
}

// watched are the kinds of objects that confine a tenant, and its namespace.
var watched = []schema.GroupVersionResource{
	corev1.SchemeGroupVersion.WithResource("namespaces"),
	corev1.SchemeGroupVersion.WithResource("resourcequotas"),
	corev1.SchemeGroupVersion.WithResource("limitranges"),
	corev1.SchemeGroupVersion.WithResource("serviceaccounts"),
	corev1.SchemeGroupVersion.WithResource("secrets"),
	networkingv1.SchemeGroupVersion.WithResource("networkpolicies"),
	rbacv1.SchemeGroupVersion.WithResource("roles"),
	rbacv1.SchemeGroupVersion.WithResource("rolebindings"),
}

// How long one watch lasts, and how long it is waited after one that failed.
const (
	watchFor       = 10 * time.Minute
	watchAgainFrom = time.Second
	watchAgainTo   = time.Minute
)

// Watch watches what a provider's leases have in the cluster until ctx ends: their metadata alone, so that no Secret is read
// and next to nothing is kept. It tells of what others do, not of what Provision, Restore, Notice and the cluster's counting
// of usage do; and it only says where to look: what is to be done is found by looking, for a watch may miss something.
func (c *Cluster) Watch(ctx context.Context, provider string, w Watcher) error {
	selector, err := selectorOf(labels.Set{manifest.LabelProvider: provider})
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, kind := range watched {
		all.Go(func() {
			o := &observer{cluster: c, kind: kind, selector: selector, Watcher: w, seen: map[string][sha256.Size]byte{}}
			o.run(ctx)
		})
	}
	all.Wait()
	return ctx.Err()
}

// observer watches the objects of one kind.
type observer struct {
	Watcher
	cluster  *Cluster
	kind     schema.GroupVersionResource
	selector string
	version  string                       // up to which nothing was missed; "" before the first
	seen     map[string][sha256.Size]byte // state of each object, by namespace and name
	broken   bool
}

func (o *observer) run(ctx context.Context) {
	for wait := watchAgainFrom; ctx.Err() == nil; {
		begun := o.cluster.now()
		err := o.watch(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			wait = watchAgainFrom
			if o.cluster.now().Sub(begun) < wait { // something in between ends each at once
				sleep(ctx, wait)
			}
			continue
		case o.cluster.now().Sub(begun) > watchAgainTo:
			wait = watchAgainFrom // it has worked for a while
		}
		if !o.broken {
			o.broken = true
			o.Failed(o.kind.Resource, refused(err))
		}
		sleep(ctx, wait)
		wait = min(2*wait, watchAgainTo)
	}
}

// watch watches once: from where the last one ended, or else beginning with all that there is.
func (o *observer) watch(ctx context.Context) error {
	path := manifest.Object{GroupVersionResource: o.kind}.Collection()
	ask := o.cluster.set.CoreV1().RESTClient().Get().AbsPath(path).SetHeader("Accept", metadataOnly).
		Param("watch", "1").Param("allowWatchBookmarks", "true").Param("labelSelector", o.selector).
		Param("timeoutSeconds", fmt.Sprint(int(watchFor.Seconds())))
	if o.kind.Resource == "secrets" {
		ask.Param("fieldSelector", "metadata.name="+manifest.TokenSecret) // a tenant's own are its own
	}
	if o.version != "" {
		ask.Param("resourceVersion", o.version)
	}
	stream, err := ask.Stream(klog.NewContext(ctx, klog.New(nil))) // as attempt does
	if err != nil {
		return err
	}
	defer stream.Close()
	if o.broken {
		o.broken = false
		o.Failed(o.kind.Resource, nil)
	}
	if o.version == "" {
		clear(o.seen)
		o.Missed()
	}
	for events := json.NewDecoder(stream); ; {
		var e happened
		switch err := events.Decode(&e); {
		case errors.Is(err, io.EOF):
			return nil // its time is over
		case err != nil:
			return err
		case e.Type == "ERROR":
			o.version = "" // most likely it is too old
			return fmt.Errorf("the watch was ended: %s", e.Object.Message)
		}
		o.see(e)
	}
}

// happened is one event of a watch: about an object's metadata, or the status that ends it.
type happened struct {
	Type   string `json:"type"`
	Object struct {
		metav1.ObjectMeta `json:"metadata"`
		Message           string `json:"message"`
	} `json:"object"`
}

func (o *observer) see(e happened) {
	o.version = e.Object.ResourceVersion
	lease, home := e.Object.Labels[manifest.LabelLease], e.Object.Namespace
	if o.kind.Resource == "namespaces" {
		home = e.Object.Name
	}
	if lease == "" || home != manifest.NamespaceFor(lease) { // a bookmark; or a label that somebody has copied
		return
	}
	name := e.Object.Namespace + "/" + e.Object.Name
	state := hands(e.Object.ObjectMeta)
	if o.kind.Resource == "namespaces" {
		state = fmt.Sprint(says(e.Object.ObjectMeta)) // in the order of the keys
	}
	now := sha256.Sum256([]byte(state))
	before, known := o.seen[name]
	if o.seen[name] = now; e.Type == "DELETED" {
		delete(o.seen, name)
	}
	if e.Type == "DELETED" || e.Object.DeletionTimestamp != nil || known && before != now {
		o.Changed(lease)
	}
}
