package workload

import (
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s"
)

// maxAnswer is how much of one answer is read. A real one of this size is beyond what an API server stores.
const maxAnswer = 64 << 20

// A Target is a leased namespace. It may be used by several goroutines.
type Target struct {
	set       *kubernetes.Clientset
	objects   *dynamic.DynamicClient
	namespace string
}

// Open reads a kubeconfig of our own, as package k8s writes it, and goes by one of its contexts; "" is the current one. It
// talks to nobody. The context must name its namespace.
func Open(kubeconfig []byte, context string) (*Target, error) {
	raw, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	chosen := clientcmd.NewNonInteractiveClientConfig(*raw, context, &clientcmd.ConfigOverrides{}, nil)
	where, err := chosen.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	name := firstOf(context, raw.CurrentContext)
	if raw.Contexts[name] == nil || raw.Contexts[name].Namespace == "" {
		return nil, fmt.Errorf("kubeconfig: context %q names no namespace", name)
	}
	where.QPS, where.UserAgent, where.WarningHandlerWithContext = -1, "angler", rest.NoWarnings{}
	server, _, err := rest.DefaultServerUrlFor(where)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	where.Wrap(func(next http.RoundTripper) http.RoundTripper { return guard{next, server.Host} })
	t := &Target{namespace: raw.Contexts[name].Namespace}
	if t.set, err = kubernetes.NewForConfig(where); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if t.objects, err = dynamic.NewForConfig(where); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return t, nil
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// Namespace returns the namespace.
func (t *Target) Namespace() string { return t.namespace }

// A guard keeps requests with the API server, whatever that says, and its answers within bounds.
type guard struct {
	next http.RoundTripper
	host string
}

var (
	errElsewhere = fmt.Errorf("%w: it sends us to another host", k8s.ErrHostile)
	errTooMuch   = fmt.Errorf("%w: its answer does not end", k8s.ErrHostile)
)

func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != g.host || r.URL.Scheme != "https" {
		return nil, errElsewhere
	}
	response, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &bounded{response.Body, maxAnswer}
	return response, nil
}

// bounded is a body that ends with an error after left bytes.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
