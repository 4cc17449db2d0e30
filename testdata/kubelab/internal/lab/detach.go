package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Detach runs Up in a process of its own, in a session of its own, and returns when that cluster is ready or has failed.
// The process logs to D/kubelab.log; Down stops it.
func Detach(ctx context.Context, o Options, log io.Writer, ready func(kubeconfig string, took time.Duration)) error {
	began := time.Now()
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(dir, "kubelab.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()

	args := []string{"up", "--dir", dir, "--nodes", strconv.Itoa(o.Nodes), "--workloads=" + strconv.FormatBool(o.Workloads), "--ready-fd", "3"}
	for _, flag := range o.APIServer {
		args = append(args, "--apiserver-flag", flag)
	}
	c := exec.Command(self, args...)
	c.Stdout, c.Stderr = out, out
	c.ExtraFiles = []*os.File{w}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = c.Start()
	w.Close() // the child has its own: when that closes, the read below ends
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "kubelab: starting in the background, process %d, log %s\n", c.Process.Pid, out.Name())

	stopWatching := context.AfterFunc(ctx, func() { _ = c.Process.Signal(syscall.SIGTERM) })
	defer stopWatching()
	kubeconfig, err := bufio.NewReader(r).ReadString('\n')
	if err == nil && stopWatching() {
		ready(kubeconfig[:len(kubeconfig)-1], time.Since(began))
		return c.Process.Release()
	}
	waitErr := c.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// The child has printed its error the way that this process is about to.
	if said := strings.TrimPrefix(lastLine(out.Name()), "kubelab up: "); said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("%w; see %s", waitErr, out.Name())
}

// SignalReady returns the ready function of the process that Detach started: it tells the kubeconfig through the pipe fd.
func SignalReady(fd int) func(string, time.Duration) {
	pipe := os.NewFile(uintptr(fd), "ready")
	return func(kubeconfig string, _ time.Duration) {
		fmt.Fprintln(pipe, kubeconfig)
		pipe.Close()
	}
}
