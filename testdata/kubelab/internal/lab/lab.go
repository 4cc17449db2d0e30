package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// MaxNodes bounds Options.Nodes; more pretended nodes than this say nothing that fewer do not.
const MaxNodes = 100

// Options say which cluster to run.
type Options struct {
	Dir       string   // state; made if it is not there
	Nodes     int      // pretended nodes; 0 leaves out the scheduler too, and pods stay Pending
	Workloads bool     // run the controllers of Deployments, Jobs and the like
	APIServer []string // flags of kube-apiserver, after ours
}

// startAttempts is how often ports are drawn anew when somebody else took one between our look and our use.
const startAttempts = 3

// Up runs a cluster until ctx ends, which is success, or until one of its processes dies, which is not. It calls ready
// once, when pods and tokens can be made. When Up returns, no process is left.
func Up(ctx context.Context, o Options, log io.Writer, ready func(kubeconfig string, took time.Duration)) error {
	// The kernel sends a child its parent-death signal when the thread that started it ends, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	began := time.Now()
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	if err = os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	held, err := acquire(ctx, dir)
	if err != nil {
		return err
	}
	defer held.release()
	keys, err := loadKeys(filepath.Join(dir, "pki"))
	if err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	for attempt := 1; ; attempt++ {
		err := run(ctx, &layout{dir: dir, workloads: o.Workloads, nodes: o.Nodes, apiFlags: o.APIServer}, keys, held, log, func(kubeconfig string) {
			ready(kubeconfig, time.Since(began))
		})
		if !errors.Is(err, errPortTaken) || attempt == startAttempts {
			return err
		}
		fmt.Fprintf(log, "kubelab: %v; trying other ports\n", err)
	}
}

// run is one attempt of Up on one set of ports.
func run(ctx context.Context, l *layout, keys *keys, held *lock, log io.Writer, ready func(kubeconfig string)) (err error) {
	if err = l.drawPorts(); err != nil {
		return err
	}
	if err = keys.writeKubeconfig(l.kubeconfig(), l.server()); err != nil {
		return err
	}
	f := newFamily(ctx, l.dir, held.file)
	defer func() {
		if stopErr := f.stop(); err == nil {
			err = stopErr
		}
	}()
	if err = f.start("etcd", l.etcd()); err != nil {
		return err
	}
	if err = f.start("kube-apiserver", l.apiserver()); err != nil {
		return err
	}
	api, err := connect(l.kubeconfig())
	if err != nil {
		return err
	}
	if err := api.answers(f.ctx); err != nil {
		return err
	}
	if err := f.start("kube-controller-manager", l.controllerManager()); err != nil {
		return err
	}
	if l.nodes > 0 {
		if err := f.start("kube-scheduler", l.scheduler()); err != nil {
			return err
		}
		stopKubelet, err := api.pretendNodes(f.ctx, l.nodes, l.key("apiserver.crt"), l.key("apiserver.key"), log)
		if err != nil {
			return err
		}
		defer stopKubelet()
	}
	if err := api.admits(f.ctx); err != nil {
		return err
	}
	ready(l.kubeconfig())
	<-f.ctx.Done()
	if ctx.Err() != nil {
		return nil // asked to stop
	}
	return context.Cause(f.ctx)
}
