package requester

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/angler-dex/angler/internal/match"
)

// maxCarried is how many connections to one part are carried at once: as many as
// a busy client has, fewer than the 16 that a provider allows, for it may hear
// of the end of one after it hears of the next. Beyond, they wait.
const maxCarried = 12

// Proxy carries the connections that ln accepts to the API server of a part,
// through its provider's daemon, until ctx ends. What runs over them is TLS from
// end to end: whoever dials must check the server's certificate for the name in
// the grant. It closes ln. refused is told, by one goroutine at a time, of
// connections that cannot be carried, which are closed. The error is ErrOver when
// the provider says that the part is over, or that of accepting.
func (c *Client) Proxy(ctx context.Context, l Lease, part int, ln net.Listener, refused func(error)) error {
	p := l.Parts[part]
	if l.State != Active || p.Grant == nil {
		return errors.Join(fmt.Errorf("lease %s is %s: there is nothing to carry to", p.ID.Short(), p.State), ln.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // Accept says so
	var carried sync.WaitGroup
	defer carried.Wait()
	defer cancel()
	defer stop()
	room := make(chan struct{}, maxCarried)
	var telling sync.Mutex
	over := false
	for {
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close() // nobody is there to hear that it was opened
			}
			telling.Lock()
			defer telling.Unlock()
			if over {
				return ErrOver
			}
			return nil
		}
		if err != nil {
			return errors.Join(fmt.Errorf("proxy of lease %s: %w", p.ID.Short(), err), ln.Close())
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			_ = conn.Close()
			return nil
		}
		carried.Go(func() {
			defer func() { <-room }()
			err := c.carry(ctx, l, p, conn)
			telling.Lock()
			defer telling.Unlock()
			if err == nil || ctx.Err() != nil {
				return
			}
			refused(err)
			if errors.Is(err, ErrOver) {
				over = true
				cancel()
			}
		})
	}
}

// ErrOver says that a part has come to its end.
var ErrOver = errors.New("the lease is over")

// carry carries one connection and closes it.
func (c *Client) carry(ctx context.Context, l Lease, p Part, conn net.Conn) error {
	link, err := c.connect(ctx, l, p)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	err = match.ProxyLease(ctx, link, p.ID, conn)
	if _, ok := errors.AsType[*match.RefusedError](err); ok { // is it for good?
		_, shown := match.ShowLease(ctx, link, l.deal(p, c.Key.ID()), c.Now)
		if shown == nil {
			return err // it lives: the API server is away, or all places are taken
		}
		if gone, ok := errors.AsType[*goneError](ended(shown)); ok {
			return fmt.Errorf("%w: %w", ErrOver, gone)
		}
	}
	return err
}
