package manifest

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// Names of the objects that limit a namespace. QuotaName is the one that a tenant sees its usage in.
const (
	QuotaName         = "angler"
	priorityQuotaName = "angler-system-priority"
	limitRangeName    = "angler"
)

// maxClaims is how many volume claims share the leased storage.
const maxClaims = 32

// counts caps every kind that the tenant's Role may create, so that a tenant cannot fill the cluster's database. They are
// generous: what is sold is cpu and memory.
var counts = map[corev1.ResourceName]int64{
	corev1.ResourceServices:                      50,
	corev1.ResourceServicesLoadBalancers:         0,
	corev1.ResourceServicesNodePorts:             0,
	corev1.ResourceSecrets:                       100,
	corev1.ResourceConfigMaps:                    100,
	"count/deployments.apps":                     100,
	"count/statefulsets.apps":                    50,
	"count/replicasets.apps":                     1000, // a deployment keeps ten old ones
	"count/jobs.batch":                           500,
	"count/cronjobs.batch":                       50,
	"count/horizontalpodautoscalers.autoscaling": 50,
}

// notLeased are resources that a pod gets beside cpu and memory, and without limit where no quota names them. Quota has no
// wildcard, so the usual ones are named; a cluster with others needs an admission policy of its own.
var notLeased = []corev1.ResourceName{
	"amd.com/gpu", "aws.amazon.com/neuron", "aws.amazon.com/neuroncore", "google.com/tpu", "gpu.intel.com/i915",
	"gpu.intel.com/xe", "habana.ai/gaudi", "hugepages-1Gi", "hugepages-2Mi", "nvidia.com/gpu", "nvidia.com/gpu.shared",
}

// resourceQuota returns the lease's quota. cpu, memory and ephemeral storage are limited in requests and in limits, extended
// resources in requests, the only form in which quota knows them.
func resourceQuota(s Spec) Object {
	hard := corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(maxPods(s.Quota), resource.DecimalSI)}
	for name, n := range counts {
		hard[name] = *resource.NewQuantity(n, resource.DecimalSI)
	}
	for _, name := range notLeased {
		hard["requests."+name] = *resource.NewQuantity(0, resource.DecimalSI)
	}
	for name, quantity := range withEphemeralStorage(s.Quota) {
		quantity = canonical(name, quantity)
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
			hard["requests."+name] = quantity
			hard["limits."+name] = quantity
		case corev1.ResourceServicesLoadBalancers:
			hard[name] = quantity
		default: // storage and extended resources
			hard["requests."+name] = quantity
		}
	}
	claims := int64(maxClaims)
	if _, ok := s.Quota[ResourceStorage]; !ok {
		claims = 0
		hard[corev1.ResourceRequestsStorage] = *resource.NewQuantity(0, resource.BinarySI)
	}
	hard[corev1.ResourcePersistentVolumeClaims] = *resource.NewQuantity(claims, resource.DecimalSI)

	config := corev1ac.ResourceQuota(QuotaName, s.name()).WithLabels(s.labels()).
		WithSpec(corev1ac.ResourceQuotaSpec().WithHard(hard))
	return quotaObject(s, QuotaName, config)
}

// priorityQuota returns a quota of no pods for the two priority classes that every cluster has and whose pods evict others.
func priorityQuota(s Spec) Object {
	selector := corev1ac.ScopeSelector().WithMatchExpressions(
		corev1ac.ScopedResourceSelectorRequirement().
			WithScopeName(corev1.ResourceQuotaScopePriorityClass).
			WithOperator(corev1.ScopeSelectorOpIn).
			WithValues("system-cluster-critical", "system-node-critical"))
	config := corev1ac.ResourceQuota(priorityQuotaName, s.name()).WithLabels(s.labels()).
		WithSpec(corev1ac.ResourceQuotaSpec().
			WithHard(corev1.ResourceList{corev1.ResourcePods: *resource.NewQuantity(0, resource.DecimalSI)}).
			WithScopeSelector(selector))
	return quotaObject(s, priorityQuotaName, config)
}

func quotaObject(s Spec, name string, config *corev1ac.ResourceQuotaApplyConfiguration) Object {
	return Object{
		GroupVersionResource: corev1.SchemeGroupVersion.WithResource("resourcequotas"), Kind: "ResourceQuota",
		Namespace: s.name(), Name: name, Config: config,
	}
}

// maxPods allows twenty pods a cpu, from 20 to 500.
func maxPods(quota corev1.ResourceList) int64 {
	cpu := quota[corev1.ResourceCPU]
	return min(max(cpu.Value(), 1)*20, 500) // Value rounds up
}

// withEphemeralStorage adds as much scratch space as there is memory where the lease says nothing: without any, containers
// could fill the disks of their nodes.
func withEphemeralStorage(quota corev1.ResourceList) corev1.ResourceList {
	full := quota.DeepCopy()
	if _, ok := full[corev1.ResourceEphemeralStorage]; !ok {
		full[corev1.ResourceEphemeralStorage] = full[corev1.ResourceMemory]
	}
	return full
}

// canonical returns q in a form that depends on its value alone, not on how it was written: "1024Mi" and "1073741824" of
// memory are "1Gi".
func canonical(name corev1.ResourceName, q resource.Quantity) resource.Quantity {
	sum := resource.Quantity{Format: resource.DecimalSI}
	switch name {
	case corev1.ResourceMemory, corev1.ResourceEphemeralStorage, ResourceStorage:
		sum.Format = resource.BinarySI
	}
	format := sum.Format
	sum.Add(q) // a zero takes the format of what is added to it
	sum.Format = format
	return sum
}

// What a container gets that asks for nothing, and the least that it may ask for. A request of zero counts as nothing
// against the quota, and a limit of zero is no limit to the kernel.
var (
	containerDefault = corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("250m"),
		corev1.ResourceMemory:           resource.MustParse("256Mi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("256Mi"),
	}
	containerMin = corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("10m"),
		corev1.ResourceMemory:           resource.MustParse("4Mi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Mi"),
	}
	// atMostOne lets limits be no higher than requests (they cannot be lower): what runs is what was counted.
	atMostOne = corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("1"),
		corev1.ResourceMemory: resource.MustParse("1"),
	}
)

// limitRange returns defaults for containers, no larger than the whole quota, and the ratio of limits to requests.
func limitRange(s Spec) Object {
	defaults, least := corev1.ResourceList{}, corev1.ResourceList{}
	for name, limit := range withEphemeralStorage(s.Quota) {
		if usual, ok := containerDefault[name]; ok {
			defaults[name] = canonical(name, smaller(usual, limit))
			least[name] = canonical(name, smaller(containerMin[name], limit))
		}
	}
	config := corev1ac.LimitRange(limitRangeName, s.name()).WithLabels(s.labels()).
		WithSpec(corev1ac.LimitRangeSpec().WithLimits(
			corev1ac.LimitRangeItem().WithType(corev1.LimitTypeContainer).
				WithDefault(defaults).WithDefaultRequest(defaults).WithMin(least).WithMaxLimitRequestRatio(atMostOne),
			corev1ac.LimitRangeItem().WithType(corev1.LimitTypePod).WithMaxLimitRequestRatio(atMostOne)))
	return Object{
		GroupVersionResource: corev1.SchemeGroupVersion.WithResource("limitranges"), Kind: "LimitRange",
		Namespace: s.name(), Name: limitRangeName, Config: config,
	}
}

func smaller(a, b resource.Quantity) resource.Quantity {
	if a.Cmp(b) <= 0 {
		return a
	}
	return b
}
