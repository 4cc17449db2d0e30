package manifest

import (
	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	admissionv1ac "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
)

// GPUPolicyName is the name of all cluster-wide objects that hold pods to the model that was leased.
const GPUPolicyName = "angler-gpu"

// Expressions of both policies, in CEL. A pod asks for the leased accelerator if any container of it does; the terms are
// what GPU.terms wrote. A container that is added later, an ephemeral one, can ask for nothing.
var gpuVariables = []struct{ name, expression string }{
	{"notes", `has(namespaceObject.metadata.annotations) ? namespaceObject.metadata.annotations : {}`},
	{"gpu", `'` + AnnotationGPU + `' in variables.notes ? variables.notes['` + AnnotationGPU + `'] : ''`},
	{"terms", `'` + AnnotationNodes + `' in variables.notes ? variables.notes['` + AnnotationNodes + `'].split(',') : []`},
	{"extended", `'` + AnnotationExtended + `' in variables.notes ? variables.notes['` + AnnotationExtended + `'].split(',') : []`},
	{"containers", `object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])`},
	{"asks", `variables.containers.exists(c, has(c.resources) && (` +
		`(has(c.resources.limits) && variables.gpu in c.resources.limits) || ` +
		`(has(c.resources.requests) && variables.gpu in c.resources.requests)))`},
	{"selector", `has(object.spec.nodeSelector) ? object.spec.nodeSelector : {}`},
}

const (
	gpuHeld = `!variables.asks || variables.terms.all(t, t.split('=')[0] in variables.selector && ` +
		`variables.selector[t.split('=')[0]] == t.split('=')[1])`
	gpuSays = `'a pod of this lease that asks for ' + variables.gpu + ' needs the node selector ' + variables.terms.join(',')`

	// A quota has no wildcard: it refuses the extended resources that it names, this all that were not leased.
	onlyLeased = `variables.containers.all(c, !has(c.resources) || !has(c.resources.limits) || ` +
		`c.resources.limits.all(r, !r.contains('/') || r in variables.extended))`
	onlyLeasedSays = `a pod of this lease asks for an extended resource that was not leased`

	// gpuFill adds the terms that a pod leaves out. What it says otherwise stays, for gpuHeld to refuse.
	gpuFill = `(variables.asks && size(variables.terms) > 0 && !has(object.spec.nodeSelector) ? ` +
		`[JSONPatch{op: "add", path: "/spec/nodeSelector", value: {}}] : []) + ` +
		`(variables.asks ? variables.terms.filter(t, !(t.split('=')[0] in variables.selector)).map(t, ` +
		`JSONPatch{op: "add", path: "/spec/nodeSelector/" + jsonpatch.escapeKey(t.split('=')[0]), value: t.split('=')[1]}) : [])`
)

// GPUPolicy returns the objects that hold pods of leases with a GPU to nodes with the model that was leased: a
// ValidatingAdmissionPolicy and its binding (Kubernetes 1.30 or later), which refuse pods that ask for the accelerator
// without the node selector. They also refuse, in every lease, extended resources that were not leased, such as the slices of
// a card, which a quota that does not know their names lets pass. They are the same for all leases and providers of a cluster.
func GPUPolicy() []Object {
	policy := admissionv1ac.ValidatingAdmissionPolicy(GPUPolicyName).WithLabels(ours()).
		WithSpec(admissionv1ac.ValidatingAdmissionPolicySpec().
			WithFailurePolicy(admissionv1.Fail).
			WithMatchConstraints(newPods()).
			WithValidations(
				admissionv1ac.Validation().WithExpression(gpuHeld).WithMessageExpression(gpuSays),
				admissionv1ac.Validation().WithExpression(onlyLeased).WithMessage(onlyLeasedSays)))
	for _, v := range gpuVariables {
		policy.Spec.WithVariables(admissionv1ac.Variable().WithName(v.name).WithExpression(v.expression))
	}
	binding := admissionv1ac.ValidatingAdmissionPolicyBinding(GPUPolicyName).WithLabels(ours()).
		WithSpec(admissionv1ac.ValidatingAdmissionPolicyBindingSpec().
			WithPolicyName(GPUPolicyName).WithValidationActions(admissionv1.Deny).
			WithMatchResources(admissionv1ac.MatchResources().WithNamespaceSelector(leases())))
	return []Object{
		policyObjectOf("validatingadmissionpolicies", "ValidatingAdmissionPolicy", policy),
		policyObjectOf("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", binding),
	}
}

