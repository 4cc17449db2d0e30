package k8s

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// asks is what the scheduler sets aside for a pod: the sum over its containers and those that start before and stay, or the
// most that one that starts before and ends needs meanwhile; what stands at the pod itself goes before that; and its
// overhead. While containers are resized the larger amount counts.
// (https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers)
func asks(pod *corev1.Pod) corev1.ResourceList {
	granted := map[string]corev1.ResourceList{}
	for _, s := range pod.Status.ContainerStatuses {
		granted[s.Name] = s.AllocatedResources
	}
	sum := corev1.ResourceList{}
	for _, c := range pod.Spec.Containers {
		add(sum, most(c.Resources.Requests, granted[c.Name]))
	}
	stays, peak := corev1.ResourceList{}, corev1.ResourceList{}
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			add(sum, c.Resources.Requests)
			add(stays, c.Resources.Requests)
			peak = most(peak, stays)
			continue
		}
		now := stays.DeepCopy()
		add(now, c.Resources.Requests)
		peak = most(peak, now)
	}
	sum = most(sum, peak)
	if pod.Spec.Resources != nil {
		for name, amount := range pod.Spec.Resources.Requests {
			sum[name] = amount
		}
	}
	add(sum, pod.Spec.Overhead)
	return sum
}

func add(sum, more corev1.ResourceList) {
	for name, amount := range more {
		total := sum[name]
		total.Add(amount)
		sum[name] = total
	}
}

func most(a, b corev1.ResourceList) corev1.ResourceList {
	result := a.DeepCopy()
	if result == nil {
		result = corev1.ResourceList{}
	}
	for name, amount := range b {
		if there := result[name]; amount.Cmp(there) > 0 {
			result[name] = amount
		}
	}
	return result
}

// amounts picks what units are made of. Cards are counted by resource name, for each of those in resources.
func amounts(list corev1.ResourceList, resources map[corev1.ResourceName]bool) Amounts {
	a := Amounts{CPU: list.Cpu().MilliValue(), Memory: list.Memory().Value(), Pods: 1}
	for name := range resources {
		if amount, some := list[name]; some {
			a.card(string(name), amount)
		}
	}
	return a
}

func (a *Amounts) card(name string, amount resource.Quantity) {
	if a.GPUs == nil {
		a.GPUs = map[string]int64{}
	}
	a.GPUs[name] += amount.Value()
}

// plus adds what another pod asks for.
func (a Amounts) plus(b Amounts) Amounts {
	sum := Amounts{CPU: a.CPU + b.CPU, Memory: a.Memory + b.Memory, Pods: a.Pods + b.Pods, GPUs: a.GPUs}
	for name, n := range b.GPUs {
		if sum.GPUs == nil {
			sum.GPUs = map[string]int64{}
		}
		sum.GPUs[name] += n
	}
	return sum
}
