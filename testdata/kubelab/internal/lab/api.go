package lab

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// How long the API server may take to answer, and the controllers to do their first work. Both take two or three seconds
// on an idle machine.
const readyLimit = 2 * time.Minute

// An api is the supervisor's own client.
type api struct{ *kubernetes.Clientset }

func connect(kubeconfig string) (*api, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1 // no throttling on this side
	cfg.WarningHandler = rest.NoWarnings{}
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	return &api{set}, nil
}

// answers waits until the API server says that it is ready.
func (a *api) answers(ctx context.Context) error {
	return poll(ctx, "the API server", func() error {
		return a.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// admits waits until the controllers have done their first work: without its default service account a namespace takes no pods.
func (a *api) admits(ctx context.Context) error {
	return poll(ctx, "the controllers", func() error {
		if _, err := a.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := a.CoreV1().ConfigMaps(metav1.NamespaceDefault).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
}

// poll tries until it works, until ctx ends (its cause says which process died), or until readyLimit has passed.
func poll(ctx context.Context, what string, try func() error) error {
	limit := time.After(readyLimit)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit:
			return fmt.Errorf("%s not ready after %v: %w", what, readyLimit, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
