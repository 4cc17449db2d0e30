package matchtest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// Cluster is the ideal functionality of a Kubernetes cluster, as match.Cluster
// promises it: Provision makes a lease's namespace be what the spec says and
// gives a fresh token for it; Release makes it be gone; both may be repeated;
// and what one provider made, another cannot release. What a real cluster does
// beyond that, it does in its own time: it can refuse, hang, and do what it was
// asked without saying so. Before and After make this one do the same.
type Cluster struct {
	ca []byte

	mu            sync.Mutex
	before, after Fault
	namespaces    map[string]manifest.Spec // by lease
	calls         map[Op]int
	tokens        []string
	notices       map[string][]k8s.Notice // by lease, in order
	server        string                  // where Dial connects to
	meddled       map[string][]string     // by lease: objects that somebody has changed
	watchers      []k8s.Watcher
}

// Fault is asked about each call; an error is the answer to it.
type Fault func(ctx context.Context, op Op, lease string) error

// Before sets what is asked when a call comes in; with an error, nothing is done.
func (c *Cluster) Before(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = f
}

// After sets what is asked when a call has been carried out.
func (c *Cluster) After(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after = f
}

// Op is a call to a Cluster.
type Op string

// The calls.
const (
	Provision Op = "provision"
	Release   Op = "release"
	Ping      Op = "ping"
	Token     Op = "token"
	Usage     Op = "usage"
	Notice    Op = "notice"
	Dial      Op = "dial"
	Look      Op = "look"
	Restore   Op = "restore"
)

// ErrRefused is what a cluster says that does not want to.
var ErrRefused = errors.New("the cluster refuses")

// NewCluster returns an empty cluster that never fails.
func NewCluster(tb testing.TB) *Cluster {
	tb.Helper()
	return &Cluster{ca: CA(tb), namespaces: map[string]manifest.Spec{}, calls: map[Op]int{}, notices: map[string][]k8s.Notice{}, meddled: map[string][]string{}}
}

// Provision is match.Cluster's.
func (c *Cluster) Provision(ctx context.Context, spec manifest.Spec) (k8s.Grant, error) {
	if err := c.ask(ctx, &c.before, Provision, spec.LeaseID); err != nil {
		return k8s.Grant{}, err
	}
	if err := ctx.Err(); err != nil {
		return k8s.Grant{}, err
	}
	if _, err := manifest.Objects(spec); err != nil {
		return k8s.Grant{}, err
	}
	c.mu.Lock()
	c.calls[Provision]++
	c.namespaces[spec.LeaseID] = spec
	token := fmt.Sprintf("token-%d-%s", c.calls[Provision], rand.Text())
	c.tokens = append(c.tokens, token)
	c.mu.Unlock()
	if err := c.ask(ctx, &c.after, Provision, spec.LeaseID); err != nil {
		return k8s.Grant{}, err
	}
	return k8s.Grant{
		Server: "https://cluster.example:6443", CA: c.ca, Namespace: manifest.NamespaceFor(spec.LeaseID), Token: token, Expires: spec.Expires,
	}, nil
}

// Release is match.Cluster's.
func (c *Cluster) Release(ctx context.Context, provider, leaseID string) error {
	if err := c.ask(ctx, &c.before, Release, leaseID); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.calls[Release]++
	if c.namespaces[leaseID].Provider == provider {
		delete(c.namespaces, leaseID)
	}
	c.mu.Unlock()
	return c.ask(ctx, &c.after, Release, leaseID)
}

// of carries out a call about a lease that this provider has provisioned.
func (c *Cluster) of(ctx context.Context, op Op, provider, leaseID string, f func(manifest.Spec)) error {
	if err := c.ask(ctx, &c.before, op, leaseID); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	spec, ok := c.namespaces[leaseID]
	if ok = ok && spec.Provider == provider; ok {
		c.calls[op]++
		f(spec)
	}
	c.mu.Unlock()
	if !ok {
		return k8s.ErrNoLease
	}
	return c.ask(ctx, &c.after, op, leaseID)
}

// Token is match.Cluster's.
func (c *Cluster) Token(ctx context.Context, provider, leaseID string, until time.Time) (token string, expires time.Time, err error) {
	err = c.of(ctx, Token, provider, leaseID, func(manifest.Spec) {
		token = fmt.Sprintf("fresh-%d-%s", c.calls[Token], rand.Text())
		c.tokens = append(c.tokens, token)
	})
	return token, until, err
}

