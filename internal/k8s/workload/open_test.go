package workload

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/angler-dex/angler/internal/k8s"
)

func kubeconfig(t *testing.T, edit func(*clientcmdapi.Config)) []byte {
	t.Helper()
	c := clientcmdapi.NewConfig()
	for _, name := range []string{"one", "two"} {
		c.Clusters[name] = &clientcmdapi.Cluster{Server: "https://" + name + ".example:6443"}
		c.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: "t"}
		c.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: "lease-" + name}
	}
	c.CurrentContext = "one"
	if edit != nil {
		edit(c)
	}
	text, err := clientcmd.Write(*c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOpen(t *testing.T) {
	for context, want := range map[string]string{"": "lease-one", "two": "lease-two"} {
		if target, err := Open(kubeconfig(t, nil), context); err != nil || target.Namespace() != want {
			t.Errorf("context %q: %v, %v", context, target, err)
		}
	}
	for name, text := range map[string][]byte{
		"garbage":      []byte("clusters: 5"),
		"no context":   kubeconfig(t, func(c *clientcmdapi.Config) { c.CurrentContext = "" }),
		"no namespace": kubeconfig(t, func(c *clientcmdapi.Config) { c.Contexts["one"].Namespace = "" }),
		"no cluster":   kubeconfig(t, func(c *clientcmdapi.Config) { delete(c.Clusters, "one") }),
	} {
		if _, err := Open(text, ""); err == nil || !strings.HasPrefix(err.Error(), "kubeconfig: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(kubeconfig(t, nil), "three"); err == nil {
		t.Error("a context that is not there")
	}
}

// An API server is a stranger's: it cannot send us elsewhere, nor fill our memory.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	var answer http.HandlerFunc
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer server.Close()
	target, err := Open(kubeconfig(t, func(c *clientcmdapi.Config) {
		c.Clusters["one"] = &clientcmdapi.Cluster{Server: server.URL, InsecureSkipTLSVerify: true}
	}), "")
	if err != nil {
		t.Fatal(err)
	}
	m := parsed(t, settings)
	answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }
	if _, err = target.Apply(testContext(t), m); !errors.Is(err, errElsewhere) || !errors.Is(err, k8s.ErrHostile) {
		t.Errorf("redirected: %v", err)
	}
	answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		block := bytes.Repeat([]byte(" "), 1<<20)
		for range maxAnswer>>20 + 1 {
			if _, writeErr := w.Write(block); writeErr != nil {
				return // it has stopped reading
			}
		}
	}
	if _, err = target.Apply(testContext(t), m); !errors.Is(err, errTooMuch) {
		t.Errorf("an endless answer: %v", err)
	}
}

// Nor can it fill a disk with the logs of pods that it makes up.
func TestHostileLogs(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/log") {
			_, _ = w.Write(make([]byte, 1000)) // a reader that has enough goes away
			return
		}
		w.Header().Set("Content-Type", "application/json")
		pod := `{"metadata":{"name":"p"},"status":{"containerStatuses":[{"name":"c","state":{"running":{}}}]}}`
		_, _ = w.Write([]byte(`{"kind":"PodList","apiVersion":"v1","items":[` + strings.TrimSuffix(strings.Repeat(pod+",", 50), ",") + `]}`))
	}))
	defer server.Close()
	target, err := Open(kubeconfig(t, func(c *clientcmdapi.Config) {
		c.Clusters["one"] = &clientcmdapi.Cluster{Server: server.URL, InsecureSkipTLSVerify: true}
	}), "")
	if err != nil {
		t.Fatal(err)
	}
	job := Applied{{Kind: schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}, Name: "j"}}
	for _, c := range []struct {
		bounds  logBounds
		sources int
		bytes   int
		whole   bool
	}{
		{logBounds{containers: 7, bytes: 1 << 20}, 7, 7000, false},
		{logBounds{containers: 70, bytes: 2500}, 3, 2500, false},
		{allLogs, 50, 50000, true},
	} {
		var log bytes.Buffer
		sources := 0
		err := target.logs(testContext(t), job, func(Source) io.Writer { sources++; return &log }, c.bounds)
		if sources != c.sources || log.Len() != c.bytes || (err == nil) != c.whole || !c.whole && !errors.Is(err, errManyLogs) {
			t.Errorf("%+v: %d logs, %d bytes, %v", c.bounds, sources, log.Len(), err)
		}
	}
}
