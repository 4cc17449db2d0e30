package killtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// provider is the process that is killed, as its test and its requester see it:
// one incarnation after the other.
type provider struct {
	t         *testing.T
	key       *identity.Key
	requester *identity.Key
	listen    netip.AddrPort
	ledger    string
	env       []string

	mu    sync.Mutex
	life  *life         // the present incarnation; nil: between two
	begun chan struct{} // closed when the next one has begun
}

// life is one incarnation, with the requester's connections to it.
type life struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	said  sync.Mutex // a question and its answer
	node  *mesh.Node
	ctx   context.Context // ends with the incarnation
	end   context.CancelFunc
	nodes sync.WaitGroup
}

func newProvider(t *testing.T, env ...string) *provider {
	t.Helper()
	dir := t.TempDir()
	p := &provider{t: t, key: newKey(t), requester: newKey(t), ledger: filepath.Join(dir, "ledger.db"), begun: make(chan struct{})}
	keyFile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, p.key.MarshalPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // a port that is free
	if err != nil {
		t.Fatal(err)
	}
	p.listen = c.LocalAddr().(*net.UDPAddr).AddrPort()
	c.Close()
	p.env = append(os.Environ(), envLedger+"="+p.ledger, envKey+"="+keyFile, envListen+"="+p.listen.String())
	p.env = append(p.env, env...)
	return p
}

func newKey(t *testing.T) *identity.Key {
	t.Helper()
	k, err := identity.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// start begins an incarnation and waits until it is ready.
func (p *provider) start() error {
	l := &life{cmd: exec.Command(os.Args[0])}
	l.cmd.Env, l.cmd.Stderr = p.env, os.Stderr
	in, inErr := l.cmd.StdinPipe()
	out, outErr := l.cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, l.cmd.Start()); err != nil {
		return err
	}
	l.in, l.out = in, bufio.NewScanner(out)
	if !l.out.Scan() || l.out.Text() != "ready" {
		_ = l.cmd.Process.Kill()
		return fmt.Errorf("the provider did not come up: %q, %w", l.out.Text(), l.cmd.Wait())
	}
	var err error
	if l.node, err = mesh.Listen(mesh.Config{Key: p.requester, Addr: "127.0.0.1:0", DialOnly: true}); err != nil {
		return err
	}
	l.ctx, l.end = context.WithCancel(p.t.Context())
	l.nodes.Go(func() {
		if err := l.node.Run(l.ctx); err != nil {
			p.t.Error(err)
		}
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = l
	close(p.begun)
	return nil
}

// kill ends the incarnation as kill -9 does. Whoever waits for it is told.
func (p *provider) kill() error {
	p.mu.Lock()
	l := p.life
	p.life, p.begun = nil, make(chan struct{})
	p.mu.Unlock()
	if err := l.cmd.Process.Kill(); err != nil {
		return err
	}
	l.end()
	l.in.Close()
	l.nodes.Wait()
	l.said.Lock() // whoever was asking has been told
	defer l.said.Unlock()
	if err := l.cmd.Wait(); err == nil {
		return errors.New("the provider ended by itself")
	}
	return nil
}

// with runs f in an incarnation, and again in the next one if it was killed
// meanwhile.
func (p *provider) with(ctx context.Context, f func(context.Context, *life) error) error {
	for {
		p.mu.Lock()
		l, begun := p.life, p.begun
		p.mu.Unlock()
		if l == nil {
			select {
			case <-begun:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		err := f(l.ctx, l)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if l.ctx.Err() == nil {
			return err // its own
		}
	}
}

// reserve has the provider win a match, of a kind.
func (p *provider) reserve(ctx context.Context, sid [32]byte) error {
	want := fmt.Sprintf("reserved %s", market.NewLeaseID(sid, p.key.ID()))
	return p.with(ctx, func(_ context.Context, l *life) error {
		l.said.Lock()
		defer l.said.Unlock()
		if _, err := fmt.Fprintf(l.in, "reserve %x %s\n", sid, p.requester.ID()); err != nil {
			l.end() // it was killed, and we are the first to see it
			return err
		}
		if !l.out.Scan() {
			l.end()
			return io.ErrUnexpectedEOF
		}
		if got := l.out.Text(); got != want && !strings.HasPrefix(want, got) {
			return fmt.Errorf("the provider says %q, not %q", got, want)
		} else if got != want {
			l.end()
			return io.ErrUnexpectedEOF // cut off
		}
		return nil
	})
}

// link connects to the present incarnation.
func (p *provider) over(ctx context.Context, f func(context.Context, *mesh.Link) error) error {
	return p.with(ctx, func(alive context.Context, l *life) error {
		link, err := l.node.Connect(alive, p.key.ID(), []netip.AddrPort{p.listen})
		if err != nil {
			return err
		}
		return f(alive, link)
	})
}
