package lab

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pretendNodes plays the kubelets of n nodes and registers those as ready. No container ever runs. stop returns when the last
// report has been written.
func (a *api) pretendNodes(ctx context.Context, n int, certificate, key string, log io.Writer) (stop func(), err error) {
	k, stopPlaying, err := a.play(ctx, log)
	if err != nil {
		return nil, err
	}
	port, stopLogs, err := k.serveLogs(certificate, key)
	if err != nil {
		stopPlaying()
		return nil, err
	}
	stop = func() { stopLogs(); stopPlaying() }
	for i := range n {
		if err := a.registerNode(ctx, fmt.Sprintf("node-%d", i), port); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

func (a *api) registerNode(ctx context.Context, name string, port int) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		corev1.LabelHostname: name, corev1.LabelArchStable: "amd64", corev1.LabelOSStable: "linux",
	}}}
	made, err := a.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		made, err = a.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	}
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	has := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("64"),
		corev1.ResourceMemory:           resource.MustParse("256Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             resource.MustParse("250"),
	}
	now := metav1.Now()
	made.Status = corev1.NodeStatus{
		Capacity: has, Allocatable: has,
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Pretended", LastHeartbeatTime: now, LastTransitionTime: now,
		}},
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(port)}},
	}
	if _, err := a.CoreV1().Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	return nil
}
