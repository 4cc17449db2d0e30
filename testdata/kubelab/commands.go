package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/angler-dex/angler/testdata/kubelab/internal/lab"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// up starts a control plane and stays until it is interrupted, or hands it to a process of its own with --detach.
// The only line on stdout is the one for the shell, so that eval "$(kubelab up --dir D --detach)" works.
func up(ctx context.Context, args []string) int {
	fs := flag.NewFlagSet("kubelab up", flag.ContinueOnError)
	var o lab.Options
	fs.StringVar(&o.Dir, "dir", "", "folder for the cluster's state; an existing cluster in it is started again")
	fs.IntVar(&o.Nodes, "nodes", 0, "number of pretended nodes; starts the scheduler, and pods go Running without any container")
	fs.BoolVar(&o.Workloads, "workloads", false, "also run the controllers of Deployments, StatefulSets, Jobs and the like")
	fs.Func("apiserver-flag", "another flag of kube-apiserver; can be given several times", func(flag string) error {
		if !strings.HasPrefix(flag, "--") {
			return errors.New("want a flag of kube-apiserver, for example --service-account-max-token-expiration=1h")
		}
		o.APIServer = append(o.APIServer, flag)
		return nil
	})
	detach := fs.Bool("detach", false, "return once the cluster is ready and leave it running")
	readyFD := fs.Int("ready-fd", 0, "internal: file descriptor to write to when ready")
	if code, ok := parse(fs, args, &o.Dir); !ok {
		return code
	}
	if o.Nodes < 0 || o.Nodes > lab.MaxNodes {
		fmt.Fprintf(os.Stderr, "kubelab up: --nodes %d: want 0 to %d, for example --nodes 3\n", o.Nodes, lab.MaxNodes)
		return exitUsage
	}
	ready := func(kubeconfig string, took time.Duration) {
		fmt.Fprintf(os.Stderr, "kubelab: ready after %v\n", took.Round(time.Millisecond))
		fmt.Printf("export KUBECONFIG=%s\n", kubeconfig)
	}
	var err error
	if *detach {
		err = lab.Detach(ctx, o, os.Stderr, ready)
	} else {
		if *readyFD > 0 {
			ready = lab.SignalReady(*readyFD)
		}
		err = lab.Up(ctx, o, os.Stderr, ready)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubelab up:", err)
		return exitFailed
	}
	return exitOK
}

// down stops the control plane that runs in a folder. Nothing running there is success.
func down(ctx context.Context, args []string) int {
	fs := flag.NewFlagSet("kubelab down", flag.ContinueOnError)
	dir := fs.String("dir", "", "the folder that was given to kubelab up")
	if code, ok := parse(fs, args, dir); !ok {
		return code
	}
	stopped, err := lab.Down(ctx, *dir)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "kubelab down:", err)
		return exitFailed
	case stopped:
		fmt.Fprintf(os.Stderr, "kubelab: stopped the cluster in %s\n", *dir)
	default:
		fmt.Fprintf(os.Stderr, "kubelab: nothing runs in %s\n", *dir)
	}
	return exitOK
}

// parse reads flags and insists on --dir and on no arguments beside them.
func parse(fs *flag.FlagSet, args []string, dir *string) (code int, ok bool) {
	fs.Usage = func() {} // the flags stand in usage, but for one that is not for people
	fs.SetOutput(os.Stderr)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		return exitOK, false
	case err != nil:
		return exitUsage, false // flag has printed why
	case fs.NArg() > 0:
		fmt.Fprintf(os.Stderr, "%s: unexpected argument %q\n", fs.Name(), fs.Arg(0))
		return exitUsage, false
	case *dir == "":
		fmt.Fprintf(os.Stderr, "%s: --dir is required, for example --dir /tmp/kubelab\n", fs.Name())
		return exitUsage, false
	}
	return exitOK, true
}
