package workload

import (
	"fmt"
	"slices"
)

// clusterKinds are kinds of Kubernetes' own that are of the whole cluster, by group: what is not among them an API server
// tells.
var clusterKinds = map[string][]string{
	"":                             {"Namespace", "Node", "PersistentVolume"},
	"admissionregistration.k8s.io": {"MutatingAdmissionPolicy", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration"},
	"apiextensions.k8s.io":         {"CustomResourceDefinition"},
	"apiregistration.k8s.io":       {"APIService"},
	"networking.k8s.io":            {"IngressClass"},
	"node.k8s.io":                  {"RuntimeClass"},
	"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
	"scheduling.k8s.io":            {"PriorityClass"},
	"storage.k8s.io":               {"CSIDriver", "StorageClass", "VolumeAttachment"},
}

// Scope says before there is a namespace whether one that is leased from now on could hold the objects, as far as that can
// be known without its API server: what names a namespace cannot be for it, whose name nobody knows yet. The error is
// ErrScope. Apply tells the rest.
func (m *Manifest) Scope() error {
	for _, o := range m.objects {
		if kind := o.GroupVersionKind(); slices.Contains(clusterKinds[kind.Group], kind.Kind) {
			return fmt.Errorf("%w: %s %s is of the whole cluster, and a lease is a namespace", ErrScope, kind.Kind, o.GetName())
		}
		if where := o.GetNamespace(); where != "" {
			return fmt.Errorf("%w: %s %s is for namespace %s, and a lease has a new one (leave metadata.namespace out)", ErrScope, o.GetKind(), o.GetName(), where)
		}
	}
	return nil
}
