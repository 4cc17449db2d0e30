package dht

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	bridgeQueue = 256              // packets on their way to the library; more are lost, as in a full socket buffer
	bridgeOpen  = 4096             // questions remembered in each direction; beyond that any one is forgotten
	bridgeAge   = 30 * time.Second // a question that is older has no answer any more
)

// bridge is the socket as the library sees it: read puts the packets there
// that have passed all checks, rebuilt in canonical form, and what the library
// sends goes through it to the real socket. On the way it mends two things.
//
// The library counts its transactions, so a stranger could guess the next one
// and answer in another's name: here each question gets four random bytes in
// the place of the number.
//
// The library's answers tell peers or nodes, never both, and its nodes are
// unsorted and leave out whole buckets: here they are replaced by the nearest
// of our table, beside the peers.
type bridge struct {
	n      *Node
	s      *side
	in     chan parcel
	closed chan struct{}
	once   sync.Once

	mu     sync.Mutex
	asked  map[exchange]open // questions of ours, by what is on the wire
	number map[number][4]byte
	heard  map[number]message // what others asked for, by which answers are mended
}

// parcel is a packet and whose it is.
type parcel struct {
	from netip.AddrPort
	text []byte
}

// exchange is a question as it is on the wire, number as the library counts it.
type exchange struct {
	with netip.AddrPort
	tid  [4]byte
}

type number struct {
	with netip.AddrPort
	tid  string
}

type open struct {
	tid string
	at  time.Time
}

func newBridge(n *Node, s *side) *bridge {
	return &bridge{
		n: n, s: s, in: make(chan parcel, bridgeQueue), closed: make(chan struct{}),
		asked: make(map[exchange]open), number: make(map[number][4]byte), heard: make(map[number]message),
	}
}

// deliver hands a packet to the library, or loses it if that is behind.
func (b *bridge) deliver(m message, from netip.AddrPort) {
	select {
	case b.in <- parcel{from, m.append(nil)}:
	default:
		b.n.dropped.Add(1)
	}
}

// question lets the library answer a question.
func (b *bridge) question(q message, from netip.AddrPort) {
	switch q.method {
	case "find_node", "get_peers":
		key := number{from, string(q.tid)}
		b.mu.Lock()
		if len(b.heard) >= bridgeOpen {
			forgetAny(b.heard)
		}
		b.heard[key] = message{method: q.method, target: q.target, infoHash: q.infoHash, want4: q.want4, want6: q.want6}
		b.mu.Unlock()
	}
	b.deliver(q, from)
}

// answer lets the library have an answer to a question of its own.
func (b *bridge) answer(m message, from netip.AddrPort) {
	if len(m.tid) != 4 {
		return
	}
	key := exchange{from, [4]byte(m.tid)}
	b.mu.Lock()
	q, waits := b.asked[key]
	delete(b.asked, key)
	delete(b.number, number{from, q.tid})
	b.mu.Unlock()
	if !waits {
		return
	}
	m.tid = []byte(q.tid)
	m.keepUsable(func(a netip.AddrPort) bool { return usable(a, b.n.cfg.Public) })
	b.deliver(m, from)
}

// ReadFrom returns the next packet. It returns an error only after Close.
func (b *bridge) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case l := <-b.in:
		return copy(p, l.text), net.UDPAddrFromAddrPort(l.from), nil
	case <-b.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends what the library has to say.
func (b *bridge) WriteTo(p []byte, to net.Addr) (int, error) {
	m, err := parseMessage(p)
	if err != nil {
		return 0, err
	}
	addr := addrPortOf(to)
	switch m.kind {
	case 'q':
		b.n.sent.Add(1)
		tid := b.numbered(number{addr, string(m.tid)})
		m.tid = tid[:]
	case 'r':
		key := number{addr, string(m.tid)}
		b.mu.Lock()
		q, ok := b.heard[key]
		delete(b.heard, key)
		b.mu.Unlock()
		if ok {
			b.n.mend(&m, q, b.s)
		}
	}
	if _, err := b.n.conn.WriteTo(fitting(&m), net.UDPAddrFromAddrPort(addr)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// numbered is what stands on the wire for a question's number, the same each
// time that it is sent.
func (b *bridge) numbered(key number) [4]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.n.cfg.Now()
	if tid, ok := b.number[key]; ok {
		return tid
	}
	if len(b.asked) >= bridgeOpen {
		for e, q := range b.asked {
			if len(b.asked) >= bridgeOpen || now.Sub(q.at) > bridgeAge {
				delete(b.asked, e)
				delete(b.number, number{e.with, q.tid})
			}
		}
	}
	e := exchange{key.with, b.n.dice.tid()}
	for _, taken := b.asked[e]; taken; _, taken = b.asked[e] {
		e.tid = b.n.dice.tid()
	}
	b.asked[e] = open{key.tid, now}
	b.number[key] = e.tid
	return e.tid
}

// mend puts the nodes around what was asked for into an answer, of the
// families that the question wants, and leaves in it the peers of the family
// that it is sent in (BEP 32): the library dresses IPv4 addresses as IPv6.
func (n *Node) mend(m *message, q message, s *side) {
	target := q.target
	if q.method == "get_peers" {
		target = q.infoHash
	}
	count := tellNodes
	if n.cfg.Public {
		count = tellNodesPublic
	}
	m.nodes, m.nodes6 = nil, nil
	m.values = slices.DeleteFunc(m.values, func(v []byte) bool { return !s.reaches(compactAddr(v).Addr()) })
	for _, other := range n.sides {
		wanted := q.want4 && !other.v6 || q.want6 && other.v6 || !q.want4 && !q.want6 && other == s
		if !wanted {
			continue
		}
		for _, c := range other.table.around(target, count) {
			node := append(c.id[:], compact(c.addr)...)
			if other.v6 {
				m.nodes6 = append(m.nodes6, node...)
			} else {
				m.nodes = append(m.nodes, node...)
			}
		}
	}
}

// fitting encodes a message into a datagram that is not cut on the way: IPv6
// addresses are long.
func fitting(m *message) []byte {
	packet := m.append(nil)
	for len(packet) > maxAnswer && len(m.values) > 0 {
		m.values = m.values[:len(m.values)*3/4]
		packet = m.append(packet[:0])
	}
	return packet
}

func forgetAny[K comparable, V any](m map[K]V) {
	for k := range m {
		delete(m, k)
		return
	}
}

// Close ends ReadFrom. The real socket is the node's to close.
func (b *bridge) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func (b *bridge) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(b.n.local) }
func (b *bridge) SetDeadline(time.Time) error      { return nil }
func (b *bridge) SetReadDeadline(time.Time) error  { return nil }
func (b *bridge) SetWriteDeadline(time.Time) error { return nil }
