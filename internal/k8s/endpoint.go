package k8s

import (
	"context"
	"fmt"
	"net"
	"net/url"
)

// An Endpoint is where an API server answers, for who carries a tenant's connection to it. TLS goes through from end to
// end: who carries it sees neither token nor content, and the tenant checks the server's certificate for ServerName.
type Endpoint struct {
	Address    string // host:port to dial
	ServerName string // what the certificate there is checked for: a name or an IP address
}

// Endpoint returns where to carry connections of tenants to: the server that their grants name, and nowhere else.
func (c *Cluster) Endpoint() Endpoint { return endpointOf(c.server) }

// Dial opens a connection to the Endpoint: bare TCP, for somebody else's TLS.
func (c *Cluster) Dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", c.Endpoint().Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCluster, err)
	}
	return conn, nil
}

// Endpoint returns what the grant's server is for TLS and where it listens. Of a grant that does not Validate it is empty.
func (g Grant) Endpoint() Endpoint { return endpointOf(g.Server) }

func endpointOf(server string) Endpoint {
	if checkServer(server) != nil {
		return Endpoint{}
	}
	u, err := url.Parse(server)
	if err != nil {
		return Endpoint{}
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return Endpoint{Address: net.JoinHostPort(u.Hostname(), port), ServerName: u.Hostname()}
}
