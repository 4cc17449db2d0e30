package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Waits between attempts to read from a socket that returns errors.
const (
	readRetryMin = 5 * time.Millisecond
	readRetryMax = time.Second
)

// read takes packets from the socket, one after the other, until the node
// stops. A packet is parsed whole before anything is done with it; what the
// library gets is the canonical encoding of what was understood of it. A read error on a socket that is still open is waited out; read
// returns an error if the socket was closed under the node.
func (n *Node) read(ctx context.Context) error {
	buf := make([]byte, maxPacket+1)
	wait := readRetryMin
	for {
		size, source, err := n.conn.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("dht: socket: %w", err)
		case err != nil:
			n.readErrs.Add(1)
			if !pause(ctx, wait) {
				return nil
			}
			wait = min(2*wait, readRetryMax)
			continue
		}
		wait = readRetryMin
		n.received.Add(1)
		from := addrPortOf(source)
		if size > maxPacket || !usable(from, false) {
			n.dropped.Add(1)
			continue
		}
		m, err := parseMessage(buf[:size])
		switch {
		case err != nil:
			n.dropped.Add(1)
		case m.kind == 'q':
			n.question(m, from)
		default:
			if s := n.side(from.Addr()); s != nil {
				s.server.Load().bridge.answer(m, from)
			}
		}
	}
}
