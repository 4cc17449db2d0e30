package mesh

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// conn is one QUIC connection of a link. One goroutine, started by adopt, sees
// it from the handshake to its end.
type conn struct {
	node     *Node
	quic     *quic.Conn
	peer     identity.PeerID
	addr     netip.AddrPort
	dialled  bool
	instance [16]byte            // of the peer
	sequence uint64              // of whoever dialled
	control  *quic.SendStream    // ours
	incoming *quic.ReceiveStream // the peer's control stream, behind its hello

	// Under node.mu.
	link       *Link
	dead       bool
	used       uint64 // node.clock at the latest use
	opening    int    // streams that are being opened here
	streams    int    // streams of either side that have not ended here
	opened     uint64 // streams that were opened here
	accepted   uint64 // streams that the peer opened and we saw
	greeted    bool   // our hello is out
	retired    bool   // no more streams are opened here
	peerOpened uint64 // what the peer's retire says
	peerQuit   bool   // the peer has retired the connection
	peerDone   bool   // and all its streams have ended there
	changed    chan struct{}
}

// adopted is what became of a connection that was to be a link's.
type adopted struct {
	link *Link
	err  error
}

// adopt makes a connection whose handshake is over, accepted (sequence 0) or
// dialled by this node, part of a link, and looks after it from then on. The
// channel has room for the result.
func (n *Node) adopt(qc *quic.Conn, sequence uint64) <-chan adopted {
	result := make(chan adopted, 1)
	c := &conn{
		node:     n,
		quic:     qc,
		addr:     addrPort(qc.RemoteAddr()),
		dialled:  sequence != 0,
		sequence: sequence,
		changed:  make(chan struct{}, 1),
	}
	if !n.start(func(ctx context.Context) { c.live(ctx, result) }) {
		n.discard(qc)
		result <- adopted{err: ErrClosed}
	}
	return result
}

// live introduces the connection, serves it and buries it.
func (c *conn) live(ctx context.Context, result chan<- adopted) {
	defer c.node.budget.settle(c.quic)
	link, code, err := c.introduce(ctx)
	if err != nil {
		_ = c.quic.CloseWithError(code, "")
		c.node.cfg.Log.Debug("connection refused", "peer", c.peer.Short(), "addr", c.addr, "err", err)
		result <- adopted{err: err}
		return
	}
	result <- adopted{link: link}
	c.node.cfg.Log.Debug("connection up", "peer", c.peer.Short(), "addr", c.addr, "dialled", c.dialled)

	ctx, cancel := context.WithCancel(ctx)
	var children sync.WaitGroup
	children.Go(func() { c.readControl(ctx) })
	err = c.accept(ctx, &children)
	cancel()
	_ = c.quic.CloseWithError(codeClosed, "") // where nobody else has closed it
	c.node.bury(c)
	children.Wait()
	c.node.cfg.Log.Debug("connection ended", "peer", c.peer.Short(), "addr", c.addr, "err", fault(c.peer, err))
}

// introduce exchanges hellos, which is where a peer is admitted, and registers
// the connection. With an error comes the code to close the connection with.
func (c *conn) introduce(ctx context.Context) (*Link, quic.ApplicationErrorCode, error) {
	ctx, cancel := context.WithTimeout(ctx, c.node.cfg.Handshake)
	defer cancel()
	stop := c.closeOn(ctx)
	defer stop()
	peer, err := proven(c.quic.ConnectionState().TLS, c.node.self)
	if err != nil {
		return nil, codeRefused, err
	}
	c.peer = peer
	if !c.dialled && c.node.cfg.Admit != nil {
		if err = c.node.cfg.Admit(peer, c.addr); err != nil {
			return nil, codeRefused, fmt.Errorf("not admitted: %w", err)
		}
	}
	if c.control, err = c.quic.OpenUniStreamSync(ctx); err != nil {
		return nil, codeClosed, c.fault(err)
	}
	if c.dialled {
		if err = c.greet(); err != nil {
			return nil, codeClosed, err
		}
	}
	h, err := c.hear(ctx)
	if err != nil {
		return nil, codeGarbage, c.fault(err)
	}
	c.instance = h.instance
	if !c.dialled {
		c.sequence = h.sequence
	}
	link, evicted, err := c.node.register(c)
	if evicted != nil {
		_ = evicted.quic.CloseWithError(codeBusy, "")
	}
	if err != nil {
		return nil, codeBusy, err
	}
	if !c.dialled { // only now there is a place for the peer
		if err = c.greet(); err != nil {
			c.node.bury(c)
			return nil, codeClosed, err
		}
	}
	if t, ok := c.quic.Context().Value(ticketKey{}).(*ticket); ok {
		t.open()
	}
	return link, 0, nil
}

// closeOn closes the connection when ctx ends, which ends whatever waits for
// the peer to read or to write, unless stop is called before.
func (c *conn) closeOn(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.quic.CloseWithError(codeClosed, "") })
}

// greet says hello.
func (c *conn) greet() error {
	h := hello{instance: c.node.instance}
	if c.dialled {
		h.sequence = c.sequence
	}
	_, err := c.control.Write(appendHello(nil, h))
	c.update(func() { c.greeted = err == nil })
	return c.fault(err)
}

// hear reads the peer's hello.
func (c *conn) hear(ctx context.Context) (h hello, err error) {
	if c.incoming, err = c.quic.AcceptUniStream(ctx); err != nil {
		return hello{}, err
	}
	return readHello(c.incoming)
}

// accept serves the streams that the peer opens until the connection ends.
func (c *conn) accept(ctx context.Context, children *sync.WaitGroup) error {
	for {
		qs, err := c.quic.AcceptStream(ctx)
		if err != nil {
			return err
		}
		if !c.streamAccepted() {
			_ = c.quic.CloseWithError(codeGarbage, "a stream on a retired connection")
			return ErrGarbage
		}
		children.Go(func() {
			c.serve(ctx, qs)
			qs.ReleaseStreamCredit()
			c.streamEnded()
		})
	}
}

// serve reads what an accepted stream is for and runs the handler.
func (c *conn) serve(ctx context.Context, qs *quic.Stream) {
	s := &Stream{conn: c, quic: qs}
	if err := qs.SetReadDeadline(time.Now().Add(c.node.cfg.Handshake)); err != nil {
		panic("mesh: set a deadline: " + err.Error()) // documented to be nil
	}
	var kind [1]byte
	if _, err := io.ReadFull(qs, kind[:]); err != nil {
		s.Reset()
		return
	}
	handler, known := c.node.handlers[Kind(kind[0])]
	if !known {
		qs.CancelRead(streamUnknown)
		qs.CancelWrite(streamUnknown)
		return
	}
	if err := qs.SetReadDeadline(time.Time{}); err != nil {
		panic("mesh: clear a deadline: " + err.Error())
	}
	s.kind = Kind(kind[0])
	defer s.finish()
	handler(ctx, s)
}

// fault puts an error of the connection into this package's words.
func (c *conn) fault(err error) error { return fault(c.peer, err) }
