package k8s

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig returns a kubeconfig with one context, which is the current one: the grant's server, verified against the
// grant's CA, its token, its namespace. name, a DNS label or subdomain, names context, cluster and user. It contains a
// secret: write it 0600. The grant's fields are checked as in Validate, but for the time.
func (g Grant) Kubeconfig(name string) ([]byte, error) {
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
		return nil, fmt.Errorf("kubeconfig: context name: %s", problems[0])
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	ca, err := canonicalCA(g.CA, true)
	if err != nil {
		return nil, err
	}
	c := clientcmdapi.NewConfig()
	c.Clusters[name] = &clientcmdapi.Cluster{Server: g.Server, CertificateAuthorityData: ca}
	c.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: g.Token}
	c.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: g.Namespace}
	c.CurrentContext = name
	return clientcmd.Write(*c)
}
