package k8s

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A GPUMap says how the cluster knows each model of accelerator that can be leased.
type GPUMap = manifest.GPUMap

// ParseGPUMap reads the values of the flag --gpu-map; see package manifest.
func ParseGPUMap(entries []string) (GPUMap, error) { return manifest.ParseGPUMap(entries) }

// gpuLimit is how long the cluster may take to heed a policy that is new to it; a second is usual.
const gpuLimit = 15 * time.Second

// probeLife is how long the lease of a probe would live if it were not released.
const probeLife = time.Hour

// errUnheld is tried again: a new policy takes a moment.
const errUnheld = notYet("the cluster admits a pod of this lease with a GPU of another model")

// CanEnforceGPU finds out whether this cluster holds the tenants of a lease to each model of the map. It installs the
// admission policy, if it may (ProviderGPUClusterRole), and otherwise relies on what is installed; then it makes a namespace
// as for a lease of each model, asks there, as a tenant and in a dry run, for a card of another one, and deletes the
// namespace. The error is ErrUnenforced, with what to do, if the answer was not a refusal: then such classes must not be
// offered. An empty map needs nothing. provider is the provider's id.
func (c *Cluster) CanEnforceGPU(ctx context.Context, provider string, gpus GPUMap) error {
	if len(gpus) == 0 {
		return nil
	}
	installed := c.installGPUPolicy(ctx)
	for _, model := range slices.Sorted(maps.Keys(gpus)) {
		if err := c.probe(ctx, provider, model, gpus[model]); err != nil {
			if errors.Is(err, ErrUnenforced) && installed != nil {
				err = fmt.Errorf("%w: its admission policy is not there and could not be made: %w (bind cluster role %s, or apply the policy %s by hand)",
					err, installed, manifest.ProviderRoleName+"-gpu", manifest.GPUPolicyName)
			}
			return fmt.Errorf("gpu %s: %w", model, err)
		}
	}
	return nil
}

// installGPUPolicy applies the policy, and the convenience if the cluster has that kind.
func (c *Cluster) installGPUPolicy(ctx context.Context) error {
	applies, applyCtx := errgroup.WithContext(ctx)
	for _, o := range manifest.GPUPolicy() {
		applies.Go(func() error {
			_, err := c.apply(applyCtx, o)
			return err
		})
	}
	if err := applies.Wait(); err != nil {
		return refused(err)
	}
	for _, o := range manifest.GPUConvenience() {
		if _, err := c.apply(ctx, o); err != nil {
			break // a cluster before 1.36, or an identity that may not: tenants write the selector themselves
		}
	}
	return nil
}

// probe makes a lease of one card, which tries what it grants, and releases it.
func (c *Cluster) probe(ctx context.Context, provider, model string, gpu manifest.GPU) error {
	spec := manifest.Spec{
		LeaseID: "gpu-probe-" + model, Provider: provider, Requester: provider, GPU: &gpu,
		Namespace: fmt.Sprintf("angler-probe-%x", sha256.Sum256([]byte(provider+" "+model)))[:40],
		Quota: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi"), gpu.Resource: resource.MustParse("1"),
		},
		Expires: c.now().Add(probeLife),
	}
	_, err := c.Provision(ctx, spec)
	if err != nil {
		return err // which has undone what it made
	}
	return c.Release(ctx, provider, spec.LeaseID)
}

// tryGPU asks, as the tenant, for a card on nodes that do not have the leased model, until that is refused for this reason
// and no other: a quota, which would refuse a second card, comes last in the cluster's order, so that what it refuses has
// passed the policy.
func (c *Cluster) tryGPU(ctx context.Context, tenant func() *rest.Request, namespace string, gpu manifest.GPU) error {
	limited, cancel := context.WithTimeout(ctx, c.heed)
	defer cancel()
	admitted := false
	err := retry(limited, func(ctx context.Context) error {
		switch err := dryRun(ctx, tenant, wrongGPU(namespace, gpu)); {
		case err == nil || strings.Contains(err.Error(), "exceeded quota"):
			admitted = true
			return errUnheld
		case tooNew(err):
			return errTooNew
		case apierrors.IsInvalid(err) || apierrors.IsForbidden(err):
			if strings.Contains(err.Error(), manifest.GPUPolicyName) {
				return nil
			}
			return fmt.Errorf("%w: refused for another reason: %w", ErrUnenforced, err)
		default:
			return err
		}
	})
	if err != nil && admitted && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrUnenforced, errUnheld)
	}
	return err
}

// wrongGPU is a pod with a card that selects nodes by another value of one of the leased model's labels.
func wrongGPU(namespace string, gpu manifest.GPU) *corev1ac.PodApplyConfiguration {
	pod := trialPod(namespace, resource.MustParse("10m"), "")
	container := &pod.Spec.Containers[0]
	one := resource.MustParse("1")
	requests, limits := container.Resources.Requests.DeepCopy(), container.Resources.Limits.DeepCopy()
	requests[gpu.Resource], limits[gpu.Resource] = one, one
	container.Resources.WithRequests(requests).WithLimits(limits)
	label := slices.Sorted(maps.Keys(gpu.Nodes))[0]
	other := "angler-trial"
	if gpu.Nodes[label] == other {
		other += "-2"
	}
	pod.Spec.WithNodeSelector(map[string]string{label: other})
	return pod
}
