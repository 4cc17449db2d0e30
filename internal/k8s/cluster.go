package k8s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// fieldManager owns, in server-side apply, every field that we set.
const fieldManager = "angler"

// attemptLimit bounds one request, so that one that hangs is tried again.
const attemptLimit = 10 * time.Second

// Config says which cluster, and as what it is shown to tenants.
type Config struct {
	Kubeconfig string           // a file; empty: $KUBECONFIG, then the configuration of the pod that we run in
	Server     string           // the https address that tenants are given; empty: the one in the configuration
	CA         []byte           // PEM, for Server; empty: as in the configuration
	Now        func() time.Time // the wall clock
	Rand       io.Reader        // for the keys of certificates; nil where no grant holds one
}

// A Cluster is a Kubernetes API server and who we are there. It may be used by several goroutines.
type Cluster struct {
	set    *kubernetes.Clientset // as the provider
	nobody *rest.Config          // who brings a credential of its own starts from here
	anyone *kubernetes.Clientset // as nobody, for requests that bring a token
	server string
	ca     []byte // canonical PEM
	now    func() time.Time
	random io.Reader
	reach  time.Duration // reachLimit, but in tests
	heed   time.Duration // gpuLimit, likewise
}

// Open reads the configuration; it does not talk to the cluster (Ping does). The error is ErrNoCluster if there is none.
func Open(cfg Config) (*Cluster, error) {
	where, err := load(cfg.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return open(where, cfg, nil)
}

// load finds the configuration: the given file, $KUBECONFIG, the pod's. Not ~/.kube/config: a daemon that shares a cluster
// with others does so because somebody named that cluster.
func load(path string) (*rest.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: path, WarnIfAllMissing: false}
	if path == "" {
		list := os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
		if list == "" {
			cfg, err := rest.InClusterConfig()
			if errors.Is(err, rest.ErrNotInCluster) {
				return nil, fmt.Errorf("%w: no kubeconfig was given, $KUBECONFIG is not set, and this is not a pod", ErrNoCluster)
			}
			return cfg, err
		}
		rules.Precedence = filepath.SplitList(list)
		path = "$KUBECONFIG=" + list
	}
	raw, err := rules.Load()
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrNoCluster, path, err)
	}
	if len(raw.Clusters) == 0 {
		return nil, fmt.Errorf("%w: %s names none", ErrNoCluster, path)
	}
	cfg, err := clientcmd.NewDefaultClientConfig(*raw, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoCluster, path, err)
	}
	return cfg, nil
}

// open makes the client. wrap, if not nil, sees every request.
func open(where *rest.Config, cfg Config, wrap func(http.RoundTripper) http.RoundTripper) (*Cluster, error) {
	where = rest.CopyConfig(where)
	where.QPS = -1 // the API server throttles by priority and fairness; a second limit here would only delay grants
	where.UserAgent = "angler"
	where.WarningHandlerWithContext = rest.NoWarnings{}
	if wrap != nil {
		where.Wrap(wrap)
	}
	if err := rest.LoadTLSFiles(where); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCluster, err)
	}
	c := &Cluster{server: where.Host, now: cfg.Now, random: cfg.Rand, reach: reachLimit, heed: gpuLimit}
	if cfg.Server != "" {
		c.server = cfg.Server
	}
	ca := where.CAData
	if len(cfg.CA) > 0 {
		ca = cfg.CA
	}
	var err error
	if err = checkServer(c.server); err != nil {
		return nil, fmt.Errorf("the cluster's address cannot be given to tenants: %w", err)
	}
	if c.ca, err = canonicalCA(ca, false); err != nil {
		return nil, fmt.Errorf("the cluster's certificate authority cannot be given to tenants: %w", err)
	}
	if c.set, err = kubernetes.NewForConfig(where); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCluster, err)
	}
	c.nobody = rest.AnonymousClientConfig(where)
	if wrap != nil {
		c.nobody.Wrap(wrap)
	}
	if c.anyone, err = kubernetes.NewForConfig(c.nobody); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCluster, err)
	}
	return c, nil
}

// Server returns the address that tenants are given.
func (c *Cluster) Server() string { return c.server }

// Ping asks the cluster once whether we may make namespaces there. The error is ErrNoCluster if nothing answers and
// ErrForbidden if we may not, or are not known.
func (c *Cluster) Ping(ctx context.Context) error {
	ask := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "create", Version: "v1", Resource: "namespaces"},
	}}
	var answer *authorizationv1.SelfSubjectAccessReview
	err := attempt(ctx, func(ctx context.Context) (err error) {
		answer, err = c.set.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, ask, metav1.CreateOptions{})
		return err
	})
	switch {
	case err != nil && statusOf(err) == 0:
		return fmt.Errorf("%w: nothing answers at %s: %w", ErrNoCluster, c.set.RESTClient().Get().URL().Host, err)
	case err != nil:
		return refused(err)
	case !answer.Status.Allowed:
		return fmt.Errorf("%w: this identity may not create namespaces (it needs what the cluster role %s holds)", ErrForbidden, manifest.ProviderRoleName)
	}
	return nil
}
