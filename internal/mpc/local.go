package mpc

import (
	"context"
	"sync"
)

// NewLocal returns the networks of n parties in one process, without sockets
// or bounds.
func NewLocal(n int) []Network {
	pipes := make([][]*pipe, n) // pipes[from][to]
	for i := range pipes {
		pipes[i] = make([]*pipe, n)
		for j := range pipes[i] {
			pipes[i][j] = &pipe{ready: make(chan struct{}, 1)}
		}
	}
	nets := make([]Network, n)
	for i := range nets {
		nets[i] = &local{self: i, pipes: pipes}
	}
	return nets
}

type local struct {
	self  int
	pipes [][]*pipe
}

func (l *local) Send(ctx context.Context, to int, chunk []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.pipes[l.self][to].put(chunk)
	return nil
}

func (l *local) Recv(ctx context.Context, from int, buf []byte) error {
	return l.pipes[from][l.self].fill(ctx, buf)
}

// pipe is a queue of chunks from one party to another: one reader at a time.
type pipe struct {
	mu     sync.Mutex
	chunks [][]byte
	ready  chan struct{} // holds a token when something has come since the reader last looked
}

func (p *pipe) put(chunk []byte) {
	p.mu.Lock()
	p.chunks = append(p.chunks, chunk)
	p.mu.Unlock()
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

func (p *pipe) fill(ctx context.Context, buf []byte) error {
	for {
		buf = p.take(buf)
		if len(buf) == 0 {
			return nil
		}
		select {
		case <-p.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take moves what is there into buf and returns the rest of it.
func (p *pipe) take(buf []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(buf) > 0 && len(p.chunks) > 0 {
		n := copy(buf, p.chunks[0])
		buf = buf[n:]
		if p.chunks[0] = p.chunks[0][n:]; len(p.chunks[0]) == 0 {
			p.chunks[0] = nil
			p.chunks = p.chunks[1:]
		}
	}
	return buf
}
