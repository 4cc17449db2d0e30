package lab

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// Annotations of a pod that say what its containers pretend to do. Without them they write their command line as a log and,
// in a pod that is not restarted always, end at once and well.
const (
	AnnotationRun  = "kubelab/run"  // how long the containers of a pod that ends run: 2s
	AnnotationExit = "kubelab/exit" // their exit code: 1
	AnnotationLog  = "kubelab/log"  // what they write
)

// A kubelet plays the kubelets of all nodes. Its handlers are called by one goroutine.
type kubelet struct {
	*api
	log     io.Writer
	pods    listers.PodLister
	ending  map[types.UID]bool // pods whose end is on its way
	waiting sync.WaitGroup     // for those
}

// play reports pods until ctx ends: one that was bound to a node is Running at once, one that is deleted is gone at once, and
// one that is not restarted always ends. stop returns when the last report has been written.
func (a *api) play(ctx context.Context, log io.Writer) (k *kubelet, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	factory := informers.NewSharedInformerFactory(a, 0)
	k = &kubelet{api: a, log: log, pods: factory.Core().V1().Pods().Lister(), ending: map[types.UID]bool{}}
	if _, err = factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { k.see(ctx, o) },
		UpdateFunc: func(_, updated any) { k.see(ctx, updated) },
		DeleteFunc: func(o any) {
			if pod, ok := o.(*corev1.Pod); ok {
				delete(k.ending, pod.UID)
			}
		},
	}); err != nil {
		cancel()
		return nil, nil, err
	}
	factory.Start(ctx.Done())
	return k, func() { cancel(); factory.Shutdown(); k.waiting.Wait() }, nil
}

// see does what a kubelet does about a pod of its node.
func (k *kubelet) see(ctx context.Context, o any) {
	pod, ok := o.(*corev1.Pod)
	if !ok || pod.Spec.NodeName == "" {
		return
	}
	switch {
	case pod.DeletionTimestamp != nil:
		now := int64(0)
		k.said(ctx, pod, k.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		}))
	case pod.Status.Phase == corev1.PodPending || pod.Status.Phase == "":
		k.said(ctx, pod, k.start(ctx, pod))
	case pod.Status.Phase == corev1.PodRunning && pod.Spec.RestartPolicy != corev1.RestartPolicyAlways && !k.ending[pod.UID]:
		k.ending[pod.UID] = true
		k.waiting.Go(func() {
			run, _ := time.ParseDuration(pod.Annotations[AnnotationRun]) // 0 if it says nothing that can be read
			timer := time.NewTimer(run)
			defer timer.Stop()
			select {
			case <-ctx.Done():
			case <-timer.C:
				k.said(ctx, pod, k.end(ctx, pod))
			}
		})
	}
}

// said writes down an error that is nobody's doing.
func (k *kubelet) said(ctx context.Context, pod *corev1.Pod, err error) {
	if err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		fmt.Fprintf(k.log, "kubelab: pod %s/%s: %v\n", pod.Namespace, pod.Name, err)
	}
}

// start makes a pod Running and ready.
func (k *kubelet) start(ctx context.Context, pod *corev1.Pod) error {
	now := metav1.NewTime(time.Now())
	status := corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &now, Conditions: pod.Status.Conditions}
	status.Conditions = append(append([]corev1.PodCondition{}, status.Conditions...), ready(corev1.ConditionTrue, now)...)
	for _, c := range pod.Spec.Containers {
		started := true
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	return k.report(ctx, pod, status)
}

// end makes a pod Succeeded or Failed, as its annotation says.
func (k *kubelet) end(ctx context.Context, pod *corev1.Pod) error {
	now := metav1.NewTime(time.Now())
	code, _ := strconv.ParseInt(pod.Annotations[AnnotationExit], 10, 32) // 0 if it says nothing that can be read
	status := *pod.Status.DeepCopy()
	status.Phase = corev1.PodSucceeded
	reason := "Completed"
	if code != 0 {
		status.Phase, reason = corev1.PodFailed, "Error"
	}
	var kept []corev1.PodCondition
	for _, c := range status.Conditions {
		if c.Type != corev1.PodReady && c.Type != corev1.ContainersReady {
			kept = append(kept, c)
		}
	}
	status.Conditions = append(kept, ready(corev1.ConditionFalse, now)...)
	for i := range status.ContainerStatuses {
		c := &status.ContainerStatuses[i]
		began := now
		if c.State.Running != nil {
			began = c.State.Running.StartedAt
		}
		c.Ready = false
		c.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: int32(code), Reason: reason, StartedAt: began, FinishedAt: now,
		}}
	}
	return k.report(ctx, pod, status)
}

func ready(is corev1.ConditionStatus, at metav1.Time) []corev1.PodCondition {
	return []corev1.PodCondition{
		{Type: corev1.ContainersReady, Status: is, LastTransitionTime: at},
		{Type: corev1.PodReady, Status: is, LastTransitionTime: at},
	}
}

func (k *kubelet) report(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	pod = pod.DeepCopy()
	pod.Status = status
	_, err := k.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}
