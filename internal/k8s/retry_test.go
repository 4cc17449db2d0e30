package k8s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// answer is what an API server says in JSON when it does not do what it was asked.
func answer(r *http.Request, code int, reason string) *http.Response {
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"made up","reason":%q,"code":%d}`, reason, code)
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

// Each fault that may pass, on every third request of the way, still ends in a grant that works.
func TestPassingFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"conflict":           func(r *http.Request) (*http.Response, error) { return answer(r, 409, "Conflict"), nil },
		"throttled":          func(r *http.Request) (*http.Response, error) { return answer(r, 429, "TooManyRequests"), nil },
		"internal error":     func(r *http.Request) (*http.Response, error) { return answer(r, 500, "InternalError"), nil },
		"unavailable":        func(r *http.Request) (*http.Response, error) { return answer(r, 503, "ServiceUnavailable"), nil },
		"gateway timeout":    func(r *http.Request) (*http.Response, error) { return answer(r, 504, "Timeout"), nil },
		"connection refused": func(*http.Request) (*http.Response, error) { return nil, &net.OpError{Op: "dial", Err: io.EOF} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count atomic.Int32
			c := testCluster(t, func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if count.Add(1)%3 == 1 {
						return fault(r)
					}
					return next.RoundTrip(r)
				})
			})
			spec, ctx := leaseOf(t, ""), testContext(t)
			grant, tenant := provision(t, c, spec)
			if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
				t.Error(err)
			}
			if _, _, err := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires); err != nil {
				t.Error(err)
			}
			if _, _, _, err := c.Certificate(ctx, spec.Provider, spec.LeaseID, spec.Expires); err != nil {
				t.Error(err)
			}
			if _, err := c.Usage(ctx, spec.Provider, spec.LeaseID); err != nil {
				t.Error(err)
			}
			if err := c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{NoticeExpiry, spec.Expires}); err != nil {
				t.Error(err)
			}
			if _, err := c.Template(ctx, folder(operatorsOwn)); err != nil {
				t.Error(err)
			}
			if err := c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
				t.Error(err)
			}
		})
	}
}

// A server that is down for good is tried until the deadline; the error holds both the deadline and what was wrong.
func TestServerDown(t *testing.T) {
	t.Parallel()
	cfg := rest.CopyConfig(adminConfig(t))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Host = "https://" + closed.Addr().String()
	closed.Close()
	c := clusterAs(t, cfg)
	ctx, cancel := context.WithTimeout(testContext(t), 500*time.Millisecond)
	defer cancel()
	_, err = c.Provision(ctx, leaseOf(t, ""))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
	if err := c.Ping(testContext(t)); !errors.Is(err, ErrNoCluster) || !strings.Contains(err.Error(), closed.Addr().String()) {
		t.Errorf("ping: %v", err)
	}
}

// A server that refuses connections, or takes requests and answers none, is not waited for to the end, and since nothing was
// asked of it nothing has to be undone.
func TestServerUnreached(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*http.Request) (*http.Response, error){
		"refuses": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		},
		"hangs": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
	} {
		c := testCluster(t, func(http.RoundTripper) http.RoundTripper { return roundTripper(fault) })
		c.reach = 100 * time.Millisecond
		_, err := c.Provision(testContext(t), leaseOf(t, ""))
		var failure *ProvisionError
		if !errors.As(err, &failure) || !errors.Is(err, ErrUnreached) || failure.Undone != "" || failure.Left != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Once the server has answered, the time for its first answer does not end what follows.
func TestServerReachedInTime(t *testing.T) {
	t.Parallel()
	const reach = 50 * time.Millisecond
	var requests atomic.Int32
	c := testCluster(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			switch requests.Add(1) {
			case 1: // an answer, if one that says nothing
				return answer(r, 503, "ServiceUnavailable"), nil
			case 2:
				time.Sleep(2 * reach) // the fault itself: a slow server
			}
			return next.RoundTrip(r)
		})
	})
	c.reach = reach
	if _, err := c.Provision(testContext(t), leaseOf(t, "")); err != nil {
		t.Error(err)
	}
}

// A server with another certificate authority is not retried: it is not the cluster.
func TestImpostor(t *testing.T) {
	t.Parallel()
	cfg := rest.CopyConfig(adminConfig(t))
	cfg.CAData, _ = testCA(t, "another")
	c := clusterAs(t, cfg)
	if _, err := c.Provision(testContext(t), leaseOf(t, "")); err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}

// Who is not known, or knows the server's name only, is told so.
func TestStranger(t *testing.T) {
	t.Parallel()
	cfg := rest.AnonymousClientConfig(adminConfig(t))
	for name, token := range map[string]string{"no credential": "", "a wrong token": "nonsense"} {
		cfg.BearerToken = token
		c := clusterAs(t, cfg)
		if err := c.Ping(testContext(t)); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: ping: %v", name, err)
		}
		if _, err := c.Provision(testContext(t), leaseOf(t, "")); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: provision: %v", name, err)
		}
		if _, err := c.Owned(testContext(t), id("provider")); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: owned: %v", name, err)
		}
	}
}
