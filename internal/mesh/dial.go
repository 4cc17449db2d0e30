package mesh

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// attemptDelay is how long one address of a peer is tried before the next is
// tried as well: the Connection Attempt Delay of RFC 8305, section 5.
const attemptDelay = 250 * time.Millisecond

// dialling is an attempt to reach a peer that all concurrent calls of Connect
// for that peer share.
type dialling struct {
	done    chan struct{} // closed when link or err is set
	link    *Link
	err     error
	waiting int                // under Node.mu: calls that wait
	cancel  context.CancelFunc // ends the attempt
}

// settled tells whether there is an outcome.
func (d *dialling) settled() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// settle sets the outcome unless there is one. The node is locked.
func (d *dialling) settle(link *Link, err error) {
	if !d.settled() {
		d.link, d.err = link, err
		close(d.done)
	}
}

// Connect returns the link to the peer, dialling it at the addresses if there
// is none; the addresses are tried one after the other, a quarter of a second
// apart, and the first to prove the identity wins. Concurrent calls for one
// peer share one attempt. It also returns when meanwhile the peer has connected
// to us. Of several instances of the peer it takes the latest.
//
// Errors: ErrSelf, ErrClosed, ctx's, ErrNoAddress if addrs is empty and there is
// no link, or a PeerError with ErrUnreachable, ErrWrongPeer, ErrRefused or
// ErrBusy.
func (n *Node) Connect(ctx context.Context, id identity.PeerID, addrs []netip.AddrPort) (*Link, error) {
	if id == n.self {
		return nil, ErrSelf
	}
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	for {
		link, d, ours, err := n.join(id, addrs)
		if link != nil || err != nil {
			return link, err
		}
		select {
		case <-d.done:
		case <-ctx.Done():
		}
		n.quit(d, id)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if d.err == nil || ours {
			return d.link, d.err
		}
		// Another call's addresses have failed: try those of this one.
	}
}

// join returns the link to the peer, or the attempt to reach it; ours if this
// call has begun it.
func (n *Node) join(id identity.PeerID, addrs []netip.AddrPort) (link *Link, d *dialling, ours bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links[id] {
		if l.preferred() != nil {
			link = l
		}
	}
	if link != nil {
		return link, nil, false, nil
	}
	if d = n.dials[id]; d == nil || d.settled() { // settled: by a link that is gone already
		if len(addrs) == 0 {
			return nil, nil, false, &PeerError{id, ErrNoAddress}
		}
		ctx, cancel := context.WithCancel(n.ctx)
		d = &dialling{done: make(chan struct{}), cancel: cancel}
		if !n.startLocked(func(context.Context) { n.attempt(ctx, d, id, addrs) }) {
			cancel()
			return nil, nil, false, ErrClosed
		}
		n.dials[id] = d
		ours = true
	}
	d.waiting++
	return nil, d, ours, nil
}

// quit says that a call does not wait for the attempt any more. When none does
// and nothing has come of it, it ends.
func (n *Node) quit(d *dialling, id identity.PeerID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d.waiting--
	if d.waiting == 0 && !d.settled() {
		d.cancel()
		n.forget(d, id)
	}
}

// forget takes the attempt out of those that calls may join. The node is locked.
func (n *Node) forget(d *dialling, id identity.PeerID) {
	if n.dials[id] == d {
		delete(n.dials, id)
	}
}

