package k8s

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// A Grant is a tenant's access to its namespace. The requester has it from a provider that it does not trust: call Validate
// before anything else. It does not print its token or key.
type Grant struct {
	Server    string // the API server: https://host[:port][/path]
	CA        []byte // PEM certificates that the server's certificate must chain to
	Namespace string // a DNS label
	Token     string // a bearer token; or, if it is empty,
	// Certificate and Key are a client certificate, with intermediates if there are any, and its private key, in PEM.
	Certificate, Key []byte
	Expires          time.Time // when the token or the certificate does
}

// What a grant may hold at most. Real ones have a CA of one to four kilobytes and a token of one.
const (
	maxServer       = 1 << 10
	maxCA           = 64 << 10
	maxCertificates = 16
	maxToken        = 16 << 10
	maxLife         = 400 * 24 * time.Hour
)

// Validate checks everything about a grant that can be checked without using it. The error is ErrGrant, or ErrExpired if
// nothing else is wrong with it. What passes can make kubectl talk to the given server and nothing else: no programs, no
// files, no other hosts, no connection that is not verified.
func (g Grant) Validate(now time.Time) error {
	if err := g.check(); err != nil {
		return err
	}
	switch {
	case g.Expires.IsZero() || g.Expires.After(now.Add(maxLife)):
		return fmt.Errorf("%w: expiry out of range", ErrGrant)
	case !g.Expires.After(now):
		return fmt.Errorf("%w: the grant's credential ended at %s", ErrExpired, g.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// check is Validate without the time.
func (g Grant) check() error {
	if err := checkServer(g.Server); err != nil {
		return fmt.Errorf("%w: server: %w", ErrGrant, err)
	}
	if _, err := canonicalCA(g.CA, true); err != nil {
		return fmt.Errorf("%w: CA: %w", ErrGrant, err)
	}
	if problems := validation.IsDNS1123Label(g.Namespace); len(problems) > 0 {
		return fmt.Errorf("%w: namespace: %s", ErrGrant, problems[0])
	}
	if len(g.Certificate)+len(g.Key) == 0 {
		if err := checkToken(g.Token); err != nil {
			return fmt.Errorf("%w: token: %w", ErrGrant, err)
		}
		return nil
	}
	if g.Token != "" {
		return fmt.Errorf("%w: both a token and a certificate", ErrGrant)
	}
	if _, _, err := canonicalPair(g.Certificate, g.Key); err != nil {
		return fmt.Errorf("%w: client certificate: %w", ErrGrant, err)
	}
	return nil
}

// checkServer accepts https://host[:port][/path] with a path of plain segments. The errors do not repeat what a peer sent.
func checkServer(server string) error {
	if len(server) > maxServer {
		return errors.New("too long")
	}
	for _, r := range server {
		if r <= ' ' || r >= 0x7f {
			return errors.New("not printable ASCII")
		}
	}
	u, err := url.Parse(server)
	if err != nil {
		return errors.New("not a URL")
	}
	switch {
	case u.Scheme != "https":
		return errors.New("not https")
	case u.User != nil:
		return errors.New("has user information")
	case u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(server, "#"):
		return errors.New("more than host, port and path")
	case u.Hostname() == "" || strings.ContainsAny(u.Host, "%"):
		return errors.New("no host")
	case strings.HasSuffix(u.Host, ":"):
		return errors.New("port is empty")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("port out of range")
		}
	}
	host := u.Hostname()
	if len(validation.IsValidIP(nil, host)) > 0 && len(validation.IsDNS1123Subdomain(strings.ToLower(host))) > 0 {
		return errors.New("host is neither a name nor an address")
	}
	if u.RawPath != "" || strings.Contains(u.Path, "//") || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./") {
		return errors.New("path is not plain")
	}
	return nil
}

// canonicalCA reads PEM certificates and writes them again. strict refuses anything beside them, such as comments and
// private keys; otherwise text between blocks is dropped.
func canonicalCA(text []byte, strict bool) ([]byte, error) {
	if len(text) > maxCA {
		return nil, errors.New("too long")
	}
	var out []byte
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			return nil, errors.New("a PEM block that is not a certificate")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, errors.New("a certificate that does not parse")
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
	}
	switch n := bytes.Count(out, []byte("-----BEGIN ")); {
	case n == 0:
		return nil, errors.New("no certificate")
	case n > maxCertificates:
		return nil, errors.New("too many certificates")
	}
	if strict && !bytes.Equal(withoutSpace(text), withoutSpace(out)) {
		return nil, errors.New("something beside certificates")
	}
	return out, nil
}

func withoutSpace(text []byte) []byte {
	return bytes.Join(bytes.Fields(text), nil)
}

// checkToken accepts what can stand in an HTTP header as it is.
func checkToken(token string) error {
	switch {
	case token == "":
		return errors.New("empty")
	case len(token) > maxToken:
		return errors.New("too long")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7f {
			return errors.New("not printable ASCII")
		}
	}
	return nil
}

// String leaves token and key out, as do GoString and LogValue.
func (g Grant) String() string {
	return fmt.Sprintf("grant of namespace %s at %s until %s", g.Namespace, g.Server, g.Expires.UTC().Format(time.RFC3339))
}

// GoString is String: %#v would print the secrets.
func (g Grant) GoString() string { return g.String() }

// LogValue is for log/slog.
func (g Grant) LogValue() slog.Value {
	return slog.GroupValue(slog.String("server", g.Server), slog.String("namespace", g.Namespace), slog.Time("expires", g.Expires))
}
