package lab

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// A layout is where one cluster keeps its files and listens, and from that the command line of each component.
type layout struct {
	dir       string
	nodes     int
	workloads bool
	apiFlags  []string
	etcdPort  int
	apiPort   int
}

func (l *layout) file(name string) string { return filepath.Join(l.dir, name) }
func (l *layout) key(name string) string  { return filepath.Join(l.dir, "pki", name) }
func (l *layout) kubeconfig() string      { return l.file("admin.kubeconfig") }
func (l *layout) server() string          { return fmt.Sprintf("https://127.0.0.1:%d", l.apiPort) }

// drawPorts finds two free loopback ports. A cluster that is started again keeps the API port that its kubeconfigs name,
// if nobody took it meanwhile.
func (l *layout) drawPorts() error {
	api, err := listen(formerPort(l.kubeconfig()))
	if err != nil {
		api, err = listen(0)
	}
	if err != nil {
		return err
	}
	defer api.Close()
	etcd, err := listen(0)
	if err != nil {
		return err
	}
	defer etcd.Close()
	l.apiPort = api.Addr().(*net.TCPAddr).Port
	l.etcdPort = etcd.Addr().(*net.TCPAddr).Port
	return nil
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

// formerPort returns the port of the server in a kubeconfig, 0 if there is none.
func formerPort(path string) int {
	c, err := clientcmd.LoadFromFile(path)
	if err != nil || c.Clusters[clusterName] == nil {
		return 0
	}
	u, err := url.Parse(c.Clusters[clusterName].Server)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	return port
}

func (l *layout) etcd() []string {
	client := fmt.Sprintf("http://127.0.0.1:%d", l.etcdPort)
	const nobody = "http://127.0.0.1:2380" // what a single member is said to be reached at: no one ever dials it
	return []string{
		"--data-dir=" + l.file("etcd"),
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=http://127.0.0.1:0", "--initial-advertise-peer-urls=" + nobody, "--initial-cluster=default=" + nobody,
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func (l *layout) apiserver() []string {
	return append([]string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", l.etcdPort),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",   // else it looks for a default route
		"--endpoint-reconciler-type=none", // loopback is not a legal endpoint address
		fmt.Sprintf("--secure-port=%d", l.apiPort),
		"--tls-cert-file=" + l.key("apiserver.crt"), "--tls-private-key-file=" + l.key("apiserver.key"),
		"--client-ca-file=" + l.key("ca.crt"),
		"--authorization-mode=RBAC",
		"--allow-privileged", // as real clusters have it: that a tenant's pod is not privileged is for Pod Security to say
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + l.key("sa.key"),
		"--service-account-signing-key-file=" + l.key("sa.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--profiling=false",
		"--disable-admission-plugins=TaintNodesByCondition", // nothing here would lift the taint of a new node
		"--kubelet-preferred-address-types=InternalIP",      // names of pretended nodes resolve nowhere
	}, l.apiFlags...)
}

// tenancyControllers are what quota, namespaces, accounts and tokens need.
var tenancyControllers = []string{
	"resourcequota-controller", "namespace-controller", "serviceaccount-controller", "serviceaccount-token-controller",
	"root-ca-certificate-publisher-controller", "certificatesigningrequest-approving-controller",
	"certificatesigningrequest-signing-controller", "certificatesigningrequest-cleaner-controller",
	"garbage-collector-controller", "clusterrole-aggregation-controller",
}

// workloadControllers are added by Options.Workloads.
var workloadControllers = []string{
	"deployment-controller", "replicaset-controller", "statefulset-controller", "job-controller", "cronjob-controller",
	"horizontal-pod-autoscaler-controller", "endpointslice-controller", "pod-garbage-collector-controller",
}

func (l *layout) controllerManager() []string {
	run := tenancyControllers
	if l.workloads {
		run = append(run[:len(run):len(run)], workloadControllers...)
	}
	return []string{
		"--kubeconfig=" + l.kubeconfig(),
		"--secure-port=0", // no listener
		"--leader-elect=false",
		"--controllers=" + strings.Join(run, ","),
		"--root-ca-file=" + l.key("ca.crt"),
		"--service-account-private-key-file=" + l.key("sa.key"),
		"--cluster-signing-cert-file=" + l.key("ca.crt"), "--cluster-signing-key-file=" + l.key("ca.key"),
		"--kube-api-qps=200", "--kube-api-burst=400",
	}
}

func (l *layout) scheduler() []string {
	return []string{"--kubeconfig=" + l.kubeconfig(), "--secure-port=0", "--leader-elect=false"}
}
