package k8s

import "k8s.io/client-go/rest"

// REST returns a client of the cluster for objects of kinds that this package does not know, as the provider. Requests go
// through Retry.
func (c *Cluster) REST() rest.Interface { return c.set.CoreV1().RESTClient() }
