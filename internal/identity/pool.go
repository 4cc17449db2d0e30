package identity

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"sigs.k8s.io/yaml"
)

// Caps of pool and invitation files.
const (
	// MaxFile is the size in bytes up to which such a file is read.
	MaxFile = 64 << 10

	maxPoolName  = 63
	maxBootstrap = 64
	maxSigners   = 64
	maxHost      = 253 // RFC 1035, section 2.3.4, less the root's dot
)

// Pool is a market: its name, where its DHT can be entered, and the keys that
// may admit members. A pool file holds no secret, but it decides whom a
// provider trusts: it must come over a channel that cannot be tampered with.
type Pool struct {
	// Name is 1 to 63 characters a-z, 0-9, '-' and '.', beginning and ending
	// with a letter or a digit.
	Name string `json:"name"`
	// Bootstrap are the DHT nodes to begin with, host:port, at most 64.
	Bootstrap []string `json:"bootstrap,omitempty"`
	// Signers are the keys that sign memberships, 1 to 64.
	Signers []PeerID `json:"signers"`
}

// ParsePool reads a pool file.
func ParsePool(file []byte) (*Pool, error) {
	p := new(Pool)
	if err := parseYAML(file, p); err != nil {
		return nil, fmt.Errorf("pool file: %w", err)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// Marshal returns the pool file.
func (p *Pool) Marshal() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return marshalYAML(p)
}

// Validate checks each field's range.
func (p *Pool) Validate() error {
	if !validPoolName(p.Name) {
		return fmt.Errorf("pool name %.70q: %w: 1 to %d characters a-z, 0-9, '-' or '.', like acme-west", p.Name, ErrMalformed, maxPoolName)
	}
	if len(p.Bootstrap) > maxBootstrap {
		return fmt.Errorf("pool %s: %w: %d bootstrap nodes, at most %d are allowed", p.Name, ErrMalformed, len(p.Bootstrap), maxBootstrap)
	}
	for _, node := range p.Bootstrap {
		if !validHostPort(node) {
			return fmt.Errorf("pool %s: %w: bootstrap node %.300q is not host:port, like dht.example.org:7000", p.Name, ErrMalformed, node)
		}
	}
	if len(p.Signers) == 0 || len(p.Signers) > maxSigners {
		return fmt.Errorf("pool %s: %w: %d signers, 1 to %d are allowed", p.Name, ErrMalformed, len(p.Signers), maxSigners)
	}
	for i, id := range p.Signers {
		if err := id.Valid(); err != nil {
			return fmt.Errorf("pool %s: signer: %w", p.Name, err)
		}
		if slices.Contains(p.Signers[:i], id) {
			return fmt.Errorf("pool %s: %w: signer %s is listed twice", p.Name, ErrMalformed, id.Short())
		}
	}
	return nil
}

// Verify returns nil if m admits the peer id to the pool in the role at the
// time now (give or take Skew). id must have been proven, by a link or a
// signature. The errors wrap ErrMalformed, ErrWrongPool, ErrWrongMember,
// ErrWrongRole, ErrNotSigned, ErrNotYetValid or ErrExpired.
func (p *Pool) Verify(m Membership, id PeerID, role Role, now time.Time) error {
	if err := m.validate(); err != nil {
		return err
	}
	switch {
	case m.Pool != p.Name:
		return fmt.Errorf("peer %s: %w: %s instead of %s: join the pool with an invitation to it", id.Short(), ErrWrongPool, m.Pool, p.Name)
	case m.Member != id:
		return fmt.Errorf("peer %s: %w: it was issued to %s: an invitation serves one identity, ask for one of its own", id.Short(), ErrWrongMember, m.Member.Short())
	case m.Role != role:
		return fmt.Errorf("peer %s: %w: %s instead of %s: ask a signer of pool %s to invite it as %s", id.Short(), ErrWrongRole, m.Role, role, p.Name, role)
	case !slices.Contains(p.Signers, m.Signer):
		return fmt.Errorf("peer %s: membership %w: %s is no signer of pool %s: compare the pool files", id.Short(), ErrNotSigned, m.Signer.Short(), p.Name)
	case !m.signed():
		return fmt.Errorf("peer %s: membership %w: the signature does not fit: ask a signer of pool %s for a new invitation", id.Short(), ErrNotSigned, p.Name)
	}
	if err := checkNow(m.NotBefore, m.NotAfter, now); err != nil {
		return fmt.Errorf("peer %s: membership of pool %s: %w: set the clock if it is wrong, else ask a signer of the pool for a new invitation", id.Short(), p.Name, err)
	}
	return nil
}

func validPoolName(name string) bool {
	if name == "" || len(name) > maxPoolName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		inner := i > 0 && i < len(name)-1
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || inner && (c == '-' || c == '.')) {
			return false
		}
	}
	return true
}

func validHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !printable(host, maxHost) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n != 0 && strconv.FormatUint(n, 10) == port
}

// parseYAML reads one YAML document; unknown and repeated fields are errors.
func parseYAML(file []byte, v any) error {
	if len(file) > MaxFile {
		return fmt.Errorf("%w: over %d bytes", ErrMalformed, MaxFile)
	}
	if err := yaml.UnmarshalStrict(file, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

func marshalYAML(v any) ([]byte, error) {
	file, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	if len(file) > MaxFile {
		return nil, fmt.Errorf("%w: over %d bytes", ErrMalformed, MaxFile)
	}
	return file, nil
}
