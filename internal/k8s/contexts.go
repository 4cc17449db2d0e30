package k8s

import (
	"fmt"
	"net/url"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A Context is one context of a kubeconfig: a grant, and how it is reached.
type Context struct {
	Name  string // a DNS label or subdomain: of context, cluster and user
	Grant Grant
	// Exec is a program of our own, with its arguments, that prints an ExecCredential; nil: the credential stands in the file.
	// It never comes from a peer.
	Exec []string
	// Via is host:port of a listener on this machine that carries the traffic; "": the grant's server is reached directly.
	// Whoever answers there must have the certificate of the grant's server all the same.
	Via string
}

// Kubeconfig returns a kubeconfig with these contexts, of which the first is the current one. What stands in it are the
// grants' checked fields (Grant.Validate, but for the time) and what the caller says in Via and Exec. Unless all have Exec,
// it contains secrets: write it 0600.
func Kubeconfig(contexts ...Context) ([]byte, error) {
	c := clientcmdapi.NewConfig()
	for _, x := range contexts {
		if problems := validation.IsDNS1123Subdomain(x.Name); len(problems) > 0 {
			return nil, fmt.Errorf("kubeconfig: context name: %s", problems[0])
		}
		if c.Contexts[x.Name] != nil {
			return nil, fmt.Errorf("kubeconfig: two contexts are called %s", x.Name)
		}
		cluster, err := x.cluster()
		if err != nil {
			return nil, err
		}
		c.Clusters[x.Name] = cluster
		if c.AuthInfos[x.Name], err = x.user(); err != nil {
			return nil, err
		}
		c.Contexts[x.Name] = &clientcmdapi.Context{Cluster: x.Name, AuthInfo: x.Name, Namespace: x.Grant.Namespace}
		if c.CurrentContext == "" {
			c.CurrentContext = x.Name
		}
	}
	return clientcmd.Write(*c)
}

func (x Context) cluster() (*clientcmdapi.Cluster, error) {
	if err := x.Grant.check(); err != nil {
		return nil, err
	}
	ca, err := canonicalCA(x.Grant.CA, true)
	if err != nil {
		return nil, err
	}
	cluster := &clientcmdapi.Cluster{Server: x.Grant.Server, CertificateAuthorityData: ca}
	if x.Via != "" {
		server, err := url.Parse(x.Grant.Server)
		if err != nil {
			return nil, fmt.Errorf("%w: server: %w", ErrGrant, err)
		}
		cluster.Server, cluster.TLSServerName = "https://"+x.Via+server.Path, server.Hostname()
	}
	return cluster, nil
}

func (x Context) user() (*clientcmdapi.AuthInfo, error) {
	switch {
	case x.Exec != nil:
		return &clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", Command: x.Exec[0], Args: x.Exec[1:], InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		}}, nil
	case x.Grant.Token != "":
		return &clientcmdapi.AuthInfo{Token: x.Grant.Token}, nil
	}
	certificate, _, err := canonicalPair(x.Grant.Certificate, x.Grant.Key)
	if err != nil {
		return nil, err
	}
	key, err := canonicalKey(x.Grant.Key)
	if err != nil {
		return nil, err
	}
	return &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}, nil
}
