package mesh

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"
)

// noise returns size bytes that no part of the way can guess or compress.
func noise(size int) []byte {
	p := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(p)
	return p
}

func TestFrames(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	l := connect(t, a, testNode(t, Config{Key: testKey(t, 2)}))
	s := open(t, l, kindEcho)
	defer s.Close()
	sizes := []int{0, 1, frameStep - 1, frameStep, frameStep + 1, 3 << 20}
	go func() {
		for _, size := range sizes {
			if err := s.WriteFrame(noise(size)); err != nil {
				t.Error(err)
			}
		}
		if err := s.CloseWrite(); err != nil {
			t.Error(err)
		}
	}()
	for _, size := range sizes {
		got, err := s.ReadFrame(size)
		if err != nil || !bytes.Equal(got, noise(size)) {
			t.Fatalf("%d bytes of %d, or others: %v", len(got), size, err)
		}
	}
	if _, err := s.ReadFrame(1); err != io.EOF { //nolint:errorlint // io.EOF itself is promised
		t.Fatalf("after the last frame: %v", err)
	}
}

func TestOversizeFrameEndsItsStreamOnly(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	l := connect(t, a, b)
	s := open(t, l, kindFrame) // whose handler reads up to 1 KiB
	defer s.Close()
	if err := s.WriteFrame(make([]byte, 1<<10+1)); err != nil {
		t.Fatal(err)
	}
	_, err := s.ReadFrame(1 << 10)
	wantPeerError(t, err, b.Self(), ErrReset)

	s = open(t, l, kindEcho)
	defer s.Close()
	if err = s.WriteFrame(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	_, err = s.ReadFrame(99)
	wantPeerError(t, err, b.Self(), ErrFrameTooLarge)
	_, err = s.Read(make([]byte, 1))
	wantError(t, err, ErrReset)
	echo(t, l, []byte("the link is as good as ever"))
	if err := s.WriteFrame(make([]byte, MaxFrame+1)); err == nil {
		t.Fatal("a frame was sent that nobody may read")
	}
}

func TestFrameCutShort(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	l := connect(t, a, testNode(t, Config{Key: testKey(t, 2)}))
	for cut := 1; cut < 8; cut++ {
		s := open(t, l, kindEcho)
		frame := append(binary.BigEndian.AppendUint32(nil, 4), "abcd"...)
		if _, err := s.Write(frame[:cut]); err != nil {
			t.Fatal(err)
		}
		if err := s.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_, err := s.ReadFrame(4)
		wantError(t, err, io.ErrUnexpectedEOF)
		s.Close()
	}
}

func TestUnknownKind(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	l := connect(t, a, b)
	s := open(t, l, kindNobody)
	defer s.Close()
	_, err := s.ReadFrame(10)
	wantPeerError(t, err, b.Self(), ErrUnknownKind)
	echo(t, l, []byte("but this is known"))
}

// The largest flight of a match, both ways at once, on several streams.
func TestTransfer(t *testing.T) {
	leakCheck(t, func(t *testing.T) {
		a := testNode(t, Config{Key: testKey(t, 1)})
		b := testNode(t, Config{Key: testKey(t, 2)})
		l := connect(t, a, b)
		message := noise(16 << 20)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { echo(t, l, message) })
		}
		wg.Wait()
	})
}

// Streams that nobody reads must not hold up others for ever, nor the node.
func TestCancelMidTransfer(t *testing.T) {
	leakCheck(t, func(t *testing.T) {
		a := testNode(t, Config{Key: testKey(t, 1), StreamWindow: 1 << 20})
		b, err := Listen(Config{Key: testKey(t, 2), Addr: "127.0.0.1:0", StreamWindow: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		stuck := make(chan struct{})
		b.Handle(kindHold, func(ctx context.Context, s *Stream) {
			close(stuck)
			<-ctx.Done()
		})
		b.Handle(kindEcho, func(_ context.Context, s *Stream) { _, _ = io.Copy(s, s) })
		run := make(chan error, 1)
		go func() { run <- b.Run(t.Context()) }()
		t.Cleanup(func() {
			_ = b.Close()
			if err := <-run; err != nil {
				t.Error(err)
			}
		})
		l := connect(t, a, b)

		s := open(t, l, kindHold)
		ctx, cancel := context.WithCancel(t.Context())
		s.Bind(ctx)
		wrote := make(chan error, 1)
		go func() {
			_, err := s.Write(noise(16 << 20)) // far over the window
			wrote <- err
		}()
		<-stuck
		cancel()
		wantError(t, <-wrote, ErrReset)
		echo(t, l, noise(4<<20)) // the window that the dead stream held is free again
	})
}

func TestPeerResets(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b, err := Listen(Config{Key: testKey(t, 2), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	b.Handle(kindHold, func(_ context.Context, s *Stream) { s.Reset() })
	go func() { _ = b.Run(t.Context()) }()
	defer b.Close()
	s := open(t, connect(t, a, b), kindHold)
	defer s.Close()
	_, err = io.ReadAll(s)
	wantPeerError(t, err, b.Self(), ErrReset)
	eventually(t, "writes fail as well", func() bool {
		_, err = s.Write([]byte("anybody?"))
		return err != nil
	})
	wantPeerError(t, err, b.Self(), ErrReset)
}

func TestDeadlineIsNobodysFault(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	l := connect(t, a, testNode(t, Config{Key: testKey(t, 2)}))
	s := open(t, l, kindHold)
	defer s.Close()
	if err := s.SetDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Read(make([]byte, 1))
	wantError(t, err, os.ErrDeadlineExceeded)
	_, err = s.Write(make([]byte, 1))
	wantError(t, err, os.ErrDeadlineExceeded)
	if err := s.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(make([]byte, 1)); err != nil {
		t.Fatalf("the stream did not survive its deadline: %v", err)
	}
}

// What a handler has written before it returns arrives.
func TestLastWordsOfAHandler(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	l := connect(t, a, testNode(t, Config{Key: testKey(t, 2)}))
	for range 50 {
		s := open(t, l, kindFrame)
		if err := s.WriteFrame([]byte("words")); err != nil {
			t.Fatal(err)
		}
		got, err := s.ReadFrame(10)
		if err != nil || string(got) != "words" {
			t.Fatalf("%q, %v", got, err)
		}
		if _, err := s.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // io.EOF itself is promised
			t.Fatalf("after the last word: %v", err)
		}
		s.Close()
	}
}

func TestExporterIsTheSameAtBothEnds(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b, err := Listen(Config{Key: testKey(t, 2), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	b.Handle(kindHold, func(_ context.Context, s *Stream) {
		secret, failed := s.Exporter("test")
		if failed != nil {
			t.Error(failed)
		}
		if s.Peer() != a.Self() || s.Kind() != kindHold || s.Link().Peer() != a.Self() {
			t.Error("the stream does not say whose it is")
		}
		_ = s.WriteFrame(secret)
	})
	go func() { _ = b.Run(t.Context()) }()
	defer b.Close()
	l := connect(t, a, b)
	s := open(t, l, kindHold)
	defer s.Close()
	theirs, err := s.ReadFrame(64)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := s.Exporter("test")
	if err != nil || len(ours) != 32 || !bytes.Equal(ours, theirs) {
		t.Fatalf("%x and %x, %v", ours, theirs, err)
	}
	if other, err := s.Exporter("another"); err != nil || bytes.Equal(ours, other) {
		t.Fatalf("labels do not matter: %v", err)
	}
}
