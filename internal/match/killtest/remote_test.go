package killtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// The ideal cluster, served to another process, so that it outlives that. A
// call whose caller is killed has its effect or not, as with an API server.

// Call is what a provider asks of its cluster.
type Call struct {
	Spec            manifest.Spec
	Provider, Lease string
	Until           time.Time
	Notice          k8s.Notice
}

// Answer is what it gets.
type Answer struct {
	Grant   k8s.Grant
	Token   string
	Expires time.Time
	Usage   []k8s.Usage
}

// served is the test's end.
type served struct {
	cluster *matchtest.Cluster

	mu   sync.Mutex
	made map[string]int // how often each lease's namespace was made
}

// slowly is a call that takes a few milliseconds before it has its effect, and
// a few after.
func slowly(f func(ctx context.Context) error) error {
	time.Sleep(rand.N(8 * time.Millisecond)) // as an API server takes its time: nothing waits for it
	err := f(context.Background())
	time.Sleep(rand.N(8 * time.Millisecond))
	return err
}

func (s *served) Provision(c Call, a *Answer) error {
	return slowly(func(ctx context.Context) (err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		// A provider that was killed in the middle asks again for what is there,
		// as it may: that makes nothing.
		there := slices.Contains(s.cluster.Leases(), c.Spec.LeaseID)
		if a.Grant, err = s.cluster.Provision(ctx, c.Spec); err == nil && !there {
			s.made[c.Spec.LeaseID]++
		}
		return err
	})
}

func (s *served) Release(c Call, _ *Answer) error {
	return slowly(func(ctx context.Context) error { return s.cluster.Release(ctx, c.Provider, c.Lease) })
}

func (s *served) Token(c Call, a *Answer) error {
	return slowly(func(ctx context.Context) (err error) {
		a.Token, a.Expires, err = s.cluster.Token(ctx, c.Provider, c.Lease, c.Until)
		return err
	})
}

func (s *served) Usage(c Call, a *Answer) error {
	return slowly(func(ctx context.Context) (err error) {
		a.Usage, err = s.cluster.Usage(ctx, c.Provider, c.Lease)
		return err
	})
}

func (s *served) Notice(c Call, _ *Answer) error {
	return slowly(func(ctx context.Context) error { return s.cluster.Notice(ctx, c.Provider, c.Lease, c.Notice) })
}

func (s *served) Look(c Call, _ *Answer) error {
	return slowly(func(ctx context.Context) error { return s.cluster.Look(ctx, c.Provider, c.Lease) })
}

func (s *served) Restore(c Call, _ *Answer) error {
	return slowly(func(ctx context.Context) error {
		_, err := s.cluster.Restore(ctx, c.Spec, c.Until)
		return err
	})
}

// serve lets other processes use a cluster until the test ends.
func serve(t *testing.T, cluster *matchtest.Cluster) (s *served, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = &served{cluster: cluster, made: map[string]int{}}
	server := rpc.NewServer()
	if err := server.RegisterName("Cluster", s); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { server.ServeCodec(jsonrpc.NewServerCodec(conn)) }) // until its process is killed
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return s, l.Addr().String()
}

// remote is the provider's end: a match.Cluster.
type remote struct{ client *rpc.Client }

func (r remote) call(ctx context.Context, method string, c Call) (Answer, error) {
	var a Answer
	done := r.client.Go("Cluster."+method, c, &a, make(chan *rpc.Call, 1)).Done
	select {
	case call := <-done:
		return a, call.Error
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

func (r remote) Provision(ctx context.Context, spec manifest.Spec) (k8s.Grant, error) {
	a, err := r.call(ctx, "Provision", Call{Spec: spec})
	return a.Grant, err
}

func (r remote) Release(ctx context.Context, provider, leaseID string) error {
	_, err := r.call(ctx, "Release", Call{Provider: provider, Lease: leaseID})
	return err
}

func (r remote) Ping(context.Context) error { return nil }

func (r remote) Token(ctx context.Context, provider, leaseID string, until time.Time) (string, time.Time, error) {
	a, err := r.call(ctx, "Token", Call{Provider: provider, Lease: leaseID, Until: until})
	return a.Token, a.Expires, err
}

func (r remote) Certificate(context.Context, string, string, time.Time) (certificate, key []byte, expires time.Time, err error) {
	return nil, nil, time.Time{}, errors.New("an ideal cluster has tokens only")
}

func (r remote) Usage(ctx context.Context, provider, leaseID string) ([]k8s.Usage, error) {
	a, err := r.call(ctx, "Usage", Call{Provider: provider, Lease: leaseID})
	return a.Usage, err
}

func (r remote) Notice(ctx context.Context, provider, leaseID string, n k8s.Notice) error {
	_, err := r.call(ctx, "Notice", Call{Provider: provider, Lease: leaseID, Notice: n})
	return err
}

func (r remote) Look(ctx context.Context, provider, leaseID string) error {
	_, err := r.call(ctx, "Look", Call{Provider: provider, Lease: leaseID})
	return err
}

func (r remote) Restore(ctx context.Context, spec manifest.Spec, ends time.Time) ([]string, error) {
	_, err := r.call(ctx, "Restore", Call{Spec: spec, Until: ends})
	return nil, err
}

func (r remote) Made(k8s.Grant) bool { return true }

// Watch hears of nothing: nobody else is there.
func (r remote) Watch(ctx context.Context, _ string, w k8s.Watcher) error {
	w.Missed()
	<-ctx.Done()
	return ctx.Err()
}

func (r remote) Dial(context.Context) (net.Conn, error) {
	return nil, errors.New("nobody dials an ideal cluster")
}
