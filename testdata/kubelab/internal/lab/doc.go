// Package lab supervises one Kubernetes control plane: it makes the certificates, runs etcd, kube-apiserver,
// kube-controller-manager and, where there are nodes, kube-scheduler as child processes of this same executable
// (`kubelab etcd …`), waits until the API admits pods, and takes everything down again.
//
// The folder is the cluster:
//
//	D/admin.kubeconfig   cluster-admin, for whoever uses the cluster
//	D/pki/               certificate authority and keys; made once, so that kubeconfigs survive a restart
//	D/etcd/              the data
//	D/*.log              what each process said
//	D/kubelab.lock       who runs here, see lock.go
//
// Nothing outlives the supervisor: children are killed with it (on Linux by the kernel), and Down waits for the last one.
// It is a laboratory: etcd does not sync to disk and listens on loopback without a password.
package lab
