package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	maxAnswer = 16 << 20
	maxLine   = 4 << 10
	dialTime  = 2 * time.Second
	readTime  = 10 * time.Second // for an answer that changes nothing: who sends none is stuck
)

// Client talks to the daemon at one socket. It is safe for use by several goroutines. It implements Daemon, with the
// sentinel errors that the daemon answered with.
type Client struct {
	path string
	read time.Duration // readTime
	http *http.Client
}

var _ Daemon = (*Client)(nil)

// Dial returns a client of the daemon at path after making sure that one answers there. ErrNoDaemon: nobody does; ErrDenied: it
// belongs to somebody else.
func Dial(ctx context.Context, path string) (*Client, error) {
	c := &Client{path: path, read: readTime}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return c.connect(ctx) },
		DisableCompression: true,
		MaxIdleConns:       2,
		IdleConnTimeout:    time.Minute,
	}}
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	conn.Close()
	return c, nil
}

// Path is the socket's path.
func (c *Client) Path() string { return c.path }

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	if err := CheckPath(c.path); err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "unix", c.path)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, fs.ErrPermission):
		return nil, New(ErrDenied, fmt.Sprintf("the socket %s belongs to another user", c.path))
	default:
		return nil, fmt.Errorf("%w at %s", ErrNoDaemon, c.path)
	}
	if err := trustServer(conn.(*net.UnixConn)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// Status implements Daemon.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
}

// Offers implements Daemon.
func (c *Client) Offers(ctx context.Context) ([]Offer, error) {
	var out offers
	err := c.call(ctx, http.MethodGet, "/v1/offers", nil, &out)
	return out.Offers, err
}

// PutOffer implements Daemon.
func (c *Client) PutOffer(ctx context.Context, o Offer) (out Offer, err error) {
	return out, c.call(ctx, http.MethodPut, "/v1/offers/"+url.PathEscape(o.Name), o, &out)
}

// SetPaused implements Daemon.
func (c *Client) SetPaused(ctx context.Context, name string, paused bool) (out Offer, err error) {
	verb := "/resume"
	if paused {
		verb = "/pause"
	}
	return out, c.call(ctx, http.MethodPost, "/v1/offers/"+url.PathEscape(name)+verb, nil, &out)
}

// RemoveOffer implements Daemon.
func (c *Client) RemoveOffer(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/v1/offers/"+url.PathEscape(name), nil, nil)
}

// Leases implements Daemon.
func (c *Client) Leases(ctx context.Context) ([]Lease, error) {
	var out leases
	err := c.call(ctx, http.MethodGet, "/v1/leases", nil, &out)
	return out.Leases, err
}

// Lease implements Daemon.
func (c *Client) Lease(ctx context.Context, id string) (out Lease, err error) {
	return out, c.call(ctx, http.MethodGet, "/v1/leases/"+url.PathEscape(id), nil, &out)
}

// ReleaseLease implements Daemon.
func (c *Client) ReleaseLease(ctx context.Context, id string) (out Lease, err error) {
	return out, c.call(ctx, http.MethodDelete, "/v1/leases/"+url.PathEscape(id), nil, &out)
}

// ReclaimLease implements Daemon.
func (c *Client) ReclaimLease(ctx context.Context, id string) (out Lease, err error) {
	return out, c.call(ctx, http.MethodPost, "/v1/leases/"+url.PathEscape(id)+"/reclaim", nil, &out)
}

// SetDrain implements Daemon.
func (c *Client) SetDrain(ctx context.Context, d Drain) (out Drain, err error) {
	return out, c.call(ctx, http.MethodPut, "/v1/drain", d, &out)
}

// Lookup implements Daemon. When found returns false the lookup ends at the daemon too.
func (c *Client) Lookup(ctx context.Context, q Lookup, found func(Found) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.do(ctx, http.MethodPost, "/v1/lookup", q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	in := newLines(resp.Body)
	for {
		l, err := in.next()
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("control: lookup broke off: %w", err)
		case l.Error != nil:
			return l.Error
		case l.Done:
			return nil
		case l.Found != nil && l.Found.Addr.IsValid() && !found(*l.Found):
			return nil
		}
	}
}

// call sends one request and reads its answer into out (nil: none is expected).
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	if _, bound := ctx.Deadline(); !bound && method == http.MethodGet {
		whole := ctx
		limited, cancel := context.WithTimeout(ctx, c.read)
		defer cancel()
		if err := c.converse(limited, method, path, in, out); limited.Err() == nil || whole.Err() != nil {
			return err
		}
		return fmt.Errorf("%w at %s: it does not answer", ErrNoDaemon, c.path)
	}
	return c.converse(ctx, method, path, in, out)
}

// converse is call, for as long as its context lasts.
func (c *Client) converse(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := readCapped(resp.Body, maxAnswer)
	if err != nil {
		return transport(ctx, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("control: answer to %s %s: %w", method, path, err)
	}
	return nil
}

// do returns the answer of a request that succeeded; any other becomes the error that it carries.
func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("control: request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://angler"+path, body)
	if err != nil {
		return nil, fmt.Errorf("control: request: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, transport(ctx, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	answer, err := readCapped(resp.Body, maxRequest)
	if err != nil {
		return nil, transport(ctx, err)
	}
	e := &Error{}
	if json.Unmarshal(answer, e) != nil || e.Code == "" {
		return nil, fmt.Errorf("control: %s %s: %s", method, path, resp.Status)
	}
	return nil, e
}

// transport names the fault of a connection: the caller's own context first, then the sentinel inside, if there is one.
func transport(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return fmt.Errorf("control: %w", err)
}

func readCapped(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("answer of more than %d bytes", limit)
	}
	return b, err
}
