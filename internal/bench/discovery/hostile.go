package discovery

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"

	"github.com/angler-dex/angler/internal/dht"
)

// harm is what a hostile node does.
type harm int

const (
	honest harm = iota
	drops
	lies
	floods
	conspires // lies, and agrees with others on it; only in tests
)

const (
	lieValues  = 64 // providers that do not exist, an answer
	lieNodes   = 16
	parties    = 6  // into which conspirators divide: all of one tell of the same providers
	floodPorts = 24 // announcements in the place of one
)

// gang is what hostile nodes know of each other.
type gang struct {
	mu    sync.Mutex
	rng   *rand.Rand
	liars []netip.AddrPort
}

func (g *gang) join(addr netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.liars = append(g.liars, addr)
}

// crook is the socket of a hostile node: a real node behind it joins the
// network and answers pings, while the crook takes the other packets away, or
// multiplies them. Packets of our own nodes are canonical, so it looks for the
// fields where they stand instead of parsing.
type crook struct {
	*wire
	gang *gang
	harm harm
	id   func() dht.Key
}

func (c *crook) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.wire.ReadFrom(b)
		if err != nil || !c.take(b[:n], from) {
			return n, from, err
		}
	}
}

// take deals with a packet itself, or leaves it to the node.
func (c *crook) take(packet []byte, from net.Addr) bool {
	method := methodOf(packet)
	switch {
	case method == "" || method == "ping":
		return false
	case c.harm == drops:
		return true
	case c.harm == lies, c.harm == conspires:
		c.lie(packet, method, from)
		return true
	}
	return false
}

// lie answers a question for a key.
func (c *crook) lie(packet []byte, method string, to net.Addr) {
	_, tid, ok1 := bytes.Cut(packet[bytes.LastIndex(packet, []byte("e1:q")):], []byte("1:t4:"))
	field := "9:info_hash20:"
	if method == "find_node" {
		field = "6:target20:"
	}
	_, key, ok2 := bytes.Cut(packet, []byte(field))
	if !ok1 || !ok2 || len(tid) < 4 || len(key) < 20 {
		return
	}
	id := c.id()
	out := fmt.Appendf(nil, "d1:rd2:id20:%s", id[:])
	c.gang.mu.Lock()
	if method != "announce_peer" {
		out = fmt.Appendf(out, "5:nodes%d:", lieNodes*26)
		for i := range lieNodes {
			near := [20]byte(key[:20])
			binary.BigEndian.PutUint32(near[16:], c.gang.rng.Uint32())
			addr := nobody(c.gang.rng)
			if (i%2 == 0 || c.harm == conspires) && len(c.gang.liars) > 0 {
				addr = c.gang.liars[c.gang.rng.IntN(len(c.gang.liars))]
			}
			out = appendCompact(append(out, near[:]...), addr)
		}
	}
	if method == "get_peers" {
		out = append(out, "5:token1:x6:valuesl"...)
		rng := c.gang.rng
		if c.harm == conspires {
			rng = rand.New(rand.NewPCG(uint64(id[19]%parties), 2))
		}
		for range lieValues {
			out = appendCompact(append(out, "6:"...), nobody(rng))
		}
		out = append(out, 'e')
	}
	c.gang.mu.Unlock()
	out = fmt.Appendf(out, "e1:t4:%s1:y1:re", tid[:4])
	_, _ = c.wire.WriteTo(out, to) // a lost lie is no loss
}

// nobody is an address at which nobody listens, of a network of its own.
func nobody(rng *rand.Rand) netip.AddrPort {
	r := rng.Uint32()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 200 | byte(r>>24)&0x3f, byte(r >> 16), byte(r >> 8)}), 1+uint16(r)|1024)
}

func (c *crook) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.harm == floods && methodOf(b) == "announce_peer" {
		head, tail, ok := bytes.Cut(b, []byte("4:porti"))
		_, tail, ok2 := bytes.Cut(tail, []byte("e"))
		for port := range floodPorts {
			if ok && ok2 {
				more := append(fmt.Appendf(bytes.Clone(head), "4:porti%de", 20000+port), tail...)
				_, _ = c.wire.WriteTo(more, to)
			}
		}
	}
	return c.wire.WriteTo(b, to)
}

func methodOf(packet []byte) string {
	i := bytes.LastIndex(packet, []byte("e1:q"))
	if i < 0 {
		return ""
	}
	for _, m := range []string{"4:ping", "9:find_node", "9:get_peers", "13:announce_peer"} {
		if bytes.HasPrefix(packet[i+4:], []byte(m)) {
			_, name, _ := bytes.Cut([]byte(m), []byte(":"))
			return string(name)
		}
	}
	return ""
}

func appendCompact(dst []byte, a netip.AddrPort) []byte {
	ip := a.Addr().As4()
	return binary.BigEndian.AppendUint16(append(dst, ip[:]...), a.Port())
}
