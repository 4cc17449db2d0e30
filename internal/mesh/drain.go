package mesh

import (
	"context"
	"encoding/binary"
	"errors"
)

// readControl follows the peer's control stream to its end.
func (c *conn) readControl(ctx context.Context) {
	err := c.followControl()
	if errors.Is(err, ErrGarbage) && ctx.Err() == nil {
		_ = c.quic.CloseWithError(codeGarbage, "control stream")
	}
}

func (c *conn) followControl() error {
	opened, err := readRetire(c.incoming)
	if err != nil {
		return err
	}
	var more bool
	c.update(func() {
		c.peerOpened, c.peerQuit = opened, true
		more = c.accepted > opened
	})
	if more {
		return ErrGarbage
	}
	if err := readEnd(c.incoming); err != nil {
		return err
	}
	retired := false
	c.update(func() { retired, c.peerDone = c.retired, true })
	if !retired { // the peer cannot be done with streams that we may still open
		return ErrGarbage
	}
	return nil
}

// retire stops opening streams on the connection and sees it to its end. The
// node is locked.
func (c *conn) retire() {
	if c.retired || c.dead {
		return
	}
	c.retired = true
	c.node.startLocked(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.node.cfg.Drain)
		defer cancel()
		stop := c.closeOn(ctx)
		defer stop()
		c.drain(ctx)
		_ = c.quic.CloseWithError(codeDrained, "")
	})
}

// drain goes through the steps of the package comment. It returns early when
// ctx or the connection ends.
func (c *conn) drain(ctx context.Context) {
	if !c.await(ctx, func() bool { return c.greeted && c.opening == 0 }) {
		return
	}
	var opened uint64
	c.update(func() { opened = c.opened })
	if _, err := c.control.Write(binary.BigEndian.AppendUint64(nil, opened)); err != nil {
		return
	}
	if !c.await(ctx, func() bool { return c.peerQuit && c.accepted >= c.peerOpened && c.streams == 0 }) {
		return
	}
	if err := c.control.Close(); err != nil {
		return
	}
	c.await(ctx, func() bool { return c.peerDone })
}

// await waits until the condition, which is looked at with the node locked,
// holds. It is false if ctx or the connection ends before. Only one goroutine
// may await at a time: drain.
func (c *conn) await(ctx context.Context, condition func() bool) bool {
	for {
		c.node.mu.Lock()
		holds := condition()
		c.node.mu.Unlock()
		if holds {
			return true
		}
		select {
		case <-c.changed:
		case <-ctx.Done():
			return false
		case <-c.quic.Context().Done():
			return false
		}
	}
}

// update changes fields with the node locked and wakes await.
func (c *conn) update(change func()) {
	c.node.mu.Lock()
	change()
	c.node.mu.Unlock()
	c.wake()
}

func (c *conn) wake() {
	select {
	case c.changed <- struct{}{}:
	default: // await has not yet looked since the last change
	}
}

// streamAccepted counts a stream that the peer has opened; false if the peer
// had said that it would not.
func (c *conn) streamAccepted() (allowed bool) {
	c.update(func() {
		c.accepted++
		c.streams++
		c.use()
		allowed = !c.peerQuit || c.accepted <= c.peerOpened
	})
	return allowed
}

// streamEnded says that a stream, of either side, has ended here.
func (c *conn) streamEnded() {
	c.update(func() {
		c.streams--
		c.use()
	})
}

// use notes that the connection is in use. The node is locked.
func (c *conn) use() {
	c.node.clock++
	c.used = c.node.clock
}
