package k8s

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// errCut is what a request fails with when the test cuts it off.
var errCut = errors.New("cut off")

// cutAt returns a transport wrapper that, at the n-th request, calls cut, before the request goes out or when its answer is
// back; the request fails either way. Later requests go through.
func cutAt(n int32, answered bool, cut func()) func(http.RoundTripper) http.RoundTripper {
	var count atomic.Int32
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if count.Add(1) != n {
				return next.RoundTrip(r)
			}
			if answered {
				response, err := next.RoundTrip(r)
				if err != nil {
					return nil, err
				}
				response.Body.Close()
			}
			cut()
			return nil, errCut
		})
	}
}

// requestsOfAProvision is how many there are when nothing goes wrong.
const requestsOfAProvision = 16

// A provision that is cancelled in any of its requests, be it carried out or not, leaves nothing behind, and says so; a
// later call completes the lease, when the namespace of the first is gone.
func TestCancelledAtEachRequest(t *testing.T) {
	t.Parallel()
	for n := int32(1); n <= requestsOfAProvision; n++ {
		for _, answered := range []bool{false, true} {
			t.Run(fmt.Sprintf("request %d answered %v", n, answered), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(testContext(t))
				spec := leaseOf(t, "")
				c := testCluster(t, cutAt(n, answered, cancel))
				_, err := c.Provision(ctx, spec)
				var failure *ProvisionError
				if !errors.As(err, &failure) {
					t.Fatalf("%v", err)
				}
				if failure.Left != nil && (n != 2 || answered) {
					t.Errorf("%v", failure.Left)
				}
				assertGone(testContext(t), t, spec)
				if n != 5 { // each takes five seconds of waiting for the namespace to go
					return
				}
				grant, tenant := provision(t, testCluster(t, nil), spec)
				if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A request whose answer is lost is made again, and the lease is provisioned all the same.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for n := int32(1); n <= requestsOfAProvision; n++ {
		t.Run(fmt.Sprint("request ", n), func(t *testing.T) {
			t.Parallel()
			grant, tenant := provision(t, testCluster(t, cutAt(n, true, func() {})), leaseOf(t, ""))
			if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A daemon that dies in any request undoes nothing. What it leaves is found by Owned, and one more Provision completes it.
func TestKilledAtEachRequest(t *testing.T) {
	t.Parallel()
	for n := int32(2); n <= requestsOfAProvision; n++ {
		t.Run(fmt.Sprint("request ", n), func(t *testing.T) {
			t.Parallel()
			spec := leaseOf(t, "")
			ctx, cancel := context.WithCancel(testContext(t))
			var dead atomic.Bool
			cutting := cutAt(n, true, func() { dead.Store(true); cancel() })
			c := testCluster(t, func(next http.RoundTripper) http.RoundTripper {
				cut := cutting(next)
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if dead.Load() {
						return nil, errCut
					}
					return cut.RoundTrip(r)
				})
			})
			// Undoing would wait for a server that never answers again; the process is dead, so its clock stands still too.
			if _, err := c.provision(ctx, spec, planOf(t, spec), new(footprint)); err == nil {
				t.Fatal("a dead daemon's grant")
			}
			owned, err := testCluster(t, nil).Owned(testContext(t), spec.Provider)
			if err != nil || len(owned) != 1 || owned[0].LeaseID != spec.LeaseID {
				t.Fatalf("after the crash: %v, %v", owned, err)
			}
			grant, tenant := provision(t, testCluster(t, nil), spec)
			if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
				t.Error(err)
			}
		})
	}
}

func planOf(t *testing.T, spec manifest.Spec) manifest.Plan {
	t.Helper()
	plan, err := manifest.Objects(spec)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A failure on a namespace that a tenant has already leaves that as it is.
func TestFailureOnALivingLease(t *testing.T) {
	t.Parallel()
	spec := leaseOf(t, "")
	grant, tenant := provision(t, testCluster(t, nil), spec)
	if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	_, err := testCluster(t, cutAt(5, false, cancel)).Provision(ctx, spec)
	var failure *ProvisionError
	if !errors.As(err, &failure) || failure.Undone != "" || failure.Left != nil {
		t.Errorf("%v", err)
	}
	if _, err := tenant.CoreV1().Pods(grant.Namespace).Get(testContext(t), "p", metav1.GetOptions{}); err != nil {
		t.Errorf("the tenant's pod: %v", err)
	}
}
