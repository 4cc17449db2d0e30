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
