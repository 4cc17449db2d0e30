package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// Reasons to look at the namespace again.
const (
	errAppeared    = notYet("the namespace has appeared meanwhile")
	errTerminating = notYet("the namespace is still being deleted")
)

// reachLimit is how long a provision waits for the API server's first answer: enough for one that is restarted or busy. As
// nothing was made yet there is nothing to undo, and a tenant whom another cluster may serve is told soon.
const reachLimit = 20 * time.Second

// ensureNamespace makes the namespace be there and be this lease's. One that is still being deleted is waited for. The error
// is ErrUnreached if the server has not answered within reachLimit.
func (c *Cluster) ensureNamespace(ctx context.Context, spec manifest.Spec, o manifest.Object, mark *footprint) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	silence := time.AfterFunc(c.reach, func() { giveUp(ErrUnreached) })
	defer silence.Stop()
	err := retry(ctx, func(ctx context.Context) error {
		there, err := c.lookup(ctx, spec, o.Name)
		if err == nil || errors.Is(err, ErrForeign) || statusOf(err) != 0 {
			silence.Stop()
		}
		switch {
		case err != nil:
			return err
		case there == nil:
			return c.createNamespace(ctx, o, mark)
		case there.DeletionTimestamp != nil:
			return errTerminating
		}
		_, err = c.applyNamespace(ctx, o, there.UID)
		return err
	})
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), ErrUnreached) {
		err = ErrUnreached // which cut the attempt off
	}
	if err != nil {
		return fmt.Errorf("make the namespace: %w", err)
	}
	return nil
}

// applyNamespace makes this very namespace be what its manifest says: with the UID in it, the request fails if there is
// another one of its name by now.
func (c *Cluster) applyNamespace(ctx context.Context, o manifest.Object, uid types.UID) (metav1.ObjectMeta, error) {
	config := *o.Config.(*corev1ac.NamespaceApplyConfiguration)
	meta := *config.ObjectMetaApplyConfiguration
	config.ObjectMetaApplyConfiguration = &meta
	o.Config = config.WithUID(uid)
	body, err := o.JSON()
	if err != nil {
		return metav1.ObjectMeta{}, err
	}
	return c.applyOnce(ctx, o.Path(), body)
}

// lookup returns the namespace if it is there and this lease's, nil if it is not there, ErrForeign if it is not ours.
func (c *Cluster) lookup(ctx context.Context, spec manifest.Spec, name string) (*corev1.Namespace, error) {
	there, err := c.set.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case there.Labels[manifest.LabelProvider] != spec.Provider || there.Labels[manifest.LabelLease] != spec.LeaseID:
		return nil, fmt.Errorf("%w: %s does not carry this provider's and this lease's labels", ErrForeign, name)
	}
	return there, nil
}

// createNamespace asks for the namespace with a request that fails if it is there: server-side apply would take over a
// foreign one. The request is not cut off when ctx is cancelled, so that we learn what came of it; it has attemptLimit.
func (c *Cluster) createNamespace(ctx context.Context, o manifest.Object, mark *footprint) error {
	body, err := o.JSON()
	if err != nil {
		return err
	}
	if err = ctx.Err(); err != nil {
		return err
	}
	err = attempt(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return c.set.CoreV1().RESTClient().Post().AbsPath(o.Collection()).
			Param("fieldManager", fieldManager).
			SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body).Do(ctx).Error()
	})
	code := statusOf(err)
	switch {
	case err == nil:
		mark.made, mark.uncertain = true, false
	case code == 0 || code >= 500: // it may have been carried out all the same
		mark.made, mark.uncertain = true, true
	case apierrors.IsAlreadyExists(err):
		return errAppeared
	}
	return err
}

// deleteNamespace deletes this very namespace, or nothing. That it is gone already is success, even if there is another one of
// its name.
func (c *Cluster) deleteNamespace(ctx context.Context, there *corev1.Namespace) error {
	err := c.set.CoreV1().Namespaces().Delete(ctx, there.Name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(there.UID)),
	})
	if apierrors.IsConflict(err) {
		now, getErr := c.set.CoreV1().Namespaces().Get(ctx, there.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(getErr) || getErr == nil && now.UID != there.UID {
			return nil
		}
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// metadataOnly asks an API server for the metadata of an object in place of the whole.
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// metaOf reads the metadata out of an object that the API server sent.
func metaOf(result rest.Result) (metav1.ObjectMeta, error) {
	if err := result.Error(); err != nil { // unlike Raw's, this holds what the server said
		return metav1.ObjectMeta{}, err
	}
	answer, err := result.Raw()
	if err != nil {
		return metav1.ObjectMeta{}, err
	}
	var o metav1.PartialObjectMetadata
	if err := json.Unmarshal(answer, &o); err != nil {
		return metav1.ObjectMeta{}, fmt.Errorf("read the server's answer: %w", err)
	}
	return o.ObjectMeta, nil
}
