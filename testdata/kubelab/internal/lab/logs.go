package lab

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// serveLogs answers what the API server asks the kubelet of a node for kubectl logs. It returns the port; stop waits for the
// answers that are on their way. It listens on loopback and asks nobody who they are: the laboratory has nothing to hide.
func (k *kubelet) serveLogs(certificate, key string) (port int, stop func(), err error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.containerLog)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ServeTLS(listener, certificate, key) // ends with stop
	}()
	return listener.Addr().(*net.TCPAddr).Port, func() { cancel(); _ = server.Close(); <-done }, nil
}

// containerLog writes what a container has pretended to write. Who follows it waits for the container's end.
func (k *kubelet) containerLog(w http.ResponseWriter, r *http.Request) {
	namespace, name, container := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container")
	pod, err := k.pods.Pods(namespace).Get(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	for _, c := range pod.Spec.Containers {
		if c.Name != container {
			continue
		}
		fmt.Fprintln(w, wrote(pod, c))
		if r.URL.Query().Get("follow") == "true" {
			_ = http.NewResponseController(w).Flush() // who cannot be flushed to waits for all of it
			k.awaitEnd(r.Context(), namespace, name)
		}
		return
	}
	http.Error(w, "no such container", http.StatusNotFound)
}

// wrote is the log of a container.
func wrote(pod *corev1.Pod, c corev1.Container) string {
	if text, ok := pod.Annotations[AnnotationLog]; ok {
		return text
	}
	return strings.Join(append(append([]string{c.Image}, c.Command...), c.Args...), " ")
}

func (k *kubelet) awaitEnd(ctx context.Context, namespace, name string) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		pod, err := k.pods.Pods(namespace).Get(name)
		if err != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
