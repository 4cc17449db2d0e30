package workload

import (
	"context"
	"errors"
	"fmt"
	"io"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/angler-dex/angler/internal/k8s"
)

// maxLog is how much is read of one container's log: the first part of it.
const maxLog = 16 << 20

// A Source is where a log comes from.
type Source struct {
	Object    Object // of the manifest: a Job or a Pod
	Pod       string
	Container string
}

// Logs collects what the containers of the manifest's Jobs and Pods have written so far, at most 16 MiB of each, and writes
// it to what each returns for its source; nil leaves the log out. A container that has not started has no log. Logs that
// cannot be had do not keep the others from being collected; the error joins theirs.
func (t *Target) Logs(ctx context.Context, applied Applied, each func(Source) io.Writer) error {
	var problems []error
	for _, o := range applied {
		pods, err := t.podsOf(ctx, o)
		if err != nil {
			problems = append(problems, fmt.Errorf("logs of %s: %w", o, err))
		}
		for i := range pods {
			for _, c := range started(&pods[i]) {
				from := Source{o, pods[i].Name, c}
				to := each(from)
				if to == nil {
					continue
				}
				if err := t.log(ctx, from, to); err != nil {
					problems = append(problems, fmt.Errorf("log of %s, pod %s, container %s: %w", o, from.Pod, from.Container, err))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// podsOf returns the pods of a Job, or the Pod itself.
func (t *Target) podsOf(ctx context.Context, o Object) (pods []corev1.Pod, err error) {
	var selector string
	switch o.Kind.Group + "/" + o.Kind.Kind {
	case "batch/Job":
		selector = labels.Set{batchv1.JobNameLabel: o.Name}.String()
	case "/Pod":
	default:
		return nil, nil
	}
	err = k8s.Retry(ctx, func(ctx context.Context) error {
		if selector == "" {
			pod, getErr := t.set.CoreV1().Pods(t.namespace).Get(ctx, o.Name, metav1.GetOptions{})
			if getErr == nil {
				pods = []corev1.Pod{*pod}
			}
			return getErr
		}
		list, listErr := t.set.CoreV1().Pods(t.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if listErr == nil {
			pods = list.Items
		}
		return listErr
	})
	return pods, err
}

// started returns the containers of a pod that have begun, the first ones first.
func started(p *corev1.Pod) []string {
	var names []string
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range list {
			if c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

func (t *Target) log(ctx context.Context, from Source, to io.Writer) error {
	limit := int64(maxLog)
	var stream io.ReadCloser
	err := k8s.Retry(ctx, func(context.Context) (err error) { // an attempt's context would end the stream
		stream, err = t.set.CoreV1().Pods(t.namespace).GetLogs(from.Pod, &corev1.PodLogOptions{Container: from.Container, LimitBytes: &limit}).Stream(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = io.Copy(to, io.LimitReader(stream, maxLog))
	return err
}
