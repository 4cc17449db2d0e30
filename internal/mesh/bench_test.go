package mesh

import (
	"io"
	"net/netip"
	"testing"
)

// BenchmarkHandshake is a link from nothing to a proven, admitted peer, and its
// end: both sides' work.
func BenchmarkHandshake(b *testing.B) {
	here := testNode(b, Config{Key: testKey(b, 1)})
	there := testNode(b, Config{Key: testKey(b, 2)})
	addrs := []netip.AddrPort{there.Addr()}
	for b.Loop() {
		l, err := here.Connect(b.Context(), there.Self(), addrs)
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
		<-l.Done()
	}
}

// BenchmarkRoundTrip is a frame of 100 bytes there and back on an open stream.
func BenchmarkRoundTrip(b *testing.B) {
	s := benchStream(b)
	frame := make([]byte, 100)
	for b.Loop() {
		if err := s.WriteFrame(frame); err != nil {
			b.Fatal(err)
		}
		if _, err := s.ReadFrame(100); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen is a stream opened, a short frame there and back on it, and its
// end.
func BenchmarkOpen(b *testing.B) {
	l := benchStream(b).Link()
	frame := make([]byte, 100)
	for b.Loop() {
		s, err := l.Open(b.Context(), kindFrame)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.WriteFrame(frame); err != nil {
			b.Fatal(err)
		}
		if _, err := s.ReadFrame(100); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkTransfer is 16 MiB there and back at once, in chunks as a match
// writes them.
func BenchmarkTransfer(b *testing.B) {
	s := benchStream(b)
	chunk := noise(256 << 10)
	back := make([]byte, 16<<20)
	b.SetBytes(2 * 16 << 20)
	for b.Loop() {
		wrote := make(chan error, 1)
		go func() {
			for range 64 {
				if _, err := s.Write(chunk); err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		if _, err := io.ReadFull(s, back); err != nil {
			b.Fatal(err)
		}
		if err := <-wrote; err != nil {
			b.Fatal(err)
		}
	}
}

func benchStream(b *testing.B) *Stream {
	b.Helper()
	l := connect(b, testNode(b, Config{Key: testKey(b, 1)}), testNode(b, Config{Key: testKey(b, 2)}))
	s, err := l.Open(b.Context(), kindEcho)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}
