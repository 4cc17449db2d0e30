package mesh

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/quic-go/quic-go"
)

// A peer that announces a long frame and sends nothing makes us hold little.
func TestFrameIsAllocatedAsItArrives(t *testing.T) {
	header := binary.BigEndian.AppendUint32(nil, MaxFrame)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readFrame(bytes.NewReader(header), MaxFrame)
	runtime.ReadMemStats(&after)
	wantError(t, err, io.ErrUnexpectedEOF)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8*frameStep {
		t.Fatalf("%d bytes allocated for 4 received", grown)
	}
}

func TestFrameLimits(t *testing.T) {
	huge := binary.BigEndian.AppendUint32(nil, 0xffffffff)
	for _, limit := range []int{-1, 0, 1, MaxFrame, 1 << 40} {
		_, err := readFrame(bytes.NewReader(huge), limit)
		wantError(t, err, ErrFrameTooLarge)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0}, 0)
	f.Add([]byte{0, 0, 0, 0}, -37)
	f.Add([]byte{0, 0, 0, 3, 'a', 'b', 'c'}, 3)
	f.Add([]byte{0, 0, 0, 3, 'a', 'b'}, 3)
	f.Add([]byte{255, 255, 255, 255, 1}, 1<<20)
	f.Fuzz(func(t *testing.T, raw []byte, limit int) {
		r := bytes.NewReader(raw)
		frame, err := readFrame(r, limit)
		if err != nil {
			return
		}
		if len(frame) > max(limit, 0) {
			t.Fatalf("a frame of %d bytes where %d are allowed", len(frame), limit)
		}
		var again bytes.Buffer
		if err := writeFrame(&again, frame); err != nil {
			t.Fatal(err)
		}
		if read := raw[:len(raw)-r.Len()]; !bytes.Equal(again.Bytes(), read) {
			t.Fatalf("%x is read and written as %x", read, again.Bytes())
		}
	})
}

func FuzzControl(f *testing.F) {
	whole := appendHello(nil, hello{[16]byte{1, 2, 3}, 4})
	f.Add(whole)
	f.Add(binary.BigEndian.AppendUint64(bytes.Clone(whole), 5))
	f.Add(append(binary.BigEndian.AppendUint64(bytes.Clone(whole), 5), 6))
	f.Add(whole[:helloSize-1])
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bytes.NewReader(raw)
		h, err := readHello(r)
		if err != nil {
			wantError(t, err, ErrGarbage)
			return
		}
		again := appendHello(nil, h)
		opened, err := readRetire(r)
		if err != nil {
			wantError(t, err, ErrGarbage)
			return
		}
		again = binary.BigEndian.AppendUint64(again, opened)
		if err := readEnd(r); err != nil {
			wantError(t, err, ErrGarbage)
			return
		}
		if !bytes.Equal(again, raw) {
			t.Fatalf("%x is read and written as %x", raw, again)
		}
	})
}

func TestControlReadErrorsPass(t *testing.T) {
	broken := errors.New("broken")
	for _, read := range []func(io.Reader) error{
		func(r io.Reader) error { _, err := readHello(r); return err },
		func(r io.Reader) error { _, err := readRetire(r); return err },
		readEnd,
	} {
		pr, pw := io.Pipe()
		pw.CloseWithError(broken)
		wantError(t, read(pr), broken)
	}
}

func TestBudget(t *testing.T) {
	b := newBudget(100)
	one, two := new(quic.Conn), new(quic.Conn)
	if !b.grow(one, 60) || b.grow(two, 60) || !b.grow(two, 40) || b.grow(one, 1) {
		t.Fatal("not 100 in all")
	}
	b.settle(one)
	b.settle(one)
	if !b.grow(two, 60) || b.grow(two, 1) {
		t.Fatal("what one held has not come back once")
	}
}

func udp(addr string) net.Addr { return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)) }

func TestGatePrefixes(t *testing.T) {
	g := newGate(Config{MaxHandshakes: 100, MaxLinksPerPrefix: 2})
	for _, c := range []struct{ addr, prefix string }{
		{"192.0.2.7:1", "192.0.2.0/24"},
		{"[::ffff:192.0.2.9]:1", "192.0.2.0/24"},
		{"[2001:db8:1:2::3]:1", "2001:db8:1::/48"},
		{"[fe80::1%eth0]:1", "fe80::/48"},
	} {
		if got := g.prefixOf(udp(c.addr)); got.String() != c.prefix {
			t.Errorf("%s is counted under %s", c.addr, got)
		}
	}
	for _, addr := range []net.Addr{udp("127.0.0.1:1"), udp("[::1]:1"), &net.UnixAddr{}} {
		if got := g.prefixOf(addr); got.IsValid() {
			t.Errorf("%s is counted under %s", addr, got)
		}
	}
}

func TestGateCounts(t *testing.T) {
	g := newGate(Config{MaxHandshakes: 8, MaxLinksPerPrefix: 4})
	enter := func(addr string) *ticket {
		t.Helper()
		place, err := g.enter(udp(addr))
		if err != nil {
			t.Fatal(err)
		}
		return place
	}
	full := func(addr string) {
		t.Helper()
		if _, err := g.enter(udp(addr)); err == nil {
			t.Fatal("more than allowed")
		}
	}
	if g.suspicious(udp("192.0.2.1:1")) {
		t.Fatal("suspicious of the first")
	}
	first := enter("192.0.2.1:1")
	if !g.suspicious(udp("192.0.2.2:1")) || g.suspicious(udp("198.51.100.1:1")) {
		t.Fatal("suspicious of the wrong prefix")
	}
	first.open()
	first.open()
	if g.suspicious(udp("192.0.2.2:1")) {
		t.Fatal("suspicious after the handshake")
	}
	for range 3 {
		enter("192.0.2.3:1")
	}
	full("192.0.2.4:1")
	first.leave()
	first.leave()
	again := enter("192.0.2.5:1")
	full("192.0.2.4:1")
	if !g.suspicious(udp("198.51.100.1:1")) {
		t.Fatal("not suspicious with half of all handshakes taken")
	}
	for range 4 {
		enter("127.0.0.1:1")
	}
	full("127.0.0.1:1")
	again.leave()
	enter("127.0.0.1:1")
}