// attempt dials the peer and settles d. If the peer has connected to us by the
// time that a handshake is over, that will do. Otherwise the connection is seen
// through even if ctx ends: once we have said hello the peer may use it.
func (n *Node) attempt(ctx context.Context, d *dialling, id identity.PeerID, addrs []netip.AddrPort) {
	defer d.cancel()
	var got adopted
	qc, err := n.race(ctx, n.transport, id, addrs)
	switch {
	case err != nil:
		got.err = err
	case d.settled():
		n.discard(qc)
	default:
		got = <-n.adopt(qc, n.nextSequence())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	d.settle(got.link, got.err)
	n.forget(d, id)
}

// race dials the addresses, one after the other but without waiting long, and
// returns the first connection whose handshake succeeds.
func (n *Node) race(ctx context.Context, from *quic.Transport, id identity.PeerID, addrs []netip.AddrPort) (*quic.Conn, error) {
	type outcome struct {
		addr netip.AddrPort
		conn *quic.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome)
	started, ended := 0, 0
	next := func() {
		addr := addrs[started]
		started++
		go func() {
			qc, err := n.handshake(ctx, from, addr, id)
			outcomes <- outcome{addr, qc, err}
		}()
	}
	// Every attempt reports, and every report is read, so none outlives this.
	var winner *quic.Conn
	var failed error
	next()
	timer := time.NewTimer(attemptDelay)
	defer timer.Stop()
	for ended < started {
		more := winner == nil && started < len(addrs) && ctx.Err() == nil
		select {
		case o := <-outcomes:
			ended++
			switch {
			case o.err == nil && winner == nil:
				winner = o.conn
				cancel()
			case o.err == nil:
				n.discard(o.conn)
			case winner == nil:
				failed = alsoFailed(failed, o.addr, o.err)
				if more && ended == started {
					next()
					timer.Reset(attemptDelay)
				}
			}
		case <-timer.C:
			if more {
				next()
				timer.Reset(attemptDelay)
			}
		}
	}
	if winner != nil {
		return winner, nil
	}
	return nil, &PeerError{id, failed}
}

// alsoFailed adds the failure of an address to those before.
func alsoFailed(before error, addr netip.AddrPort, err error) error {
	if before == nil {
		return fmt.Errorf("dial %s: %w", addr, err)
	}
	return fmt.Errorf("%w; dial %s: %w", before, addr, err)
}

// handshake dials an address and returns the connection if want answers, or
// anybody if want is zero.
func (n *Node) handshake(ctx context.Context, from *quic.Transport, addr netip.AddrPort, want identity.PeerID) (*quic.Conn, error) {
	qc, err := from.Dial(ctx, net.UDPAddrFromAddrPort(addr), clientTLS(n.cert, n.self, want), n.quicConfig)
	if err != nil {
		return nil, dialFault(err)
	}
	return qc, nil
}

// discard closes a connection that never became part of a link.
func (n *Node) discard(qc *quic.Conn) {
	_ = qc.CloseWithError(codeClosed, "")
	n.budget.settle(qc)
}

func (n *Node) nextSequence() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sequence++
	return n.sequence
}

// Dial connects to whoever answers at the address; the link's Peer says who
// that is, proven. If there is a link to that peer already, it is the one
// returned. Errors are as for Connect.
func (n *Node) Dial(ctx context.Context, addr netip.AddrPort) (*Link, error) {
	if err := n.ready(ctx); err != nil {
		return nil, err
	}
	qc, err := n.handshake(ctx, n.transport, addr, identity.PeerID{})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &PeerError{Err: fmt.Errorf("dial %s: %w", addr, err)}
	}
	select {
	case got := <-n.adopt(qc, n.nextSequence()):
		return got.link, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Probe tells whether the peer answers at one of the addresses to somebody from
// whom it has heard nothing: by a handshake from a socket of its own, so that no
// NAT in front of the peer lets it pass for an answer. It becomes no link and
// changes none. The addresses are tried as by Connect, and errors are as for it.
func (n *Node) Probe(ctx context.Context, id identity.PeerID, addrs []netip.AddrPort) error {
	switch {
	case id == n.self:
		return ErrSelf
	case len(addrs) == 0:
		return &PeerError{id, ErrNoAddress}
	}
	if err := n.ready(ctx); err != nil {
		return err
	}
	conn, err := bind(n.beside())
	if err != nil {
		return fmt.Errorf("mesh: %w", err)
	}
	defer conn.Close()
	fresh := &quic.Transport{Conn: conn}
	defer fresh.Close()
	qc, err := n.race(ctx, fresh, id, addrs)
	if err != nil {
		return err
	}
	n.discard(qc)
	return nil
}

// beside is where another socket is to be bound that is in the same networks.
func (n *Node) beside() string {
	if ip := n.Addr().Addr(); ip.IsValid() {
		return netip.AddrPortFrom(ip, 0).String()
	}
	return ":0"
}
