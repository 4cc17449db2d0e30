package workload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
)

const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n---\n"

// A requester's manifest runs to its end: what serves is available, what ends has ended, and its logs are there.
func TestRun(t *testing.T) {
	t.Parallel()
	target, ctx := lease(t), testContext(t)
	m := parsed(t, settings+deployment("web", "2")+job("work", `kubelab/run: 300ms, kubelab/log: "the answer\nis 42"`)+
		"apiVersion: v1\nkind: Pod\nmetadata: {name: once}\nspec:\n  restartPolicy: Never\n  "+secure+"\n  containers: ["+container+"]\n")
	var applied Applied
	for range 2 { // a second time changes nothing
		var err error
		if applied, err = target.Apply(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if got := applied.String(); got != "configmap/settings, deployment/web, job/work, pod/once" {
		t.Errorf("applied %s", got)
	}
	told := map[string][]string{}
	if err := target.Wait(ctx, applied, Done, func(s State) { told[s.Object.String()] = append(told[s.Object.String()], s.Says) }); err != nil {
		t.Fatal(err)
	}
	for object, last := range map[string]string{"configmap/settings": "there", "deployment/web": "2 of 2 available", "job/work": "complete", "pod/once": "succeeded"} {
		if says := told[object]; len(says) == 0 || says[len(says)-1] != last {
			t.Errorf("%s: told %q", object, says)
		}
	}
	if err := target.Wait(ctx, applied, Ready, nil); err != nil {
		t.Errorf("what is done is ready: %v", err)
	}
	logs := map[string]*bytes.Buffer{}
	err := target.Logs(ctx, applied, func(s Source) io.Writer {
		logs[s.Object.String()+" "+s.Container] = new(bytes.Buffer)
		return logs[s.Object.String()+" "+s.Container]
	})
	if err != nil || len(logs) != 2 || logs["job/work main"].String() != "the answer\nis 42\n" || logs["pod/once main"].String() != "none say it\n" {
		t.Errorf("logs %v, %v", logs, err)
	}
	none := 0
	if err := target.Logs(ctx, applied, func(Source) io.Writer { none++; return nil }); err != nil || none != 2 {
		t.Errorf("logs that nobody wants: %d, %v", none, err)
	}
}

// A Job that fails ends the wait at once, and says so; its log can be had all the same.
func TestRunFails(t *testing.T) {
	t.Parallel()
	target, ctx := lease(t), testContext(t)
	applied, err := target.Apply(ctx, parsed(t, job("bad", `kubelab/exit: "3"`)))
	if err != nil {
		t.Fatal(err)
	}
	var failure *NotReadyError
	if err = target.Wait(ctx, applied, Ready, nil); !errors.As(err, &failure) || failure.Err != nil || !strings.Contains(err.Error(), "job/bad: failed") {
		t.Errorf("%v", err)
	}
	var log bytes.Buffer
	if err = target.Logs(ctx, applied, func(Source) io.Writer { return &log }); err != nil || log.String() != "none say it\n" {
		t.Errorf("%q, %v", log.String(), err)
	}
	// And one that is deleted while it is waited for.
	if applied, err = target.Apply(ctx, parsed(t, job("gone", `kubelab/run: 1h`))); err != nil {
		t.Fatal(err)
	}
	now := metav1.DeletePropagationBackground
	if err = target.at(applied[0]).Delete(ctx, "gone", metav1.DeleteOptions{PropagationPolicy: &now}); err != nil {
		t.Fatal(err)
	}
	if err = target.Wait(ctx, applied, Done, nil); !errors.As(err, &failure) || !strings.Contains(err.Error(), "job/gone: deleted") {
		t.Errorf("%v", err)
	}
}

// More than the lease has is waited for until the deadline, and the reason is the cluster's own.
func TestRunOverTheQuota(t *testing.T) {
	t.Parallel()
	target := lease(t)
	ctx, cancel := context.WithCancelCause(testContext(t))
	defer cancel(nil)
	applied, err := target.Apply(ctx, parsed(t, deployment("many", "20")))
	if err != nil {
		t.Fatal(err)
	}
	deadline := errors.New("the deadline")
	var failure *NotReadyError
	err = target.Wait(ctx, applied, Ready, func(s State) {
		if strings.Contains(s.Says, "exceeded quota") {
			cancel(deadline)
		}
	})
	if !errors.As(err, &failure) || !errors.Is(err, deadline) || !strings.Contains(err.Error(), "deployment/many") || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("%v", err)
	}
}

// What is not of the leased namespace, or not the tenant's to write, is refused before anything is written.
func TestApplyRefused(t *testing.T) {
	t.Parallel()
	target, ctx := lease(t), testContext(t)
	for name, c := range map[string]struct {
		text, want string
		fails      error
	}{
		"of the whole cluster": {"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}", "ClusterRole x is of the whole cluster", ErrScope},
		"a namespace":          {"apiVersion: v1\nkind: Namespace\nmetadata: {name: x}", "Namespace x is of the whole cluster", ErrScope},
		"another namespace":    {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: kube-system}", "leave metadata.namespace out", ErrScope},
		"an unknown kind":      {"apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x}", "example.com/v1 Widget", k8s.ErrKind},
		"a forbidden kind":     {strings.Replace(strings.Replace(deployment("x", "1"), "Deployment", "DaemonSet", 1), "  replicas: 1\n", "", 1), "apply daemonset/x", k8s.ErrForbidden},
		"an unknown field":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nnonsense: 1", "nonsense", nil},
		"a privileged pod":     {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {hostNetwork: true, containers: [{name: a, image: b}]}", "violates PodSecurity", k8s.ErrForbidden},
	} {
		applied, err := target.Apply(ctx, parsed(t, settings+c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || c.fails != nil && !errors.Is(err, c.fails) || len(applied) > 0 {
			t.Errorf("%s: %v, %v", name, applied, err)
		}
	}
	list, err := target.set.CoreV1().ConfigMaps(target.Namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, there := range list.Items {
		if there.Name == "settings" {
			t.Error("something was written")
		}
	}
	// One whose namespace is the lease's own may say so.
	applied, err := target.Apply(ctx, parsed(t, strings.Replace(settings, "name: settings", "name: settings, namespace: "+target.Namespace(), 1)))
	if err != nil || !slices.Equal([]string{applied[0].Name}, []string{"settings"}) {
		t.Errorf("%v, %v", applied, err)
	}
	cut, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := target.Apply(cut, parsed(t, settings)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The parts of a split lease lie in several clusters: one kubeconfig, a context each, and the same manifest in all.
func TestRunInTwoClusters(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	text, err := k8s.Kubeconfig(
		k8s.Context{Name: "first", Grant: grantOf(t, k8stest.Start(t))},
		k8s.Context{Name: "second", Grant: grantOf(t, k8stest.Launch(t, "--nodes", "1", "--workloads"))})
	if err != nil {
		t.Fatal(err)
	}
	m := parsed(t, settings+job("work", ""))
	servers := map[string]bool{}
	for _, name := range []string{"first", "second"} {
		target, openErr := Open(text, name)
		if openErr != nil {
			t.Fatal(openErr)
		}
		applied, runErr := target.Apply(ctx, m)
		if runErr == nil {
			runErr = target.Wait(ctx, applied, Done, nil)
		}
		if runErr != nil {
			t.Errorf("%s: %v", name, runErr)
		}
		servers[target.set.RESTClient().Get().URL().Host] = true
	}
	if len(servers) != 2 {
		t.Errorf("one cluster: %v", servers)
	}
}
