package k8stest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// kubelab runs it to its end and returns what it printed and its exit code.
func kubelab(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := exec.Command(Binary(t), args...)
	var out, talk bytes.Buffer
	c.Stdout, c.Stderr = &out, &talk
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), talk.String(), c.ProcessState.ExitCode()
}

// processesOf returns the command lines of all live processes that name dir.
func processesOf(t *testing.T, dir string) (pids []int, lines []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		t.Fatalf("no /proc to look for processes in (%v)", err)
	}
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(line, []byte(dir)) { // gone meanwhile, a zombie, or somebody else's
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		pids, lines = append(pids, pid), append(lines, strings.ReplaceAll(string(line), "\x00", " "))
	}
	return pids, lines
}

// One cluster's life: up, refused a second time, killed with its children, up again with what it had, down, down again.
func TestLifeOfACluster(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { kubelab(t, "down", "--dir", dir) })
	kubeconfig := filepath.Join(dir, "admin.kubeconfig")
	up := func() {
		t.Helper()
		out, talk, code := kubelab(t, "up", "--dir", dir, "--detach", "--nodes", "2", "--workloads")
		if code != 0 || out != "export KUBECONFIG="+kubeconfig+"\n" {
			t.Fatalf("up: exit %d, stdout %q, stderr %s", code, out, talk)
		}
	}
	up()
	if _, err := Kubectl(t, kubeconfig, "create", "deployment", "d", "--image=none", "--replicas=2"); err != nil {
		t.Fatal(err)
	}
	if _, err := Kubectl(t, kubeconfig, "rollout", "status", "deployment/d", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
	if _, talk, code := kubelab(t, "up", "--dir", dir, "--detach"); code != 1 || !strings.Contains(talk, "already runs") {
		t.Errorf("up a second time: exit %d: %s", code, talk)
	}

	pids, lines := processesOf(t, dir)
	if len(pids) != 5 {
		t.Errorf("%d processes, want the supervisor and four: %q", len(pids), lines)
	}
	for i, pid := range pids {
		if strings.Contains(lines[i], " up ") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	up() // waits for the children of the one that was killed
	out, err := Kubectl(t, kubeconfig, "get", "deployment", "d", "-o", "jsonpath={.spec.replicas}")
	if err != nil || out != "2" {
		t.Errorf("after a restart: %q, %v", out, err)
	}

	for _, want := range []string{"stopped the cluster", "nothing runs"} {
		if _, talk, code := kubelab(t, "down", "--dir", dir); code != 0 || !strings.Contains(talk, want) {
			t.Errorf("down: exit %d, want %q: %s", code, want, talk)
		}
		if pids, lines := processesOf(t, dir); len(pids) > 0 {
			t.Errorf("left after down: %q", lines)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", 2, "usage"},
		{"help", 0, ""},
		{"up -h", 0, ""},
		{"sideways", 2, `unknown command "sideways"`},
		{"up", 2, "--dir is required, for example"},
		{"up --dir " + t.TempDir() + " --nodes -1", 2, "--nodes 3"},
		{"up --dir /dev/null/x", 1, "not a directory"},
		{"up --dir d --sideways", 2, "sideways"},
		{"up --dir d --apiserver-flag v=1", 2, "for example --service-account-max-token-expiration=1h"},
		{"down", 2, "--dir is required"},
		{"down --dir a b", 2, `unexpected argument "b"`},
		{"down --dir " + filepath.Join(t.TempDir(), "none"), 0, "nothing runs"},
	} {
		_, talk, code := kubelab(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(talk, c.says) {
			t.Errorf("kubelab %s: exit %d, want %d and %q: %s", c.args, code, c.code, c.says, talk)
		}
	}
}

// Pods that are to end do, as their annotations say, and what they wrote can be read; flags reach the API server; two
// clusters run side by side.
func TestPretendedPods(t *testing.T) {
	t.Parallel()
	lab := Launch(t, "--nodes", "1", "--workloads", "--apiserver-flag", "--service-account-max-token-expiration=1h")
	job := func(name, annotations string) string {
		return `{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "` + name + `"}, "spec": {"backoffLimit": 0, "template": {
			"metadata": {"annotations": {` + annotations + `}},
			"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none", "command": ["say", "it"]}]}}}}`
	}
	path := filepath.Join(t.TempDir(), "jobs.json")
	text := job("good", `"kubelab/run": "200ms"`) + "\n---\n" + job("bad", `"kubelab/exit": "3", "kubelab/log": "no\nway"`)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"apply -f " + path, "job.batch/bad created"},
		{"wait --for=condition=complete job/good --timeout=60s", "condition met"},
		{"wait --for=condition=failed job/bad --timeout=60s", "condition met"},
		{"logs job/good -f", "none say it\n"},
		{"logs job/bad", "no\nway\n"},
		{"get pods -l job-name=bad -o jsonpath={.items[*].status.containerStatuses[0].state.terminated.exitCode}", "3"},
	} {
		out, err := Kubectl(t, lab, strings.Fields(c.args)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %q, %v", c.args, out, err)
		}
	}
	token, err := Kubectl(t, lab, "create", "token", "default", "--duration=100h", "-o", "jsonpath={.status.expirationTimestamp}")
	expires, parseErr := time.Parse(time.RFC3339, token)
	if err != nil || parseErr != nil || time.Until(expires) > time.Hour {
		t.Errorf("a token until %q: %v", token, err)
	}
	if other := Start(t); other == lab {
		t.Error("one cluster")
	}
}

// The shared cluster answers, is of the version that kubelab was built from, and is the same on the second call.
func TestStart(t *testing.T) {
	kubeconfig := Start(t)
	if again := Start(t); again != kubeconfig {
		t.Errorf("two clusters: %s, %s", kubeconfig, again)
	}
	out, err := Kubectl(t, kubeconfig, "version", "-o", "yaml")
	if err != nil {
		t.Fatal(err)
	}
	var client, server string
	for _, line := range strings.Split(out, "\n") {
		if v, ok := strings.CutPrefix(line, "  gitVersion: "); ok {
			client, server = server, v
		}
	}
	if client == "" || client != server {
		t.Errorf("client %q, server %q:\n%s", client, server, out)
	}
	if _, err := Kubectl(t, kubeconfig, "get", "nonsense"); err == nil || !strings.Contains(fmt.Sprint(err), "nonsense") {
		t.Errorf("an error without what kubectl said: %v", err)
	}
}
