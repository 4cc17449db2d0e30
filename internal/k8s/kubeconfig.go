package k8s

// Kubeconfig returns a kubeconfig with one context, which is the current one: the grant's server, verified against the
// grant's CA, its token, its namespace. name, a DNS label or subdomain, names context, cluster and user. It contains a
// secret: write it 0600. The grant's fields are checked as in Validate, but for the time.
func (g Grant) Kubeconfig(name string) ([]byte, error) {
	return Kubeconfig(Context{Name: name, Grant: g})
}
