package match_test

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// tenant is a client with a grant, over connections that dial makes; nil: its
// own.
func tenant(t *testing.T, g k8s.Grant, dial func(ctx context.Context, network, addr string) (net.Conn, error)) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(&rest.Config{
		Host: g.Server, BearerToken: g.Token, Dial: dial, TLSClientConfig: rest.TLSClientConfig{CAData: g.CA}, Timeout: 20 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The life of a lease on a real control plane: its usage is shown, its tokens
// work and stop working, its namespace says what is about to happen, and its API
// server is reached through the provider, TLS from end to end, until it ends.
func TestLeaseOnKubernetes(t *testing.T) {
	kubeconfig := k8stest.Start(t)
	cluster, err := k8s.Open(k8s.Config{Kubeconfig: kubeconfig, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	admin := adminOf(t, kubeconfig)
	b := newLeaseBench(t, func(c *match.ProviderConfig) { c.Cluster = cluster })
	o, _ := b.p.Ledger.Offer("offer")
	o.Notice = 10 * time.Minute
	if err = b.p.Ledger.PutOffer(o); err != nil {
		t.Fatal(err)
	}
	ctx := b.Context()
	l, g := b.activate(3)
	ns := g.Grant.Namespace

	s := b.mustShow(l)
	if len(s.Usage) == 0 || s.State != market.Active {
		t.Errorf("%+v", s)
	}
	for _, u := range s.Usage {
		if u.Resource == "limits.cpu" && (u.Hard != "3" || u.Used != "0") {
			t.Errorf("%+v", u)
		}
	}

	fresh, err := b.token(l, g)
	if err != nil || fresh.Grant.Token == g.Grant.Token {
		t.Fatalf("token: %v", err)
	}
	if _, err := tenant(t, fresh.Grant, nil).CoreV1().Pods(ns).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("with a fresh token: %v", err)
	}

	var opened []net.Conn
	through := tenant(t, fresh.Grant, func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := match.DialLease(ctx, b.r.Link(ctx, b.p), l.ID)
		opened = append(opened, c)
		return c, err
	})
	if _, err := through.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{}); err != nil || len(opened) != 1 {
		t.Errorf("through the provider: %v, %d connections", err, len(opened))
	}
	// Who answers must have the certificate of the grant's server: somebody in
	// between, such as the provider's daemon, has not.
	elsewhere := fresh.Grant
	elsewhere.Server = strings.Replace(elsewhere.Server, "127.0.0.1", "api.example.org", 1)
	if _, err := tenant(t, elsewhere, func(ctx context.Context, _, _ string) (net.Conn, error) {
		return match.DialLease(ctx, b.r.Link(ctx, b.p), l.ID)
	}).CoreV1().Pods(ns).List(ctx, metav1.ListOptions{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server of another name was trusted: %v", err)
	}

	if _, err := b.p.Match.Reclaim(ctx, l.ID); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the namespace to say so", func() bool {
		got, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return err == nil && got.Annotations[manifest.AnnotationNotice] != ""
	})
	waitFor(t, "an event that the tenant sees", func() bool {
		events, err := tenant(t, fresh.Grant, nil).CoreV1().Events(ns).List(ctx, metav1.ListOptions{})
		return err == nil && len(events.Items) > 0
	})

	if err := b.release(l); err != nil {
		t.Fatal(err)
	}
	if _, err := through.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{}); err == nil {
		t.Error("the API server is reached after the release")
	}
	waitFor(t, "the tokens to be refused", func() bool {
		_, first := tenant(t, g.Grant, nil).CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
		_, second := tenant(t, fresh.Grant, nil).CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
		return refusedByAPI(first) && refusedByAPI(second)
	})
	if _, err := b.token(l, g); statusOf(err) != match.StatusGone {
		t.Errorf("a token after the release: %v", err)
	}
}

func refusedByAPI(err error) bool { return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) }

// A provider that gives client certificates gives fresh ones, too.
func TestCertificateOnKubernetes(t *testing.T) {
	cluster, err := k8s.Open(k8s.Config{Kubeconfig: k8stest.Start(t), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	b := newLeaseBench(t, func(c *match.ProviderConfig) { c.Cluster, c.House.Certificates = cluster, true })
	l, g := b.activate(3)
	fresh, err := b.token(l, g)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Grant.Certificate) == 0 || string(fresh.Grant.Certificate) == string(g.Grant.Certificate) || fresh.Grant.Token != "" {
		t.Error("no fresh certificate")
	}
	ctx := b.Context()
	c, err := kubernetes.NewForConfig(&rest.Config{Host: g.Grant.Server, TLSClientConfig: rest.TLSClientConfig{
		CAData: g.Grant.CA, CertData: fresh.Grant.Certificate, KeyData: fresh.Grant.Key,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CoreV1().Pods(g.Grant.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("with a fresh certificate: %v", err)
	}
	if err := b.release(l); err != nil {
		t.Error(err)
	}
}

func adminOf(t *testing.T, kubeconfig string) *kubernetes.Clientset {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
