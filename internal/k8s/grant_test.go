package k8s

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// testCA returns a self-signed certificate, the same for the same name, and its key, both in PEM.
func testCA(t testing.TB, name string) (certificate, key []byte) {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(fmt.Sprintf("%-32s", name))[:32])
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(nil, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func goodGrant(t testing.TB) Grant {
	ca, _ := testCA(t, "ca")
	return Grant{Server: "https://k.example:6443", CA: ca, Namespace: "angler-x", Token: "eyJhbGciOi.J9.x-_", Expires: noon.Add(time.Hour)}
}

func TestValidate(t *testing.T) {
	ca, key := testCA(t, "ca")
	second, _ := testCA(t, "second")
	text := func(edit func(*Grant)) func(*Grant) { return edit }
	server := func(s string) func(*Grant) { return func(g *Grant) { g.Server = s } }
	caOf := func(parts ...[]byte) func(*Grant) { return func(g *Grant) { g.CA = bytes.Join(parts, nil) } }
	for name, c := range map[string]struct {
		edit  func(*Grant)
		fails error
	}{
		"good":              {text(func(*Grant) {}), nil},
		"address":           {server("https://192.0.2.1"), nil},
		"IPv6 address":      {server("https://[2001:db8::1]:6443"), nil},
		"path":              {server("https://rancher.example/k8s/clusters/c-m-1"), nil},
		"two certificates":  {caOf(ca, second), nil},
		"CA without end":    {caOf(bytes.TrimRight(ca, "\n")), nil},
		"http":              {server("http://k.example"), ErrGrant},
		"no scheme":         {server("k.example:6443"), ErrGrant},
		"file":              {server("file:///etc/passwd"), ErrGrant},
		"opaque":            {server("https:k.example"), ErrGrant},
		"empty server":      {server(""), ErrGrant},
		"no host":           {server("https:///x"), ErrGrant},
		"only a port":       {server("https://:6443"), ErrGrant},
		"user":              {server("https://admin@k.example"), ErrGrant},
		"password":          {server("https://a:b@k.example"), ErrGrant},
		"query":             {server("https://k.example?x=y"), ErrGrant},
		"empty query":       {server("https://k.example?"), ErrGrant},
		"fragment":          {server("https://k.example#x"), ErrGrant},
		"empty fragment":    {server("https://k.example#"), ErrGrant},
		"port 0":            {server("https://k.example:0"), ErrGrant},
		"port too high":     {server("https://k.example:65536"), ErrGrant},
		"empty port":        {server("https://k.example:"), ErrGrant},
		"zone":              {server("https://[fe80::1%25eth0]"), ErrGrant},
		"host of signs":     {server("https://k_!.example"), ErrGrant},
		"dots in path":      {server("https://k.example/a/../b"), ErrGrant},
		"escaped path":      {server("https://k.example/%2e%2e"), ErrGrant},
		"newline":           {server("https://k.example\n"), ErrGrant},
		"not ASCII":         {server("https://kübe.example"), ErrGrant},
		"long server":       {server("https://k.example/" + strings.Repeat("x", maxServer)), ErrGrant},
		"no CA":             {caOf(), ErrGrant},
		"garbage CA":        {caOf([]byte("garbage")), ErrGrant},
		"a key in the CA":   {caOf(ca, key), ErrGrant},
		"text in the CA":    {caOf([]byte("# comment\n"), ca), ErrGrant},
		"text after the CA": {caOf(ca, []byte("more")), ErrGrant},
		"a broken one":      {caOf(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}})), ErrGrant},
		"headers":           {caOf(bytes.Replace(ca, []byte("-----\n"), []byte("-----\nA: b\n\n"), 1)), ErrGrant},
		"many certificates": {caOf(bytes.Repeat(ca, maxCertificates+1)), ErrGrant},
		"long CA":           {caOf(bytes.Repeat(ca, maxCA/len(ca)+1)), ErrGrant},
		"empty namespace":   {text(func(g *Grant) { g.Namespace = "" }), ErrGrant},
		"upper case":        {text(func(g *Grant) { g.Namespace = "Kube" }), ErrGrant},
		"path in namespace": {text(func(g *Grant) { g.Namespace = "../kube-system" }), ErrGrant},
		"long namespace":    {text(func(g *Grant) { g.Namespace = strings.Repeat("a", 64) }), ErrGrant},
		"no token":          {text(func(g *Grant) { g.Token = "" }), ErrGrant},
		"token with a line": {text(func(g *Grant) { g.Token = "a\r\nX: y" }), ErrGrant},
		"token with space":  {text(func(g *Grant) { g.Token = "a b" }), ErrGrant},
		"long token":        {text(func(g *Grant) { g.Token = strings.Repeat("a", maxToken+1) }), ErrGrant},
		"no expiry":         {text(func(g *Grant) { g.Expires = time.Time{} }), ErrGrant},
		"never":             {text(func(g *Grant) { g.Expires = noon.AddDate(20, 0, 0) }), ErrGrant},
		"certificate":       {text(func(g *Grant) { g.Token, g.Certificate, g.Key = "", ca, key }), nil},
		"both":              {text(func(g *Grant) { g.Certificate, g.Key = ca, key }), ErrGrant},
		"no key":            {text(func(g *Grant) { g.Token, g.Certificate = "", ca }), ErrGrant},
		"another key":       {text(func(g *Grant) { g.Token, g.Certificate, g.Key = "", second, key }), ErrGrant},
		"two keys":          {text(func(g *Grant) { g.Token, g.Certificate, g.Key = "", ca, append(key, key...) }), ErrGrant},
		"key as garbage":    {text(func(g *Grant) { g.Token, g.Certificate, g.Key = "", ca, []byte("key: /etc/passwd") }), ErrGrant},
		"long key":          {text(func(g *Grant) { g.Token, g.Certificate, g.Key = "", ca, append(key, make([]byte, maxPair)...) }), ErrGrant},
		"over":              {text(func(g *Grant) { g.Expires = noon }), ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			g := goodGrant(t)
			c.edit(&g)
			if err := g.Validate(noon); !errors.Is(err, c.fails) {
				t.Errorf("%v, want %v", err, c.fails)
			}
			if _, err := g.Kubeconfig("lease"); (err == nil) != (c.fails == nil || name == "no expiry" || name == "never" || name == "over") {
				t.Errorf("kubeconfig: %v", err)
			}
		})
	}
}

