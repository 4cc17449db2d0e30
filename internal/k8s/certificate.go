package k8s

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A certificate lives at least as long as Kubernetes signs for, and not longer than a day: nothing can revoke it. What ends
// with the lease are the rights of the name in it.
const (
	minCertificateLife = 10 * time.Minute
	maxCertificateLife = 24 * time.Hour
)

const errUnsigned = notYet("the cluster has not signed the certificate yet")

// Certificate returns a client certificate and its key, both in PEM, for a lease that was provisioned with
// House.Certificates and still lives. It expires at until, or within a day, or when the cluster's signer says. It cannot be
// revoked: it is a way for tenants whose tools take no tokens, and the provider needs ProviderCertificateClusterRole for it.
// The key is made here, from Config.Rand; like a token it has to be kept secret. The errors are those of Token.
func (c *Cluster) Certificate(ctx context.Context, provider, leaseID string, until time.Time) (certificate, key []byte, expires time.Time, err error) {
	fail := func(err error) ([]byte, []byte, time.Time, error) {
		return nil, nil, time.Time{}, fmt.Errorf("certificate of lease %s: %w", leaseID, refused(err))
	}
	if !until.After(c.now()) {
		return fail(fmt.Errorf("lease: %w", ErrExpired))
	}
	if _, err = c.living(ctx, provider, leaseID); err != nil {
		return fail(err)
	}
	certificate, key, expires, err = c.certificate(ctx, provider, leaseID, until)
	if err != nil {
		return fail(err)
	}
	return certificate, key, expires, nil
}

// certificate asks for a certificate with the lease's user name, approves it and waits until it is signed.
func (c *Cluster) certificate(ctx context.Context, provider, leaseID string, until time.Time) (certificate, key []byte, expires time.Time, err error) {
	public, private, request, err := c.newKey(leaseID)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	life := min(max(until.Sub(c.now()), minCertificateLife), maxCertificateLife)
	seconds := int32((life + time.Second - 1) / time.Second)
	ask := &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("angler-%x", public[:16]), // a key is made once: the name is this request's own
			Labels: map[string]string{manifest.LabelProvider: provider, manifest.LabelLease: leaseID, manifest.LabelManagedBy: manifest.ManagedBy},
		},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Request: request, SignerName: certificatesv1.KubeAPIServerClientSignerName, ExpirationSeconds: &seconds,
			Usages: []certificatesv1.KeyUsage{certificatesv1.UsageDigitalSignature, certificatesv1.UsageClientAuth},
		},
	}
	signed, err := c.sign(ctx, ask)
	if err != nil {
		return nil, nil, time.Time{}, fmt.Errorf("have a certificate signed: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	key = pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: pkcs8})
	certificate, leaf, err := canonicalPair(signed, key)
	if err != nil {
		return nil, nil, time.Time{}, fmt.Errorf("the cluster's certificate: %w", err)
	}
	if leaf.Subject.CommonName != manifest.CertificateUser(leaseID) {
		return nil, nil, time.Time{}, errors.New("the cluster's certificate is for another name")
	}
	return certificate, key, leaf.NotAfter, nil
}

// newKey makes a key and a request for a certificate with the lease's user name.
func (c *Cluster) newKey(leaseID string) (ed25519.PublicKey, ed25519.PrivateKey, []byte, error) {
	if c.random == nil {
		return nil, nil, nil, errors.New("k8s: certificates need Config.Rand")
	}
	var seed [ed25519.SeedSize]byte
	if _, err := io.ReadFull(c.random, seed[:]); err != nil {
		return nil, nil, nil, fmt.Errorf("make a key: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed[:])
	der, err := x509.CreateCertificateRequest(c.random, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: manifest.CertificateUser(leaseID)},
	}, private)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("ask for a certificate: %w", err)
	}
	return private.Public().(ed25519.PublicKey), private, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// sign makes a request, approves it, waits for the certificate, and deletes the request whatever came of it. One that stays
// behind is cleaned up by the cluster within an hour.
func (c *Cluster) sign(ctx context.Context, ask *certificatesv1.CertificateSigningRequest) (signed []byte, err error) {
	requests := c.set.CertificatesV1().CertificateSigningRequests()
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptLimit)
		defer cancel()
		_ = requests.Delete(last, ask.Name, metav1.DeleteOptions{})
	}()
	var made *certificatesv1.CertificateSigningRequest
	err = retry(ctx, func(ctx context.Context) (err error) {
		if made, err = requests.Create(ctx, ask, metav1.CreateOptions{}); apierrors.IsAlreadyExists(err) { // by us: the answer was lost
			made, err = requests.Get(ctx, ask.Name, metav1.GetOptions{})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = retry(ctx, func(ctx context.Context) (err error) {
		if made == nil {
			made, err = requests.Get(ctx, ask.Name, metav1.GetOptions{})
		}
		if err != nil || len(made.Status.Conditions) > 0 {
			return err
		}
		made.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{
			Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue,
			Reason: "Leased", Message: "asked for and approved by the provider of the lease",
		}}
		if _, err = requests.UpdateApproval(ctx, ask.Name, made, metav1.UpdateOptions{}); err != nil {
			made = nil // look again: it may have been carried out
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = retry(ctx, func(ctx context.Context) error {
		there, getErr := requests.Get(ctx, ask.Name, metav1.GetOptions{})
		if getErr != nil {
			return getErr
		}
		for _, condition := range there.Status.Conditions {
			if condition.Type == certificatesv1.CertificateDenied || condition.Type == certificatesv1.CertificateFailed {
				return fmt.Errorf("%w: %s: %s", ErrForbidden, condition.Reason, condition.Message)
			}
		}
		if len(there.Status.Certificate) == 0 {
			return errUnsigned
		}
		signed = there.Status.Certificate
		return nil
	})
	return signed, err
}

// pemKey is the kind of PEM block that a key is kept in.
const pemKey = "PRIVATE KEY"

// maxPair bounds a client certificate with its intermediates, and a key.
const maxPair = 32 << 10

// canonicalPair reads a client certificate and its key and checks that they belong together and that there is nothing beside
// them. It returns the certificate, written again, and its first one, which is for the client.
func canonicalPair(certificate, key []byte) ([]byte, *x509.Certificate, error) {
	if len(certificate) > maxPair || len(key) > maxPair {
		return nil, nil, errors.New("too long")
	}
	chain, err := canonicalCA(certificate, true)
	if err != nil {
		return nil, nil, err
	}
	if _, err = canonicalKey(key); err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, nil, errors.New("the key is not the certificate's")
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, nil, errors.New("a certificate that does not parse")
	}
	return chain, leaf, nil
}

// canonicalKey reads one private key in PEM and writes it again.
func canonicalKey(text []byte) ([]byte, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemKey || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("key: not one private key")
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		return nil, errors.New("key: does not parse")
	}
	out := pem.EncodeToMemory(block)
	if !bytes.Equal(withoutSpace(text), withoutSpace(out)) {
		return nil, errors.New("key: something beside it")
	}
	return out, nil
}
