package manifest

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// podSecurityVersion pins what "restricted" means, so that an upgrade of a cluster does not change a running lease. A
// cluster that is older than the pin applies the latest version that it knows.
const podSecurityVersion = "v1.36"

// namespace returns the tenant's namespace with Pod Security at its strictest level.
func namespace(s Spec) Object {
	labels := s.labels()
	for _, mode := range []string{"enforce", "audit", "warn"} {
		labels["pod-security.kubernetes.io/"+mode] = "restricted"
		labels["pod-security.kubernetes.io/"+mode+"-version"] = podSecurityVersion
	}
	config := corev1ac.Namespace(s.name()).WithLabels(labels).WithAnnotations(map[string]string{
		AnnotationRequester: s.Requester,
		AnnotationExpires:   s.Expires.UTC().Format(time.RFC3339),
	})
	if extended := extendedOf(s.Quota); len(extended) > 0 {
		config.WithAnnotations(map[string]string{AnnotationExtended: strings.Join(extended, ",")})
	}
	if s.GPU != nil {
		config.WithAnnotations(map[string]string{AnnotationGPU: string(s.GPU.Resource), AnnotationNodes: s.GPU.terms(",")})
	}
	return Object{
		GroupVersionResource: corev1.SchemeGroupVersion.WithResource("namespaces"), Kind: "Namespace",
		Name: s.name(), Config: config,
	}
}

// extendedOf returns the names of extended resources in a quota, sorted.
func extendedOf(quota corev1.ResourceList) []string {
	var names []string
	for name := range quota {
		if strings.Contains(string(name), "/") {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names
}