// The kubeconfig, letter by letter: nothing in it that the grant did not say.
func TestKubeconfig(t *testing.T) {
	g := goodGrant(t)
	g.CA = bytes.ReplaceAll(g.CA, []byte("\n"), []byte("\r\n")) // is written in canonical form
	got, err := g.Kubeconfig("lease-1")
	if err != nil {
		t.Fatal(err)
	}
	checkKubeconfig(t, got, g, "lease-1")
	for _, name := range []string{"", "a b", "a\nb", "-", strings.Repeat("a", 300)} {
		if _, err := g.Kubeconfig(name); err == nil {
			t.Errorf("context name %q", name)
		}
	}
}

// checkKubeconfig loads a kubeconfig as kubectl would and fails if it says anything but what g says.
func checkKubeconfig(t *testing.T, text []byte, g Grant, name string) {
	t.Helper()
	config, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	cluster, user, where := config.Clusters[name], config.AuthInfos[name], config.Contexts[name]
	if cluster == nil || user == nil || where == nil || len(config.Clusters)+len(config.AuthInfos)+len(config.Contexts) != 3 || config.CurrentContext != name {
		t.Fatalf("not one of each:\n%s", text)
	}
	ca, err := canonicalCA(g.CA, true)
	if err != nil {
		t.Fatal(err)
	}
	if cluster.Server != g.Server || !bytes.Equal(cluster.CertificateAuthorityData, ca) || user.Token != g.Token ||
		where.Namespace != g.Namespace || where.Cluster != name || where.AuthInfo != name {
		t.Fatalf("other fields than the grant's:\n%s", text)
	}
	cluster.Server, cluster.CertificateAuthorityData, user.Token = "", nil, ""
	cluster.LocationOfOrigin, user.LocationOfOrigin = "", ""
	if c := *cluster; c.InsecureSkipTLSVerify || c.CertificateAuthority != "" || c.ProxyURL != "" || c.TLSServerName != "" || len(c.Extensions) > 0 {
		t.Fatalf("more about the cluster than the grant says:\n%s", text)
	}
	if u := *user; u.Exec != nil || u.AuthProvider != nil || u.TokenFile != "" || u.ClientCertificate != "" || u.ClientKey != "" ||
		len(u.ClientCertificateData)+len(u.ClientKeyData) > 0 || u.Username+u.Password+u.Impersonate != "" || len(u.Extensions) > 0 {
		t.Fatalf("more about the user than the grant says:\n%s", text)
	}
}

