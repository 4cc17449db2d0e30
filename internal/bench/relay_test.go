package bench

import (
	"encoding/binary"
	"net"
	"testing"
	"time"
)

// TestRelay: datagrams come through both ways, each as it was, in order, and not
// before their time; a stranger's do not.
func TestRelay(t *testing.T) {
	const delay = 5 * time.Millisecond
	target, dialler, stranger := socket(t), socket(t), socket(t)
	r, err := newRelay(unmapped(target.LocalAddr().(*net.UDPAddr).AddrPort()), delay)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { r.run(); close(ended) }()
	defer func() { r.close(); <-ended }()

	began := time.Now()
	const count = 50
	for k := range count {
		send(t, dialler, r.addr().Port(), k)
	}
	var back int
	for k := range count {
		got, from := receive(t, target)
		if got != k {
			t.Fatalf("datagram %d came as %d", k, got)
		}
		back = from
	}
	if took := time.Since(began); took < delay {
		t.Errorf("it took %v, less than the delay", took)
	}
	send(t, stranger, r.addr().Port(), 99) // as loud as the dialler, and dropped
	send(t, stranger, uint16(back), 98)
	send(t, target, uint16(back), 7)
	if got, from := receive(t, dialler); got != 7 || from != int(r.addr().Port()) {
		t.Errorf("the dialler got %d from port %d", got, from)
	}
	send(t, dialler, r.addr().Port(), 8)
	if got, _ := receive(t, target); got != 8 {
		t.Errorf("the target got %d", got)
	}
}

func socket(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c *net.UDPConn, port uint16, k int) {
	t.Helper()
	if _, err := c.WriteToUDP(binary.BigEndian.AppendUint32(nil, uint32(k)), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)}); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *net.UDPConn) (k, port int) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	n, from, err := c.ReadFromUDP(b)
	if err != nil || n != 4 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	return int(binary.BigEndian.Uint32(b)), from.Port
}
