package requester_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// echo stands behind a provider where its API server would: it says what it
// hears.
func echo(t *testing.T) (addr string) {
	t.Helper()
	ln := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn) // until the other end has said all
				conn.Close()
			}()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return ln.Addr().String()
}

func TestProxyCarries(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 2)
	s.at[1].Cluster.Serve(echo(t))
	ctx, cancel := context.WithCancel(s.Context())
	ln := listen(t)
	done := make(chan error, 1)
	var told []error
	go func() { done <- s.client.Proxy(ctx, l, 1, ln, func(err error) { told = append(told, err) }) }()
	for _, text := range []string{"one", strings.Repeat("two", 100000)} {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(conn, text) // what comes back tells
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		back, err := io.ReadAll(conn)
		if err != nil || string(back) != text {
			t.Errorf("%d bytes came back of %d, error %v", len(back), len(text), err)
		}
		conn.Close()
	}
	// When the lease is over, so is what it carried.
	if gone, err := s.client.Release(s.Context(), s.stored()); err != nil || gone.State != requester.Released {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes of a lease that is over, error %v", n, err)
	}
	conn.Close()
	if err := <-done; !errors.Is(err, requester.ErrOver) || len(told) != 1 || !errors.Is(told[0], requester.ErrOver) {
		t.Errorf("error %v, told %v", err, told)
	}
	cancel()
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("it still listens")
	}
	again := listen(t)
	if err := s.client.Proxy(s.Context(), s.stored(), 0, again, nil); err == nil {
		t.Error("a lease that is over is carried to")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// A provider that does not carry a connection of a lease that lives, because its
// API server is not there or all places are taken, ends neither us nor the rest.
func TestProxyRefusedForNow(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 1)
	s.at[0].Cluster.Serve(echo(t))
	s.at[0].Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Dial {
			return matchtest.ErrRefused
		}
		return nil
	})
	ctx, cancel := context.WithCancel(s.Context())
	ln := listen(t)
	done, told := make(chan error, 1), make(chan error, 1)
	go func() { done <- s.client.Proxy(ctx, l, 0, ln, func(err error) { told <- err }) }()
	speak := func() (string, error) {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return "", err
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "hello") // what comes back tells
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		back, err := io.ReadAll(conn)
		return string(back), err
	}
	if back, err := speak(); back != "" {
		t.Errorf("%q came back, error %v", back, err)
	}
	var refused *match.RefusedError
	if err := <-told; !errors.As(err, &refused) || errors.Is(err, requester.ErrOver) {
		t.Errorf("told %v", err)
	}
	s.at[0].Cluster.Before(nil)
	if back, err := speak(); back != "hello" {
		t.Errorf("%q came back, error %v", back, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
