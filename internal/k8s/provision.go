package k8s

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// Provision may take provisionLimit at most, whatever its context allows, and undoing it undoLimit.
const (
	provisionLimit = 2 * time.Minute
	undoLimit      = 30 * time.Second
)

// Provision makes the namespace of a lease and returns the tenant's credential for it, which expires with the lease, not
// before ten minutes are over, and no later than the cluster's own limit (a certificate: within a day). It is idempotent: what is there already is
// brought to what spec says, and a fresh token is made. If it fails, a *ProvisionError says what became of the namespace.
func (c *Cluster) Provision(ctx context.Context, spec manifest.Spec) (Grant, error) {
	plan, err := manifest.Objects(spec)
	if err != nil {
		return Grant{}, err
	}
	name := plan.Namespace.Name
	if !spec.Expires.After(c.now()) {
		return Grant{}, &ProvisionError{Namespace: name, Err: fmt.Errorf("lease: %w", ErrExpired)}
	}
	bounded, cancel := context.WithTimeout(ctx, provisionLimit)
	defer cancel()
	var mark footprint
	grant, err := c.provision(bounded, spec, plan, &mark)
	if err == nil {
		return grant, nil
	}
	failure := &ProvisionError{Namespace: name, Err: refused(err)}
	if mark.made {
		undo, cancelUndo := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
		defer cancelUndo()
		failure.Undone, failure.Left = c.undo(undo, spec, name, mark)
	}
	return Grant{}, failure
}

// A footprint is what a failed Provision has to take back.
type footprint struct {
	made      bool // the namespace was not there when we looked, and we asked for it
	uncertain bool // the last such request got no answer
}

func (c *Cluster) provision(ctx context.Context, spec manifest.Spec, plan manifest.Plan, mark *footprint) (Grant, error) {
	if err := c.ensureNamespace(ctx, spec, plan.Namespace, mark); err != nil {
		return Grant{}, err
	}
	uids := make([]types.UID, len(plan.Objects))
	inside, insideCtx := errgroup.WithContext(ctx)
	for i, o := range plan.Objects {
		inside.Go(func() error {
			uid, err := c.apply(insideCtx, o)
			uids[i] = uid
			return err
		})
	}
	if err := inside.Wait(); err != nil {
		return Grant{}, err
	}
	var secret types.UID
	for i, o := range plan.Objects {
		if o.Kind == "Secret" && o.Name == manifest.TokenSecret {
			secret = uids[i]
		}
	}
	grant := Grant{Server: c.server, CA: c.ca, Namespace: plan.Namespace.Name}
	last, lastCtx := errgroup.WithContext(ctx)
	for _, o := range plan.Last {
		last.Go(func() error {
			_, err := c.apply(lastCtx, o)
			return err
		})
	}
	last.Go(func() error {
		return c.awaitQuotas(lastCtx, grant.Namespace, plan.Quotas())
	})
	last.Go(func() (err error) {
		if spec.House.Certificates {
			grant.Certificate, grant.Key, grant.Expires, err = c.certificate(lastCtx, spec.Provider, spec.LeaseID, spec.Expires)
		} else {
			grant.Token, grant.Expires, err = c.token(lastCtx, grant.Namespace, secret, spec.Expires)
		}
		return err
	})
	if err := last.Wait(); err != nil {
		return Grant{}, err
	}
	if err := c.try(ctx, spec, grant); err != nil {
		return Grant{}, err
	}
	if err := grant.Validate(c.now()); err != nil {
		return Grant{}, fmt.Errorf("the cluster's own grant: %w", err) // a requester would refuse it
	}
	return grant, nil
}

// undo deletes the namespace that a failed Provision made. Everything else lies in it, and the token was never handed out.
func (c *Cluster) undo(ctx context.Context, spec manifest.Spec, name string, mark footprint) (undone string, left error) {
	err := retry(ctx, func(ctx context.Context) error {
		there, err := c.lookup(ctx, spec, name)
		if err != nil || there == nil {
			return err
		}
		if there.DeletionTimestamp == nil {
			err = c.deleteNamespace(ctx, there)
		}
		if err == nil {
			undone = "namespace deleted"
		}
		return err
	})
	switch {
	case errors.Is(err, ErrForeign):
		return "", nil // somebody else was faster: it is not ours to delete
	case err != nil:
		return "", fmt.Errorf("namespace %s: %w", name, refused(err))
	case undone == "" && mark.uncertain:
		return "", fmt.Errorf("perhaps namespace %s: the request to make it was never answered", name)
	}
	return undone, nil
}

// apply makes one object in our namespace be what its manifest says, by server-side apply, and returns its UID. It takes
// fields over from whoever else set them: in this namespace nobody else should.
func (c *Cluster) apply(ctx context.Context, o manifest.Object) (types.UID, error) {
	body, err := o.JSON()
	if err != nil {
		return "", err
	}
	var there metav1.ObjectMeta
	err = retry(ctx, func(ctx context.Context) (err error) {
		there, err = c.applyOnce(ctx, o.Path(), body)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("apply %s: %w", o, err)
	}
	return there.UID, nil
}

func (c *Cluster) applyOnce(ctx context.Context, path string, body []byte) (metav1.ObjectMeta, error) {
	return metaOf(c.set.CoreV1().RESTClient().Patch(types.ApplyPatchType).AbsPath(path).
		Param("fieldManager", fieldManager).Param("force", "true").
		SetHeader("Accept", metadataOnly).Body(body).Do(ctx))
}
