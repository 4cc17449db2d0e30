package workload

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The conditions of the package comment, kind by kind, as API servers word them.
func TestJudge(t *testing.T) {
	const (
		deployment  = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {generation: 2}\nspec: {replicas: 2}\n"
		statefulSet = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {generation: 2}\nspec: {replicas: 2}\n"
		replicaSet  = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {generation: 1}\n"
		job         = "apiVersion: batch/v1\nkind: Job\n"
		pod         = "apiVersion: v1\nkind: Pod\n"
		service     = "apiVersion: v1\nkind: Service\n"
	)
	for _, c := range []struct {
		name, object string
		ready, done  bool
		failed       bool
		says         string
	}{
		{"new", deployment, false, false, false, "0 of 2"},
		{"available", deployment + "status: {observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2}", true, true, false, "2 of 2"},
		{"of an earlier template", deployment + "status: {observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2}", false, false, false, ""},
		{"an old pod is left", deployment + "status: {observedGeneration: 2, replicas: 3, updatedReplicas: 2, availableReplicas: 3}", false, false, false, ""},
		{"past its deadline", deployment + "status: {observedGeneration: 2, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: too slow}]}", false, false, true, "too slow"},
		{"of none", strings.Replace(deployment, "replicas: 2", "replicas: 0", 1) + "status: {observedGeneration: 2}", true, true, false, "0 of 0"},
		{"over the quota", deployment + "status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: 'True', message: exceeded quota}]}", false, false, false, "exceeded quota"},
		{"ready", statefulSet + "status: {observedGeneration: 2, readyReplicas: 2, currentRevision: a, updateRevision: a}", true, true, false, "2 of 2"},
		{"rolling", statefulSet + "status: {observedGeneration: 2, readyReplicas: 2, updatedReplicas: 1, currentRevision: a, updateRevision: b}", false, false, false, ""},
		{"one replica by default", replicaSet + "status: {observedGeneration: 1, readyReplicas: 1}", true, true, false, "1 of 1"},
		{"refused", replicaSet + "status: {observedGeneration: 1, conditions: [{type: ReplicaFailure, status: 'True', message: forbidden}]}", false, false, false, "forbidden"},
		{"not begun", job, false, false, false, "0 succeeded"},
		{"runs", job + "status: {active: 1, ready: 1}", true, false, false, "1 running"},
		{"complete", job + "status: {conditions: [{type: Complete, status: 'True'}]}", true, true, false, "complete"},
		{"failed", job + "status: {conditions: [{type: Failed, status: 'True', message: backoff}]}", false, false, true, "failed: backoff"},
		{"pending", pod + "spec: {restartPolicy: Never}\nstatus: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', message: no node}]}", false, false, false, "no node"},
		{"runs once", pod + "spec: {restartPolicy: Never}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'True'}]}", true, false, false, "Running"},
		{"serves", pod + "spec: {restartPolicy: Always}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'True'}]}", true, true, false, "Running"},
		{"succeeded", pod + "status: {phase: Succeeded}", true, true, false, "succeeded"},
		{"exited", pod + "status: {phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3, reason: Error}}}]}", false, false, true, "container a: exit code 3"},
		{"evicted", pod + "status: {phase: Failed, reason: Evicted}", false, false, true, "Evicted"},
		{"inside", service + "spec: {type: ClusterIP}", true, true, false, "there"},
		{"no address", service + "spec: {type: LoadBalancer}", false, false, false, "no address"},
		{"address", service + "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}", true, true, false, "there"},
		{"another kind", "apiVersion: example.com/v1\nkind: Deployment\n", true, true, false, "there"},
	} {
		var tree map[string]any
		if err := yaml.Unmarshal([]byte(c.object), &tree); err != nil {
			t.Fatal(err)
		}
		for until, want := range map[Until]bool{Ready: c.ready, Done: c.done} {
			got, err := judge(&unstructured.Unstructured{Object: tree}, until)
			if err != nil || got.Ready != want || got.Failed != c.failed || !strings.Contains(got.Says, c.says) {
				t.Errorf("%v %s, until %d: %+v, %v", tree["kind"], c.name, until, got, err)
			}
		}
	}
	// What an API server sends is anything.
	for _, bad := range []string{"apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: many}", "apiVersion: v1\nkind: Pod\nstatus: [x]"} {
		var tree map[string]any
		if err := yaml.Unmarshal([]byte(bad), &tree); err != nil {
			t.Fatal(err)
		}
		if _, err := judge(&unstructured.Unstructured{Object: tree}, Ready); err == nil {
			t.Errorf("%s: judged", bad)
		}
	}
}