func TestGrantDoesNotPrintItsToken(t *testing.T) {
	g := goodGrant(t)
	g.Key = []byte("a-private-key")
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "grant", g, "pointer", &g)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&out, format+format, g, &g)
	}
	if strings.Contains(out.String(), g.Token) || strings.Contains(out.String(), string(g.Key)) {
		t.Errorf("printed: %s", out.String())
	}
	if !strings.Contains(out.String(), g.Namespace) {
		t.Errorf("says nothing: %s", out.String())
	}
}

// Whatever a peer sends: either it is refused, or the kubeconfig says exactly it and nothing more.
func FuzzGrant(f *testing.F) {
	g := goodGrant(f)
	_, key := testCA(f, "ca")
	f.Add(g.Server, g.CA, g.Namespace, g.Token)
	f.Add("https://[2001:db8::1]:6443/a/b", append(g.CA, g.CA...), "a", "token")
	f.Add("https://k.example/\"\nusers: []", g.CA, "ns: {}", "!!binary |\n x")
	f.Add("https://a@b", append(g.CA, key...), "..", "a\x00b")
	f.Add("https://k.example/{{x}}", []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "null", "null")
	f.Add("https://0x7f.1", g.CA, "1", "1e3")
	f.Fuzz(func(t *testing.T, server string, ca []byte, namespace, token string) {
		g := Grant{Server: server, CA: ca, Namespace: namespace, Token: token, Expires: noon.Add(time.Hour)}
		text, err := g.Kubeconfig("lease")
		if (g.Validate(noon) == nil) != (err == nil) {
			t.Fatalf("validate says %v, kubeconfig %v", g.Validate(noon), err)
		}
		if err == nil {
			checkKubeconfig(t, text, g, "lease")
		}
	})
}

// The same for client certificates.
func FuzzCertificateGrant(f *testing.F) {
	g := goodGrant(f)
	g.Token = ""
	_, key := testCA(f, "ca")
	second, _ := testCA(f, "second")
	f.Add(g.CA, key)
	f.Add(append(g.CA, second...), key)
	f.Add(second, key)
	f.Add(key, g.CA)
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), append(key, "exec:"...))
	f.Fuzz(func(t *testing.T, certificate, key []byte) {
		g := g
		g.Certificate, g.Key = certificate, key
		text, err := g.Kubeconfig("lease")
		if (g.Validate(noon) == nil) != (err == nil) {
			t.Fatalf("validate %v, kubeconfig %v", g.Validate(noon), err)
		}
		if err != nil {
			return
		}
		config, err := clientcmd.Load(text)
		if err != nil {
			t.Fatal(err)
		}
		user := config.AuthInfos["lease"]
		if !bytes.Equal(withoutSpace(user.ClientCertificateData), withoutSpace(certificate)) || !bytes.Equal(withoutSpace(user.ClientKeyData), withoutSpace(key)) {
			t.Fatalf("other data than the grant's:\n%s", text)
		}
		user.ClientCertificateData, user.ClientKeyData, user.LocationOfOrigin = nil, nil, ""
		if u := *user; u.Exec != nil || u.AuthProvider != nil || u.Token+u.TokenFile+u.ClientCertificate+u.ClientKey+u.Username+u.Password+u.Impersonate != "" {
			t.Fatalf("more about the user than the grant says:\n%s", text)
		}
	})
}
