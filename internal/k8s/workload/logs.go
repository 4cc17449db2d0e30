package workload

import (
	"cmp"
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

// maxLog is how much is read of one container's log: the first part of it. It is
// the API server that says which pods there are, and what they wrote, so there
// are bounds on all of it as well: allLogs.
const maxLog = 16 << 20

// logBounds are how many containers have a log, and how many bytes in all.
type logBounds struct {
	containers int
	bytes      int64
}

var allLogs = logBounds{containers: 1000, bytes: 1 << 30}

var errManyLogs = errors.New("more containers or bytes than are collected")

// A Source is where a log comes from.
type Source struct {
	Object    Object // of the manifest: a Job or a Pod
	Pod       string
	Container string
}

// Logs collects what the containers of the manifest's Jobs and Pods have written so far, at most 16 MiB of each, of at most
// 1,000 containers and 1 GiB in all, one after the other, and writes it to what each returns for its source; nil leaves the log out. A container that has not started has no log. Logs that
// cannot be had do not keep the others from being collected; the error joins theirs.
func (t *Target) Logs(ctx context.Context, applied Applied, each func(Source) io.Writer) error {
	return t.logs(ctx, applied, each, allLogs)
}

func (t *Target) logs(ctx context.Context, applied Applied, each func(Source) io.Writer, left logBounds) error {
	var problems []error
	for _, o := range applied {
		pods, err := t.podsOf(ctx, o)
		if err != nil {
			problems = append(problems, fmt.Errorf("logs of %s: %w", o, err))
		}
		for i := range pods {
			for _, c := range started(&pods[i]) {
				if ctx.Err() != nil || left.containers <= 0 || left.bytes <= 0 {
					return errors.Join(append(problems, cmp.Or(ctx.Err(), errManyLogs))...)
				}
				left.containers--
				from := Source{o, pods[i].Name, c}
				to := each(from)
				if to == nil {
					continue
				}
				n, err := t.log(ctx, from, to, min(maxLog, left.bytes))
				left.bytes -= n
				if err != nil {
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

func (t *Target) log(ctx context.Context, from Source, to io.Writer, limit int64) (read int64, err error) {
	var stream io.ReadCloser
	err = k8s.Retry(ctx, func(context.Context) (err error) { // an attempt's context would end the stream
		stream, err = t.set.CoreV1().Pods(t.namespace).GetLogs(from.Pod, &corev1.PodLogOptions{Container: from.Container, LimitBytes: &limit}).Stream(ctx)
		return err
	})
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	return io.Copy(to, io.LimitReader(stream, limit))
}