// Certificate is match.Cluster's; this one has tokens only.
func (c *Cluster) Certificate(context.Context, string, string, time.Time) (certificate, key []byte, expires time.Time, err error) {
	return nil, nil, time.Time{}, ErrRefused
}

// Usage is match.Cluster's: half of everything.
func (c *Cluster) Usage(ctx context.Context, provider, leaseID string) (list []k8s.Usage, err error) {
	err = c.of(ctx, Usage, provider, leaseID, func(s manifest.Spec) {
		for _, name := range slices.Sorted(maps.Keys(s.Quota)) {
			hard := s.Quota[name]
			list = append(list, k8s.Usage{Resource: "limits." + string(name), Used: "1", Hard: hard.String()})
		}
	})
	return list, err
}

// Notice is match.Cluster's.
func (c *Cluster) Notice(ctx context.Context, provider, leaseID string, n k8s.Notice) error {
	return c.of(ctx, Notice, provider, leaseID, func(manifest.Spec) { c.notices[leaseID] = append(c.notices[leaseID], n) })
}

// Notices lists what a lease's namespace was told, in order.
func (c *Cluster) Notices(lease string) []k8s.Notice {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notices[lease])
}

// Look is match.Cluster's.
func (c *Cluster) Look(ctx context.Context, provider, leaseID string) error {
	return c.of(ctx, Look, provider, leaseID, func(manifest.Spec) {})
}

// Made is match.Cluster's.
func (c *Cluster) Made(g k8s.Grant) bool { return bytes.Equal(g.CA, c.ca) }

// Restore is match.Cluster's.
func (c *Cluster) Restore(ctx context.Context, spec manifest.Spec, _ time.Time) (restored []string, err error) {
	err = c.of(ctx, Restore, spec.Provider, spec.LeaseID, func(manifest.Spec) {
		restored = c.meddled[spec.LeaseID]
		delete(c.meddled, spec.LeaseID)
		c.namespaces[spec.LeaseID] = spec
	})
	return restored, err
}

// Watch is match.Cluster's.
func (c *Cluster) Watch(ctx context.Context, _ string, w k8s.Watcher) error {
	c.mu.Lock()
	c.watchers = append(c.watchers, w)
	c.mu.Unlock()
	w.Missed()
	<-ctx.Done()
	return ctx.Err()
}

// Meddle does to a lease what somebody else may do in the cluster: it deletes the
// namespace, or changes objects in it. Whoever watches hears of it.
func (c *Cluster) Meddle(lease string, objects ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.meddled[lease] = append(c.meddled[lease], objects...); len(objects) == 0 {
		delete(c.namespaces, lease)
	}
	for _, w := range c.watchers {
		w.Changed(lease)
	}
}

// Touch does what a tenant may to a lease's objects: whoever watches hears of it,
// and there is nothing to put back.
func (c *Cluster) Touch(lease string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.watchers {
		w.Changed(lease)
	}
}

// Serve says where the API server is.
func (c *Cluster) Serve(addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = addr
}

// Dial is match.Cluster's.
func (c *Cluster) Dial(ctx context.Context) (net.Conn, error) {
	if err := c.ask(ctx, &c.before, Dial, ""); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.calls[Dial]++
	server := c.server
	c.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, "tcp", server)
}

// Ping is match.Cluster's.
func (c *Cluster) Ping(ctx context.Context) error { return c.ask(ctx, &c.before, Ping, "") }

func (c *Cluster) ask(ctx context.Context, fault *Fault, op Op, lease string) error {
	c.mu.Lock()
	f := *fault
	c.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx, op, lease)
}

// Leases lists the leases that have a namespace, sorted.
func (c *Cluster) Leases() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.namespaces))
}

// Spec is what the lease's namespace was last made to be.
func (c *Cluster) Spec(lease string) (manifest.Spec, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.namespaces[lease]
	return s, ok
}

// Calls is how many calls of a kind were carried out.
func (c *Cluster) Calls(op Op) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[op]
}

// Tokens lists every token that was ever given.
func (c *Cluster) Tokens() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tokens)
}

// CA makes a certificate authority's certificate.
func CA(tb testing.TB) []byte {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
