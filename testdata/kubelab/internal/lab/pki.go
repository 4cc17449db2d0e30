package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// clusterName is what the admin kubeconfig calls the cluster and its context.
const clusterName = "kubelab"

// keys are the cluster's certificates, in D/pki.
type keys struct{ ca, apiserver, admin, serviceAccounts *credential }

// A credential is a certificate and its P-256 key.
type credential struct {
	cert            *x509.Certificate
	key             crypto.Signer
	certPEM, keyPEM []byte
}

// loadKeys reads what an earlier run left in dir and makes what is missing.
func loadKeys(dir string) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var k keys
	var err error
	if k.ca, err = loadOrIssue(dir, "ca", nil, x509.Certificate{
		Subject: pkix.Name{CommonName: "kubelab-ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}); err != nil {
		return nil, err
	}
	if k.apiserver, err = loadOrIssue(dir, "apiserver", k.ca, x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
	}); err != nil {
		return nil, err
	}
	if k.admin, err = loadOrIssue(dir, "admin", k.ca, x509.Certificate{
		Subject:     pkix.Name{CommonName: "kubelab-admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return nil, err
	}
	// Only its key is used, to sign service account tokens.
	if k.serviceAccounts, err = loadOrIssue(dir, "sa", nil, x509.Certificate{Subject: pkix.Name{CommonName: "sa"}}); err != nil {
		return nil, err
	}
	return &k, nil
}

func loadOrIssue(dir, name string, ca *credential, template x509.Certificate) (*credential, error) {
	c, err := load(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		c, err = issue(ca, template)
		if err == nil {
			err = c.write(dir, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// issue makes a key and a certificate for it, signed by ca, or by itself when ca is nil.
func issue(ca *credential, template x509.Certificate) (*credential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.NotBefore = time.Now().Add(-time.Minute)
	template.NotAfter = time.Now().AddDate(1, 0, 0)
	template.KeyUsage |= x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	parent, signer := &template, crypto.Signer(key)
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return parse(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}

func parse(certPEM, keyPEM []byte) (*credential, error) {
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, errors.New("not PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	return &credential{cert: cert, key: key, certPEM: certPEM, keyPEM: keyPEM}, nil
}

func load(dir, name string) (*credential, error) {
	certPEM, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		return nil, err
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, name+".key"))
	if err != nil {
		return nil, err
	}
	return parse(certPEM, keyPEM)
}

// write stores the key before the certificate: a run that is cut off between the two issues both again.
func (c *credential) write(dir, name string) error {
	if err := os.WriteFile(filepath.Join(dir, name+".key"), c.keyPEM, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".crt"), c.certPEM, 0o600)
}

func (k *keys) writeKubeconfig(path, server string) error {
	c := clientcmdapi.NewConfig()
	c.Clusters[clusterName] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: k.ca.certPEM}
	c.AuthInfos["admin"] = &clientcmdapi.AuthInfo{ClientCertificateData: k.admin.certPEM, ClientKeyData: k.admin.keyPEM}
	c.Contexts[clusterName] = &clientcmdapi.Context{Cluster: clusterName, AuthInfo: "admin"}
	c.CurrentContext = clusterName
	return clientcmd.WriteToFile(*c, path)
}
