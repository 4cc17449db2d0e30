package mesh

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// Node is this peer's end of all its links. Listen makes one, Handle says what
// it does for others, Run runs it. All methods but Handle may be called at any
// time from any goroutine; those that need a running node wait for Run.
type Node struct {
	cfg      Config
	self     identity.PeerID
	instance [16]byte
	cert     tls.Certificate
	conn     net.PacketConn
	handlers map[Kind]Handler
	gate     *gate
	budget   *budget

	// transport and quicConfig are set before running is closed.
	transport  *quic.Transport
	quicConfig *quic.Config
	running    chan struct{} // closed when Run is ready to dial
	stop       chan struct{} // closed by Close
	stopOnce   sync.Once
	finished   chan struct{} // closed when the node is over
	children   sync.WaitGroup

	mu       sync.Mutex
	started  bool            // Run was called, or Close instead of it
	closing  bool            // no more children
	ctx      context.Context // of Run: the life of its children
	links    map[identity.PeerID][]*Link
	total    int // connections of links
	dials    map[identity.PeerID]*dialling
	sequence uint64 // of the latest connection dialled
	clock    uint64 // ticks at each use of a connection
}

// Kind is the first byte of a stream: what the stream is for.
type Kind uint8

// Handler serves a stream that a peer has opened. ctx ends with the node or the
// stream's connection; the stream's end is the handler's return: what it has
// written is still delivered, what it has not read is dropped. A handler must
// return once ctx has ended, for then its reads and writes fail.
type Handler func(ctx context.Context, s *Stream)

// Listen makes a node and binds its socket; nothing runs yet. Whoever called it
// must call Run or Close.
func Listen(cfg Config) (*Node, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	cert, err := cfg.Key.Certificate()
	if err != nil {
		return nil, err
	}
	rnd := cfg.Rand
	if rnd == nil {
		rnd = rand.Reader
	}
	n := &Node{
		cfg:      cfg,
		self:     cfg.Key.ID(),
		cert:     cert,
		conn:     cfg.Conn,
		handlers: make(map[Kind]Handler),
		gate:     newGate(cfg),
		budget:   newBudget(cfg.WindowBudget),
		running:  make(chan struct{}),
		stop:     make(chan struct{}),
		finished: make(chan struct{}),
		links:    make(map[identity.PeerID][]*Link),
		dials:    make(map[identity.PeerID]*dialling),
	}
	if _, err = io.ReadFull(rnd, n.instance[:]); err != nil {
		return nil, fmt.Errorf("mesh: draw the instance: %w", err)
	}
	if n.conn == nil {
		if n.conn, err = bind(cfg.Addr); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Handle sets the handler of a kind of stream; it must be called before Run.
func (n *Node) Handle(kind Kind, handler Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started {
		panic("mesh: Handle after Run")
	}
	n.handlers[kind] = handler
}

// Self returns this node's identity.
func (n *Node) Self() identity.PeerID { return n.self }

// Addr returns the address of the socket; its IP is unspecified if the socket
// is bound to all.
func (n *Node) Addr() netip.AddrPort { return addrPort(n.conn.LocalAddr()) }

// Run serves and dials until ctx ends or Close is called, then closes all links
// and the socket and returns nil once everything that it started has ended. It
// returns an error if the socket fails (a DialOnly node notices that only when
// it dials). It can be called once.
func (n *Node) Run(ctx context.Context) error {
	n.mu.Lock()
	if n.started {
		n.mu.Unlock()
		return ErrClosed
	}
	n.started = true
	ctx, cancel := context.WithCancel(ctx)
	n.ctx = ctx
	n.mu.Unlock()

	err := n.serve(ctx)
	cancel()
	n.mu.Lock()
	n.closing = true
	n.mu.Unlock()
	n.children.Wait()
	if n.transport != nil {
		err = errors.Join(err, n.transport.Close())
	}
	err = errors.Join(err, n.conn.Close())
	close(n.finished)
	return err
}

// serve sets the transport up and waits for the end.
func (n *Node) serve(ctx context.Context) error {
	if err := quietOnce(); err != nil {
		return fmt.Errorf("mesh: %w", err)
	}
	resetKey := quic.StatelessResetKey(n.cfg.Key.Derive("angler/1 stateless reset " + n.conn.LocalAddr().String()))
	n.transport = &quic.Transport{
		Conn: n.conn,
		// Derived from the key and the address, so that a node that crashed and
		// came back resets the connections of its former life at once.
		StatelessResetKey:   &resetKey,
		VerifySourceAddress: n.gate.suspicious,
		ConnContext:         n.gate.connContext,
	}
	n.quicConfig = n.cfg.quic(n.budget)
	ended := make(chan error, 1)
	if !n.cfg.DialOnly {
		listener, err := n.transport.Listen(serverTLS(n.cert, n.self), n.quicConfig)
		if err != nil {
			return fmt.Errorf("mesh: %w", err)
		}
		defer listener.Close()
		n.children.Go(func() { ended <- n.accept(ctx, listener) })
		warnBuffer(n.cfg.Log, n.conn)
	}
	close(n.running)
	select {
	case <-ctx.Done():
		return nil
	case <-n.stop:
		return nil
	case err := <-ended:
		return err
	}
}

// accept takes the connections that come in until ctx ends.
func (n *Node) accept(ctx context.Context, listener *quic.Listener) error {
	for {
		conn, err := listener.Accept(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("mesh: accept: %w", err)
		}
		n.adopt(conn, 0)
	}
}

// Close ends the node: it makes Run return and waits for that, or, if Run was
// never called, frees the socket. Links end at once: what streams have written
// and the peer has not yet received may be lost, so the last word of a
// conversation is for the peer to confirm before one closes. Close returns nil;
// calling it again does nothing.
func (n *Node) Close() error {
	n.stopOnce.Do(func() { close(n.stop) })
	n.mu.Lock()
	running := n.started
	n.started = true
	n.mu.Unlock()
	if !running {
		err := n.conn.Close()
		close(n.finished)
		return err
	}
	<-n.finished
	return nil
}

// start runs f as a child of Run, unless Run is ending.
func (n *Node) start(f func(ctx context.Context)) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.startLocked(f)
}

func (n *Node) startLocked(f func(ctx context.Context)) bool {
	if n.closing {
		return false
	}
	ctx := n.ctx
	n.children.Go(func() { f(ctx) })
	return true
}

// ready waits until the node runs.
func (n *Node) ready(ctx context.Context) error {
	select {
	case <-n.running:
	case <-n.finished:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-n.finished:
		return ErrClosed
	default:
		return nil
	}
}
