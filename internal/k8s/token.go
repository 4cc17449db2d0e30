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
