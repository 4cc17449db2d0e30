package workload

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Until says what is waited for.
type Until int

// What is waited for; the package comment has the conditions.
const (
	Ready Until = iota // all of it works
	Done               // and what ends has ended well
)

// A State is how far an object is.
type State struct {
	Object Object
	Ready  bool
	Failed bool   // it will not become ready by itself
	Says   string // why, in words, some of them the cluster's
}

// judge reads the state of an object. What it does not understand is ready: it is there.
func judge(o *unstructured.Unstructured, until Until) (State, error) {
	switch kind := o.GroupVersionKind(); kind.Group + "/" + kind.Kind {
	case "apps/Deployment":
		return judgeAs(o, judgeDeployment)
	case "apps/StatefulSet":
		return judgeAs(o, judgeStatefulSet)
	case "apps/ReplicaSet":
		return judgeAs(o, judgeReplicaSet)
	case "batch/Job":
		return judgeAs(o, func(j *batchv1.Job) State { return judgeJob(j, until) })
	case "/Pod":
		return judgeAs(o, func(p *corev1.Pod) State { return judgePod(p, until) })
	case "/Service":
		return judgeAs(o, judgeService)
	}
	return State{Ready: true, Says: "there"}, nil
}

func judgeAs[T any](o *unstructured.Unstructured, judge func(*T) State) (State, error) {
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, typed); err != nil {
		return State{}, fmt.Errorf("read the server's answer: %w", err)
	}
	return judge(typed), nil
}

// wanted is a number of replicas: one, if nothing is said.
func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

func judgeDeployment(d *appsv1.Deployment) State {
	want, s := wanted(d.Spec.Replicas), d.Status
	state := State{
		Ready: s.ObservedGeneration >= d.Generation && s.UpdatedReplicas >= want && s.AvailableReplicas >= want && s.Replicas == s.UpdatedReplicas,
		Says:  fmt.Sprintf("%d of %d available", s.AvailableReplicas, want),
	}
	for _, c := range s.Conditions {
		switch {
		case state.Ready:
		case c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && s.ObservedGeneration >= d.Generation:
			state.Failed, state.Says = true, state.Says+": "+c.Message
		case c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue:
			state.Says += ": " + c.Message // a quota that is used up, mostly
		}
	}
	return state
}

func judgeStatefulSet(d *appsv1.StatefulSet) State {
	want, s := wanted(d.Spec.Replicas), d.Status
	latest := s.UpdateRevision == s.CurrentRevision || s.UpdatedReplicas >= want || d.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType
	return State{
		Ready: s.ObservedGeneration >= d.Generation && s.ReadyReplicas >= want && latest,
		Says:  fmt.Sprintf("%d of %d ready", s.ReadyReplicas, want),
	}
}

func judgeReplicaSet(d *appsv1.ReplicaSet) State {
	want, s := wanted(d.Spec.Replicas), d.Status
	state := State{
		Ready: s.ObservedGeneration >= d.Generation && s.ReadyReplicas >= want,
		Says:  fmt.Sprintf("%d of %d ready", s.ReadyReplicas, want),
	}
	for _, c := range s.Conditions {
		if !state.Ready && c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
			state.Says += ": " + c.Message
		}
	}
	return state
}

func judgeJob(j *batchv1.Job, until Until) State {
	s := j.Status
	for _, c := range s.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			return State{Ready: true, Says: "complete"}
		case c.Type == batchv1.JobFailed:
			return State{Failed: true, Says: "failed: " + c.Message}
		}
	}
	running := s.Ready != nil && *s.Ready > 0
	return State{
		Ready: until == Ready && (running || s.Succeeded > 0),
		Says:  fmt.Sprintf("%d succeeded, %d running, %d failed", s.Succeeded, s.Active, s.Failed),
	}
}

func judgePod(p *corev1.Pod, until Until) State {
	switch p.Status.Phase {
	case corev1.PodSucceeded:
		return State{Ready: true, Says: "succeeded"}
	case corev1.PodFailed:
		return State{Failed: true, Says: "failed: " + firstOf(p.Status.Message, p.Status.Reason, exits(p))}
	}
	state := State{Says: firstOf(string(p.Status.Phase), "not seen yet")}
	ends := until == Done && p.Spec.RestartPolicy != corev1.RestartPolicyAlways
	for _, c := range p.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue:
			state.Ready = !ends
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse:
			state.Says += ": " + c.Message
		}
	}
	return state
}

// exits words how the containers of a pod ended.
func exits(p *corev1.Pod) string {
	for _, c := range p.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
			return fmt.Sprintf("container %s: exit code %d %s", c.Name, t.ExitCode, t.Reason)
		}
	}
	return "the cluster does not say why"
}

func judgeService(s *corev1.Service) State {
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && len(s.Status.LoadBalancer.Ingress) == 0 {
		return State{Says: "has no address yet"}
	}
	return State{Ready: true, Says: "there"}
}
