package k8s

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A released lease gives access to nobody: neither by the grant's token nor by one that the tenant made for itself by way
// of a Secret, which has no expiry and is bound to nothing. A namespace that will not go is reported, not forgotten.
func TestReleaseRevokes(t *testing.T) {
	t.Parallel()
	c, spec, ctx := testCluster(t, nil), leaseOf(t, ""), testContext(t)
	grant, tenant := provision(t, c, spec)
	// The finalizer keeps the namespace, as an operator's own software might.
	_, err := tenant.CoreV1().Secrets(grant.Namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: "mine", Finalizers: []string{"example.com/keep"}, Annotations: map[string]string{corev1.ServiceAccountNameKey: manifest.TenantAccount},
		},
		Type: corev1.SecretTypeServiceAccountToken,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := grant
	for own.Token = ""; own.Token == ""; sleep(ctx, 10*time.Millisecond) {
		mine, getErr := tenant.CoreV1().Secrets(grant.Namespace).Get(ctx, "mine", metav1.GetOptions{})
		if getErr != nil {
			t.Fatal(getErr)
		}
		own.Token = string(mine.Data[corev1.ServiceAccountTokenKey])
	}
	ways := map[string]*kubernetes.Clientset{"granted token": tenant, "self-made token": tenantOf(t, own)}
	for way, client := range ways {
		if _, err = client.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
			t.Fatalf("%s, to begin with: %v", way, err)
		}
	}
	if err = c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	for way, client := range ways {
		eventually(ctx, t, way+" is refused", func() bool {
			_, err = client.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{})
			return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
		})
	}
	// It says what holds it once the cluster knows, which takes a few seconds.
	eventually(ctx, t, "what holds the namespace is known", func() bool {
		owned, listErr := c.Owned(ctx, spec.Provider)
		if listErr != nil || len(owned) != 1 || !owned[0].Terminating {
			t.Fatalf("a namespace that hangs is owned: %v, %v", owned, listErr)
		}
		return strings.Contains(owned[0].Held, "secrets") && strings.Contains(owned[0].Held, "example.com/keep")
	})
	for longer, want := range map[time.Duration]int{time.Second: 1, time.Hour: 0} {
		if stuck, listErr := c.Stuck(ctx, spec.Provider, longer); listErr != nil || len(stuck) != want || want == 1 && !strings.Contains(stuck[0].Held, "example.com/keep") {
			t.Errorf("stuck for more than %v: %v, %v", longer, stuck, listErr)
		}
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var stuck *StuckError
	if err = c.WaitReleased(short, spec.Provider, spec.LeaseID); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &stuck) ||
		stuck.Namespace != grant.Namespace || !strings.Contains(err.Error(), "example.com/keep") {
		t.Errorf("waiting for a namespace that hangs: %v", err)
	}
	if err = c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Errorf("release again: %v", err)
	}
	for way, client := range ways {
		eventually(ctx, t, way+" is not known any more", func() bool {
			_, err = client.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{})
			return apierrors.IsUnauthorized(err)
		})
	}
}

// eventually fails the test if something does not become true.
func eventually(ctx context.Context, t *testing.T, what string, is func() bool) {
	t.Helper()
	for !is() {
		if sleep(ctx, 20*time.Millisecond); ctx.Err() != nil {
			t.Fatalf("not so in the end: %s", what)
		}
	}
}

// Deleting the Secret that a token is bound to revokes that token, and the account's later tokens are not touched.
func TestTokenIsBoundToItsSecret(t *testing.T) {
	t.Parallel()
	c, spec, ctx := testCluster(t, nil), leaseOf(t, ""), testContext(t)
	grant, first := provision(t, c, spec)
	if err := clientFor(t, adminConfig(t)).CoreV1().Secrets(grant.Namespace).Delete(ctx, manifest.TokenSecret, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	_, second := provision(t, c, spec)
	if _, err := second.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("the later token: %v", err)
	}
	eventually(ctx, t, "the earlier token goes with its Secret", func() bool {
		_, err := first.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{})
		return apierrors.IsUnauthorized(err)
	})
}

// Only the one lease of the one provider goes.
func TestReleaseTouchesNothingElse(t *testing.T) {
	t.Parallel()
	c, ctx := testCluster(t, nil), testContext(t)
	mine, other, foreign := leaseOf(t, "mine"), leaseOf(t, "other"), leaseOf(t, "foreign")
	foreign.Provider = id("another provider")
	for _, spec := range []manifest.Spec{mine, other, foreign} {
		provision(t, c, spec)
	}
	for _, wrong := range [][2]string{{foreign.Provider, mine.LeaseID}, {mine.Provider, id("none")}} {
		if err := c.Release(ctx, wrong[0], wrong[1]); err != nil {
			t.Errorf("releasing nothing: %v", err)
		}
	}
	if err := c.Release(ctx, mine.Provider, mine.LeaseID); err != nil {
		t.Fatal(err)
	}
	assertGone(ctx, t, mine)
	owned, err := c.Owned(ctx, mine.Provider)
	if err != nil {
		t.Fatal(err)
	}
	alive := 0
	for _, o := range owned {
		switch {
		case o.LeaseID == mine.LeaseID && o.Terminating:
		case o == Owned{LeaseID: other.LeaseID, Namespace: manifest.NamespaceFor(other.LeaseID)}:
			alive++
		default:
			t.Errorf("unexpected %+v", o)
		}
	}
	if owned, err := c.Owned(ctx, foreign.Provider); err != nil || len(owned) != 1 || owned[0].Terminating || alive != 1 {
		t.Errorf("other leases: %d alive, the other provider's %v, %v", alive, owned, err)
	}
}

// A namespace that went and came again, under the same name, between our look and our deleting, is another one: it stays.
func TestReleaseDeletesWhatItSaw(t *testing.T) {
	t.Parallel()
	ctx, admin := testContext(t), clientFor(t, adminConfig(t))
	now, err := admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "again"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := now.DeepCopy()
	seen.UID = "an-earlier-one"
	if err = testCluster(t, nil).deleteNamespace(ctx, seen); err != nil {
		t.Error(err)
	}
	if now, err = admin.CoreV1().Namespaces().Get(ctx, "again", metav1.GetOptions{}); err != nil || now.DeletionTimestamp != nil {
		t.Errorf("%v, %v", now, err)
	}
}

// Ids go into selectors, so they must not be able to say more than an id.
func TestSelectorsAreNotInjectable(t *testing.T) {
	t.Parallel()
	c, ctx := testCluster(t, nil), testContext(t)
	for _, bad := range []string{"", "a,b", "a=b", "a in (b)", "!a", "*"} {
		if err := c.Release(ctx, bad, id("lease")); err == nil {
			t.Errorf("provider %q", bad)
		}
		if err := c.Release(ctx, id("provider"), bad); err == nil {
			t.Errorf("lease %q", bad)
		}
		if _, err := c.Owned(ctx, bad); err == nil {
			t.Errorf("owned by %q", bad)
		}
	}
}