// GPUConvenience returns a MutatingAdmissionPolicy and its binding (Kubernetes 1.36 or later), which write the node selector
// into pods that leave it out, so that a tenant need not know it. Without them GPUPolicy holds all the same.
func GPUConvenience() []Object {
	policy := admissionv1ac.MutatingAdmissionPolicy(GPUPolicyName).WithLabels(ours()).
		WithSpec(admissionv1ac.MutatingAdmissionPolicySpec().
			WithFailurePolicy(admissionv1.Fail).
			WithReinvocationPolicy(admissionv1.IfNeededReinvocationPolicy).
			WithMatchConstraints(newPods()).
			WithMutations(admissionv1ac.Mutation().WithPatchType(admissionv1.PatchTypeJSONPatch).
				WithJSONPatch(admissionv1ac.JSONPatch().WithExpression(gpuFill))))
	for _, v := range gpuVariables {
		policy.Spec.WithVariables(admissionv1ac.Variable().WithName(v.name).WithExpression(v.expression))
	}
	binding := admissionv1ac.MutatingAdmissionPolicyBinding(GPUPolicyName).WithLabels(ours()).
		WithSpec(admissionv1ac.MutatingAdmissionPolicyBindingSpec().
			WithPolicyName(GPUPolicyName).
			WithMatchResources(admissionv1ac.MatchResources().WithNamespaceSelector(leases())))
	return []Object{
		policyObjectOf("mutatingadmissionpolicies", "MutatingAdmissionPolicy", policy),
		policyObjectOf("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", binding),
	}
}

// newPods matches the creation of pods. A pod's node selector and its accelerators cannot be changed later, but that a pod
// whose scheduling is held back may narrow its selector.
func newPods() *admissionv1ac.MatchResourcesApplyConfiguration {
	rule := admissionv1ac.NamedRuleWithOperations().WithAPIGroups("").WithAPIVersions("v1").WithResources("pods").WithOperations(admissionv1.Create)
	return admissionv1ac.MatchResources().WithResourceRules(rule)
}

// leases matches the namespaces of leases, whoever the provider is.
func leases() *metav1ac.LabelSelectorApplyConfiguration {
	return metav1ac.LabelSelector().WithMatchExpressions(
		metav1ac.LabelSelectorRequirement().WithKey(LabelLease).WithOperator("Exists"))
}

func ours() map[string]string { return map[string]string{LabelManagedBy: ManagedBy} }

func policyObjectOf(resource, kind string, config any) Object {
	return Object{GroupVersionResource: admissionv1.SchemeGroupVersion.WithResource(resource), Kind: kind, Name: GPUPolicyName, Config: config}
}

// ProviderGPUClusterRole returns the ClusterRole that lets a provider install GPUPolicy and GPUConvenience by itself, and
// nothing else of that kind: the rules name the objects. An operator who applies them by hand need not bind it.
func ProviderGPUClusterRole() *rbacv1ac.ClusterRoleApplyConfiguration {
	return rbacv1ac.ClusterRole(ProviderRoleName + "-gpu").WithLabels(ours()).WithRules(rbacv1ac.PolicyRule().
		WithAPIGroups(admissionv1.GroupName).
		WithResources("mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings").
		WithResourceNames(GPUPolicyName).WithVerbs("create", "patch"))
}

// certificateRules let a provider have certificates signed. Whoever may approve for this signer may become any user of the
// cluster but a member of system:masters: an operator who does not trust the daemon that far leaves certificates off.
var certificateRules = []rbacv1.PolicyRule{
	{APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"certificatesigningrequests"}, Verbs: []string{"create", "delete", "get"}},
	{APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"certificatesigningrequests/approval"}, Verbs: []string{"update"}},
	{APIGroups: []string{"certificates.k8s.io"}, Resources: []string{"signers"}, ResourceNames: []string{"kubernetes.io/kube-apiserver-client"}, Verbs: []string{"approve"}},
}

// ProviderCertificateClusterRole returns the ClusterRole that a provider needs beside ProviderClusterRole if its grants hold
// certificates.
func ProviderCertificateClusterRole() *rbacv1ac.ClusterRoleApplyConfiguration {
	return rbacv1ac.ClusterRole(ProviderRoleName + "-certificates").WithLabels(ours()).WithRules(rules(certificateRules)...)
}
