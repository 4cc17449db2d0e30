// Kubelab is a Kubernetes control plane in one binary: etcd, kube-apiserver, kube-controller-manager, kube-scheduler
// and kubectl, unmodified and built from their modules, and a small supervisor that runs the first four as child
// processes of itself. Angler's tests and its demo run against it, because quota, RBAC, Pod Security and token
// revocation can only be tested against the code that enforces them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics of the components
	_ "k8s.io/component-base/metrics/prometheus/version"  // build_info
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

const usage = `usage:
  kubelab up --dir D [--nodes N] [--workloads] [--apiserver-flag F]... [--detach]
  kubelab down --dir D
  kubelab kubectl ...

up runs a control plane until it is interrupted and prints how to use it.
  --dir D       folder for its state; a cluster that ran there before is started again
  --nodes N     pretend to have N nodes: pods are scheduled and go Running, without any container
  --workloads   also run the controllers of Deployments, StatefulSets, Jobs and the like
  --apiserver-flag F
                give kube-apiserver this flag too, such as --service-account-max-token-expiration=1h
  --detach      return once it is ready and leave it running
down stops what runs in D and waits for its last process; nothing running there is success.
kubectl is the one that fits the control plane.

Exit codes: 0 done, 1 failed, 2 usage.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	name, args := os.Args[1], os.Args[2:]
	switch name {
	case "up", "down":
		// After the first signal the handler is gone: a second one ends the supervisor at once, and its children with it.
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		if name == "up" {
			os.Exit(up(ctx, args))
		}
		os.Exit(down(ctx, args))
	case "help", "-h", "--help":
		fmt.Print(usage)
	case "kubectl":
		component(kubectl.NewDefaultKubectlCommand, name, args)
	case "etcd":
		etcdmain.Main(os.Args[1:])
	case "kube-apiserver":
		component(apiserver.NewAPIServerCommand, name, args)
	case "kube-controller-manager":
		component(controllers.NewControllerManagerCommand, name, args)
	case "kube-scheduler":
		component(func() *cobra.Command { return scheduler.NewSchedulerCommand() }, name, args)
	default:
		fmt.Fprintf(os.Stderr, "kubelab: unknown command %q\n%s", name, usage)
		os.Exit(2)
	}
}

// component runs one of the upstream programs in this process, with os.Args as it would have found them: kubectl and
// the component logging look there.
func component(build func() *cobra.Command, name string, args []string) {
	os.Args = append([]string{name}, args...)
	c := build()
	c.SetArgs(args)
	os.Exit(cli.Run(c))
}
