// Package k8stest gives tests a real Kubernetes control plane: kubelab (testdata/kubelab), one cluster for each test
// package that asks for one.
//
//	func TestMain(m *testing.M) { k8stest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		kubeconfig := k8stest.Start(t) // cluster-admin
//	}
//
// The cluster starts when the first test asks and stops when the last has run; if the test process dies, it dies too.
// Main takes flags for it, such as "--nodes", "2", "--workloads". A test that needs a cluster of another kind, or several,
// launches its own:
//
//	kubeconfig := k8stest.Launch(t, "--apiserver-flag", "--service-account-max-token-expiration=1h")
//
// Tests share the package's cluster, so each uses namespaces of its own. A test that needs a cluster and finds no kubelab fails.
package k8stest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// binaryVariable names the environment variable with the path of kubelab, if it is not bin/kubelab of the repository.
const binaryVariable = "ANGLER_KUBELAB"

// shared is the cluster of this test process.
var shared struct {
	sync.Mutex
	watched    bool // Wrap is running, so somebody will stop it
	flags      []string
	kubeconfig string
	err        error
	stop       func() error
}

// Main runs the tests of a package and exits, as TestMain must. The flags, of kubelab up, are those of the package's cluster.
func Main(m *testing.M, flags ...string) {
	shared.Lock()
	shared.flags = flags
	shared.Unlock()
	os.Exit(Wrap(m).Run())
}

// A Runner runs tests and returns the exit code: what testing.M is, and what testscript.Main takes.
type Runner interface{ Run() int }

// Wrap returns a Runner that runs m and then stops the cluster, for a TestMain that has other things to do too. A cluster
// that did not stop properly fails the package.
func Wrap(m Runner) Runner { return wrapped{m} }

type wrapped struct{ m Runner }

func (w wrapped) Run() int {
	shared.Lock()
	shared.watched = true
	shared.Unlock()
	code := w.m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.stop != nil {
		if err := shared.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "k8stest: stop the cluster:", err)
			return max(code, 1)
		}
	}
	return code
}

// Start returns the path of the cluster-admin kubeconfig of this package's cluster, and starts that on the first call.
func Start(t testing.TB) (kubeconfig string) {
	t.Helper()
	binary := Binary(t)
	shared.Lock()
	defer shared.Unlock()
	switch {
	case !shared.watched:
		t.Fatal("k8stest: the package's TestMain must call k8stest.Main")
	case shared.kubeconfig == "" && shared.err == nil:
		shared.kubeconfig, shared.stop, shared.err = launch(binary, shared.flags...)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.kubeconfig
}

// Launch starts a cluster of the test's own, with further flags of kubelab up, and returns the path of its cluster-admin
// kubeconfig. It stops when the test ends. A cluster takes three seconds and 350 MiB: Start does for most tests.
func Launch(t testing.TB, flags ...string) (kubeconfig string) {
	t.Helper()
	kubeconfig, stop, err := launch(Binary(t), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error("k8stest: stop the cluster:", err)
		}
	})
	return kubeconfig
}

// Binary returns the path of kubelab.
func Binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv(binaryVariable)
	if path == "" {
		path = filepath.Join(root(t), "bin", "kubelab")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("there is no kubelab, which this test needs: run make kubelab (%v)", err)
	}
	return path
}

// root returns the folder of the repository: the one above us with Angler's go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module github.com/angler-dex/angler\n")) {
			return dir
		}
	}
	t.Fatal("k8stest: not inside the repository")
	return ""
}

// launch runs kubelab up in a folder of its own until it says that it is ready.
func launch(binary string, flags ...string) (kubeconfig string, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "kubelab-")
	if err != nil {
		return "", nil, err
	}
	c := exec.Command(binary, append([]string{"up", "--dir", dir}, flags...)...)
	var talk bytes.Buffer
	c.Stderr = &talk
	c.SysProcAttr = attributes()
	out, err := c.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	started, ended := make(chan error), make(chan error, 1)
	ready := make(chan string, 1)
	go func() {
		// On Linux the child is told of the end of the thread that started it: this one waits for it.
		runtime.LockOSThread()
		err := c.Start()
		started <- err
		if err != nil {
			return
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if path, ok := strings.CutPrefix(lines.Text(), "export KUBECONFIG="); ok {
				ready <- path
			}
		}
		ended <- c.Wait()
	}()
	if err := <-started; err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	select {
	case path := <-ready:
		return path, func() error {
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				return err
			}
			return errors.Join(<-ended, os.RemoveAll(dir))
		}, nil
	case err := <-ended:
		return "", nil, fmt.Errorf("kubelab: %w\n%s(state is in %s)", err, talk.Bytes(), dir)
	}
}

// Kubectl runs kubelab's kubectl with a kubeconfig and returns what it wrote to stdout. If it fails, the error holds what it
// wrote to stderr.
func Kubectl(t testing.TB, kubeconfig string, args ...string) (string, error) {
	t.Helper()
	c := exec.Command(Binary(t), append([]string{"kubectl", "--kubeconfig", kubeconfig}, args...)...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}
