package k8s

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// minTokenLife is the shortest life that Kubernetes gives to a token. maxTokenLife is the longest that we ask for.
const (
	minTokenLife = 10 * time.Minute
	maxTokenLife = 365 * 24 * time.Hour
)

// Token returns a fresh token for a lease that was provisioned and still lives. It expires at until, not before ten minutes
// are over, and no later than the cluster's own limit: expires is what the cluster says, and who needs access for longer
// asks again before then. Earlier tokens stay valid. If the tenant has deleted the Secret that tokens are bound to, it is
// made anew; the tokens that went with it stay revoked.
//
// The error is ErrNoLease if the lease has no namespace or that is on its way out, and ErrExpired if until has passed.
func (c *Cluster) Token(ctx context.Context, provider, leaseID string, until time.Time) (token string, expires time.Time, err error) {
	fail := func(err error) (string, time.Time, error) {
		return "", time.Time{}, fmt.Errorf("token of lease %s: %w", leaseID, refused(err))
	}
	if !until.After(c.now()) {
		return fail(fmt.Errorf("lease: %w", ErrExpired))
	}
	there, err := c.living(ctx, provider, leaseID)
	if err != nil {
		return fail(err)
	}
	secret, err := c.apply(ctx, manifest.SecretForTokens(manifest.Spec{LeaseID: leaseID, Provider: provider, Namespace: there.Name}))
	if err != nil {
		return fail(err)
	}
	if token, expires, err = c.token(ctx, there.Name, secret, until); err == nil {
		err = checkToken(token)
	}
	if err != nil {
		return fail(err)
	}
	return token, expires, nil
}

// token asks for a token of the tenant's account that is bound to the Secret with this UID, and returns it with the
// expiry that the cluster gave it, which may be earlier than what was asked for.
func (c *Cluster) token(ctx context.Context, namespace string, secret types.UID, until time.Time) (string, time.Time, error) {
	life := min(max(until.Sub(c.now()), minTokenLife), maxTokenLife)
	seconds := int64((life + time.Second - 1) / time.Second)
	ask := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{Kind: "Secret", APIVersion: "v1", Name: manifest.TokenSecret, UID: secret},
	}}
	var answer *authenticationv1.TokenRequest
	err := retry(ctx, func(ctx context.Context) (err error) {
		answer, err = c.set.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, manifest.TenantAccount, ask, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("ask for a token: %w", err)
	}
	return answer.Status.Token, answer.Status.ExpirationTimestamp.Time, nil
}
