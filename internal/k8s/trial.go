package k8s

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// Reasons to try a grant again.
const (
	errSlips  = notYet("the cluster still admits a pod over the quota")
	errTooNew = notYet("the cluster does not know the tenant's token or rights yet")
)

// try uses a grant as its tenant might in the first moment: it asks, as the tenant and in a dry run, for pods that the
// quotas must refuse, until they are refused. The status of a quota says that the controller has seen it; admission and
// authorization go by caches of their own, and on a busy API server a few grants in a hundred reach the tenant before
// those know of the quota, and one in ten before they know of the role. (Of several API servers, one has been tried.)
func (c *Cluster) try(ctx context.Context, spec manifest.Spec, grant Grant) error {
	tenant, err := c.as(grant)
	if err != nil {
		return err
	}
	over := spec.Quota[corev1.ResourceCPU].DeepCopy()
	over.Add(resource.MustParse("1"))
	tries, ctx := errgroup.WithContext(ctx)
	for _, pod := range []*corev1ac.PodApplyConfiguration{
		trialPod(grant.Namespace, over, ""),
		trialPod(grant.Namespace, resource.MustParse("10m"), "system-cluster-critical"),
	} {
		tries.Go(func() error {
			return retry(ctx, func(ctx context.Context) error { return refuses(ctx, tenant, pod) })
		})
	}
	if spec.GPU != nil {
		tries.Go(func() error { return c.tryGPU(ctx, tenant, grant.Namespace, *spec.GPU) })
	}
	if err := tries.Wait(); err != nil {
		return fmt.Errorf("try the grant: %w", err)
	}
	return nil
}

// as returns what makes requests with a grant's credential.
func (c *Cluster) as(grant Grant) (func() *rest.Request, error) {
	if grant.Token != "" {
		return func() *rest.Request {
			return c.anyone.CoreV1().RESTClient().Post().SetHeader("Authorization", "Bearer "+grant.Token)
		}, nil
	}
	cfg := rest.CopyConfig(c.nobody)
	cfg.CertData, cfg.KeyData = grant.Certificate, grant.Key
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	return set.CoreV1().RESTClient().Post, nil
}

// refuses returns nil if the quota refuses the pod. Another admission plug-in may refuse it first, for reasons of its own,
// or refuse dry runs: then nothing more can be learnt, and what the quotas' status says must do.
func refuses(ctx context.Context, tenant func() *rest.Request, pod *corev1ac.PodApplyConfiguration) error {
	switch err := dryRun(ctx, tenant, pod); {
	case err == nil:
		return errSlips
	case tooNew(err):
		return errTooNew
	case passes(err):
		return err
	}
	return nil
}

// tooNew reports whether the cluster has not heard of a tenant yet.
func tooNew(err error) bool {
	return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) && strings.Contains(err.Error(), `cannot create resource "pods"`)
}

// dryRun asks for a pod without wanting it.
func dryRun(ctx context.Context, tenant func() *rest.Request, pod *corev1ac.PodApplyConfiguration) error {
	body, err := json.Marshal(pod)
	if err != nil {
		return err
	}
	return tenant().Namespace(*pod.Namespace).Resource("pods").Param("dryRun", "All").
		SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error()
}

// trialPod is a pod to which nothing but a quota should object.
func trialPod(namespace string, cpu resource.Quantity, priorityClass string) *corev1ac.PodApplyConfiguration {
	amount := corev1.ResourceList{corev1.ResourceCPU: cpu, corev1.ResourceMemory: resource.MustParse("4Mi")}
	spec := corev1ac.PodSpec().
		WithSecurityContext(corev1ac.PodSecurityContext().WithRunAsNonRoot(true).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(corev1ac.Container().WithName("trial").WithImage("angler.invalid/trial").
			WithResources(corev1ac.ResourceRequirements().WithRequests(amount).WithLimits(amount)).
			WithSecurityContext(corev1ac.SecurityContext().WithAllowPrivilegeEscalation(false).
				WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))))
	if priorityClass != "" {
		spec.WithPriorityClassName(priorityClass)
	}
	return corev1ac.Pod("angler-trial", namespace).WithSpec(spec)
}
