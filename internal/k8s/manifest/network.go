package manifest

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

// notPublic4 and notPublic6 are the destinations that "the internet" does not include: the provider's own networks and
// what cloud machines learn their secrets from. (Kubernetes takes no IPv4-mapped block; such packets are IPv4 packets.)
var (
	notPublic4 = []string{
		"0.0.0.0/8",        // this network
		"10.0.0.0/8",       // private, RFC 1918
		"100.64.0.0/10",    // shared by carriers and clusters, RFC 6598; holds 100.100.100.200, a metadata server
		"127.0.0.0/8",      // loopback
		"168.63.129.16/32", // a public address that is a metadata server all the same
		"169.254.0.0/16",   // link-local; holds 169.254.169.254, the metadata server of most clouds
		"172.16.0.0/12",    // private, RFC 1918
		"192.0.0.0/24",     // protocol assignments; holds 192.0.0.192, a metadata server
		"192.168.0.0/16",   // private, RFC 1918
		"198.18.0.0/15",    // benchmarks, RFC 2544
		"224.0.0.0/4",      // multicast
		"240.0.0.0/4",      // reserved, broadcast
	}
	notPublic6 = []string{
		"::/96",        // unspecified, loopback, IPv4-compatible
		"64:ff9b::/96", // IPv4 behind NAT64, private ones too
		"64:ff9b:1::/48",
		"2001::/32", // Teredo: carries IPv4
		"2002::/16", // 6to4: carries IPv4
		"fc00::/7",  // unique local; holds fd00:ec2::254, a metadata server
		"fe80::/10", // link-local
		"fec0::/10", // site-local
		"ff00::/8",  // multicast
	}
)

// nodeLocalDNS is where the cluster add-on NodeLocal DNSCache answers, on every node.
const nodeLocalDNS = "169.254.20.10/32"

// denyAll returns the policy that selects every pod, in both directions, and allows nothing.
func denyAll(s Spec) Object {
	return policyObject(s, "deny-all", networkingv1ac.NetworkPolicySpec())
}

// allow returns the policy that opens what a workload needs: its own namespace both ways, DNS, and the internet outwards.
func allow(s Spec) Object {
	namespaceItself := networkingv1ac.NetworkPolicyPeer().WithPodSelector(metav1ac.LabelSelector())
	clusterDNS := networkingv1ac.NetworkPolicyPeer().
		WithNamespaceSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: "kube-system"})).
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{"k8s-app": "kube-dns"}))
	cache := networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR(nodeLocalDNS))
	dnsPort := intstr.FromInt32(53)
	return policyObject(s, "allow", networkingv1ac.NetworkPolicySpec().
		WithIngress(networkingv1ac.NetworkPolicyIngressRule().WithFrom(namespaceItself)).
		WithEgress(
			networkingv1ac.NetworkPolicyEgressRule().WithTo(namespaceItself),
			networkingv1ac.NetworkPolicyEgressRule().WithTo(clusterDNS, cache).WithPorts(
				networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolUDP).WithPort(dnsPort),
				networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(dnsPort)),
			networkingv1ac.NetworkPolicyEgressRule().WithTo(
				networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR("0.0.0.0/0").WithExcept(notPublic4...)),
				networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR("::/0").WithExcept(notPublic6...)))))
}

// policyObject makes spec a policy for all pods of the namespace, in both directions.
func policyObject(s Spec, name string, spec *networkingv1ac.NetworkPolicySpecApplyConfiguration) Object {
	spec.WithPodSelector(metav1ac.LabelSelector()).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	return Object{
		GroupVersionResource: networkingv1.SchemeGroupVersion.WithResource("networkpolicies"), Kind: "NetworkPolicy",
		Namespace: s.name(), Name: name,
		Config: networkingv1ac.NetworkPolicy(name, s.name()).WithLabels(s.labels()).WithSpec(spec),
	}
}
