package k8s

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// An Owned is a namespace of ours.
type Owned struct {
	LeaseID     string
	Namespace   string
	Terminating bool // deleted, but not gone yet
	// Held is what keeps a terminating namespace, in the cluster's words: what is left in it, which finalizers nobody
	// removes. "" while the cluster has not said.
	Held string
}

// pageSize is how many namespaces are listed at once.
const pageSize = 500

// Release ends a lease. When it returns, the tenant may do nothing any more, as soon as the API server's authorizer has
// taken notice (milliseconds); its tokens are refused altogether once the API server forgets that it knew them (ten
// seconds); and the namespace is on its way out (WaitReleased waits for that). That there is none is success. Only a
// namespace with this provider's and this lease's labels is touched.
func (c *Cluster) Release(ctx context.Context, provider, leaseID string) error {
	selector, err := leaseSelector(provider, leaseID)
	if err != nil {
		return err
	}
	var mine []*corev1.Namespace
	err = retry(ctx, func(ctx context.Context) error {
		mine = nil
		return c.eachNamespace(ctx, selector, func(there *corev1.Namespace) error {
			mine = append(mine, there)
			return nil
		})
	})
	for _, there := range mine {
		if err == nil {
			err = c.revoke(ctx, there.Name)
		}
		if err == nil && there.DeletionTimestamp == nil {
			err = retry(ctx, func(ctx context.Context) error { return c.deleteNamespace(ctx, there) })
		}
	}
	if err != nil {
		return fmt.Errorf("release lease %s: %w", leaseID, refused(err))
	}
	return nil
}

// revoke takes the tenant's rights and account away. The namespace takes seconds to go, or forever if a finalizer in it
// hangs; the binding goes at once, and with the account every token of it, those too that the tenant may have made for
// itself (see package manifest).
func (c *Cluster) revoke(ctx context.Context, namespace string) error {
	for _, take := range []func(context.Context) error{
		func(ctx context.Context) error {
			return c.set.RbacV1().RoleBindings(namespace).Delete(ctx, manifest.TenantBinding, metav1.DeleteOptions{})
		},
		func(ctx context.Context) error {
			return c.set.CoreV1().ServiceAccounts(namespace).Delete(ctx, manifest.TenantAccount, metav1.DeleteOptions{})
		},
	} {
		if err := retry(ctx, take); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// A StuckError says what keeps a namespace that was waited for.
type StuckError struct {
	Namespace string
	Held      string // as in Owned
	Err       error  // why it is not waited for any longer: the context's error
}

func (e *StuckError) Error() string {
	text := fmt.Sprintf("namespace %s is still there: %v", e.Namespace, e.Err)
	if e.Held != "" {
		text += ": " + e.Held
	}
	return text
}

func (e *StuckError) Unwrap() error { return e.Err }

const errRemains = notYet("the namespace is still there")

// WaitReleased waits until nothing of a released lease is left in the cluster. Namespaces take five to ten seconds; one
// that holds something with a finalizer may take forever, then the error is a *StuckError with the context's.
func (c *Cluster) WaitReleased(ctx context.Context, provider, leaseID string) error {
	selector, err := leaseSelector(provider, leaseID)
	if err != nil {
		return err
	}
	var last *corev1.Namespace
	err = retry(ctx, func(ctx context.Context) error {
		return c.eachNamespace(ctx, selector, func(there *corev1.Namespace) error {
			last = there
			return errRemains
		})
	})
	if err == nil {
		return nil
	}
	if last != nil && ctx.Err() != nil {
		err = &StuckError{Namespace: last.Name, Held: held(last), Err: context.Cause(ctx)}
	}
	return fmt.Errorf("wait for the end of lease %s: %w", leaseID, refused(err))
}

// held words what the namespace controller says about a namespace that it cannot finish.
func held(there *corev1.Namespace) string {
	var says []string
	for _, condition := range there.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case corev1.NamespaceContentRemaining, corev1.NamespaceFinalizersRemaining, corev1.NamespaceDeletionContentFailure,
			corev1.NamespaceDeletionDiscoveryFailure, corev1.NamespaceDeletionGVParsingFailure:
			says = append(says, condition.Message)
		}
	}
	if len(says) == 0 && there.DeletionTimestamp != nil && len(there.Finalizers) > 0 {
		says = append(says, "finalizers of the namespace itself: "+strings.Join(there.Finalizers, ", "))
	}
	return strings.Join(says, "; ")
}

// Owned lists this provider's namespaces, whatever state they are in.
func (c *Cluster) Owned(ctx context.Context, provider string) ([]Owned, error) {
	return c.owned(ctx, provider, func(*corev1.Namespace) bool { return true })
}

// Stuck lists this provider's namespaces that have been on their way out for longer than a while: what an operator has to
// look at. Namespaces take ten seconds; a minute and more means that something holds them, which Owned.Held says.
func (c *Cluster) Stuck(ctx context.Context, provider string, longer time.Duration) ([]Owned, error) {
	return c.owned(ctx, provider, func(there *corev1.Namespace) bool {
		return there.DeletionTimestamp != nil && c.now().Sub(there.DeletionTimestamp.Time) > longer
	})
}

func (c *Cluster) owned(ctx context.Context, provider string, want func(*corev1.Namespace) bool) ([]Owned, error) {
	selector, err := selectorOf(labels.Set{manifest.LabelProvider: provider})
	if err != nil {
		return nil, err
	}
	var owned []Owned
	err = retry(ctx, func(ctx context.Context) error {
		owned = nil
		return c.eachNamespace(ctx, selector, func(there *corev1.Namespace) error {
			if want(there) {
				owned = append(owned, Owned{
					LeaseID: there.Labels[manifest.LabelLease], Namespace: there.Name, Terminating: there.DeletionTimestamp != nil,
					Held: held(there),
				})
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", refused(err))
	}
	return owned, nil
}

func leaseSelector(provider, leaseID string) (string, error) {
	return selectorOf(labels.Set{manifest.LabelProvider: provider, manifest.LabelLease: leaseID})
}

// selectorOf selects what carries these labels. An empty value, which would select more than one lease or one provider's
// leases, and one that is not a label value is refused.
func selectorOf(set labels.Set) (string, error) {
	for label, value := range set {
		if value == "" {
			return "", fmt.Errorf("k8s: no value for label %s", label)
		}
	}
	selector, err := labels.ValidatedSelectorFromSet(set)
	if err != nil {
		return "", fmt.Errorf("k8s: %w", err)
	}
	return selector.String(), nil
}

// eachNamespace calls visit for every namespace that the selector selects, page by page.
func (c *Cluster) eachNamespace(ctx context.Context, selector string, visit func(*corev1.Namespace) error) error {
	options := metav1.ListOptions{LabelSelector: selector, Limit: pageSize}
	for {
		page, err := c.set.CoreV1().Namespaces().List(ctx, options)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := visit(&page.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return nil
		}
	}
}
