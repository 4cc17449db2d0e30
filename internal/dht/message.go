package dht

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
)

// Bounds on what a packet may carry. A longer list is cut, a longer string
// makes the packet malformed.
const (
	maxPacket  = 4096 // bytes of a datagram; larger ones are dropped unread
	maxTID     = 32
	maxToken   = 128
	maxText    = 128
	maxNodes   = 32
	maxValues  = 256
	nodeSize4  = 26 // BEP 5: 20 bytes of id, 4 of address, 2 of port
	nodeSize6  = 38 // BEP 32
	idSize     = 20
	methodNone = "unknown" // answered "method unknown" by the library
)

var errMalformed = errors.New("malformed packet")

// message is one KRPC packet (BEP 5) reduced to what this node understands.
// Byte slices point into the packet that was parsed.
type message struct {
	kind     byte // 'q', 'r' or 'e'
	tid      []byte
	readOnly bool   // BEP 43: the sender answers no queries
	seenAs   []byte // BEP 42: our own address as the sender sees it

	id    Key // of the sender; queries and replies
	token []byte

	method           string // queries
	infoHash, target Key
	port             int64 // 0: none given
	impliedPort      bool
	want4, want6     bool

	nodes, nodes6 []byte // replies: compact lists
	values        [][]byte
	hasToken      bool

	code int64 // errors
	text []byte
}

// parseMessage reads a packet. A query for a method that is none of BEP 5's is
// turned into find_node when it names a target or info_hash, as BEP 5's
// extensions expect from nodes that do not know a method, and into methodNone
// otherwise: no name chosen by a stranger goes any further.
func parseMessage(packet []byte) (message, error) {
	var m message
	var y, q []byte
	var args, ret, fault section
	s := scanner{b: packet}
	ok := s.dict(func(key string) bool {
		var ok bool
		switch key {
		case "y":
			y, ok = s.str()
		case "q":
			q, ok = s.str()
		case "t":
			m.tid, ok = s.str()
		case "ip":
			m.seenAs, ok = s.str()
		case "ro":
			var v int64
			v, ok = s.integer()
			m.readOnly = v != 0
		case "a":
			ok = args.mark(&s)
		case "r":
			ok = ret.mark(&s)
		case "e":
			ok = fault.mark(&s)
		default:
			ok = s.skip(maxDepth)
		}
		return ok
	})
	if !ok || len(y) != 1 || len(m.tid) > maxTID {
		return message{}, errMalformed
	}
	if len(m.seenAs) != 6 && len(m.seenAs) != 18 {
		m.seenAs = nil
	}
	switch m.kind = y[0]; m.kind {
	case 'q':
		ok = m.parseArgs(args.scanner(), string(q))
	case 'r':
		ok = m.parseReturn(ret.scanner())
	case 'e':
		ok = m.parseFault(fault.scanner())
	default:
		ok = false
	}
	if !ok {
		return message{}, errMalformed
	}
	return m, nil
}

// section is a part of a packet that is skipped first and read once the kind
// of the packet is known.
type section []byte

func (p *section) mark(s *scanner) bool {
	start := s.pos
	ok := s.skip(maxDepth)
	*p = s.b[start:s.pos]
	return ok
}

func (p section) scanner() *scanner { return &scanner{b: p} }

func (m *message) parseArgs(s *scanner, method string) bool {
	var hasID, hasHash, hasTarget, hasPort bool
	ok := s.dict(func(key string) bool {
		var ok bool
		switch key {
		case "id":
			m.id, hasID = s.key()
			ok = hasID
		case "info_hash":
			m.infoHash, hasHash = s.key()
			ok = hasHash
		case "target":
			m.target, hasTarget = s.key()
			ok = hasTarget
		case "token":
			m.token, ok = s.str()
		case "port":
			m.port, ok = s.integer()
			hasPort = ok
		case "implied_port":
			var v int64
			v, ok = s.integer()
			m.impliedPort = v != 0
		case "want":
			ok = s.list(func() bool {
				w, isString := s.str()
				m.want4 = m.want4 || string(w) == "n4"
				m.want6 = m.want6 || string(w) == "n6"
				return isString
			})
		default:
			ok = s.skip(maxDepth)
		}
		return ok
	})
	if !ok || !hasID || len(m.token) > maxToken || hasPort && (m.port < 0 || m.port > 65535) {
		return false
	}
	switch m.method = method; method {
	case "ping":
		return true
	case "find_node":
		return hasTarget
	case "get_peers":
		return hasHash
	case "announce_peer":
		return hasHash && (m.impliedPort || m.port != 0)
	}
	switch {
	case hasTarget:
		m.method = "find_node"
	case hasHash:
		m.method, m.target = "find_node", m.infoHash
	default:
		m.method = methodNone
	}
	return true
}

func (m *message) parseReturn(s *scanner) bool {
	var hasID bool
	ok := s.dict(func(key string) bool {
		var ok bool
		switch {
		case key == "id":
			m.id, hasID = s.key()
			ok = hasID
		case key == "token":
			m.token, ok = s.str()
			m.hasToken = ok
		case key == "nodes":
			m.nodes, ok = s.str()
			ok = ok && len(m.nodes)%nodeSize4 == 0
		case key == "nodes6":
			m.nodes6, ok = s.str()
			ok = ok && len(m.nodes6)%nodeSize6 == 0
		case key == "values" && s.peek() == 'l':
			m.values = m.values[:0]
			ok = s.list(func() bool {
				if c := s.peek(); c < '0' || c > '9' {
					return s.skip(maxDepth)
				}
				v, isString := s.str()
				if isString && (len(v) == 6 || len(v) == 18) && len(m.values) < maxValues {
					m.values = append(m.values, v)
				}
				return isString
			})
		default:
			ok = s.skip(maxDepth)
		}
		return ok
	})
	m.nodes = m.nodes[:min(len(m.nodes), maxNodes*nodeSize4)]
	m.nodes6 = m.nodes6[:min(len(m.nodes6), maxNodes*nodeSize6)]
	return ok && hasID && len(m.token) <= maxToken
}

// parseFault takes the standard list of code and text, and anything else as an
// error without either: that a query was refused is all that matters.
func (m *message) parseFault(s *scanner) bool {
	if len(s.b) == 0 {
		return false
	}
	m.code = 201
	i := 0
	ok := s.list(func() bool {
		defer func() { i++ }()
		switch c := s.peek(); {
		case i == 0 && c == 'i':
			code, isInt := s.integer()
			m.code = code
			return isInt
		case i == 1 && c >= '0' && c <= '9':
			text, isString := s.str()
			m.text = text[:min(len(text), maxText)]
			return isString
		}
		return s.skip(maxDepth)
	})
	if !ok {
		m.code, m.text = 201, nil
	}
	return true
}

func (s *scanner) key() (Key, bool) {
	b, ok := s.str()
	if !ok || len(b) != idSize {
		return Key{}, false
	}
	return Key(b), true
}

// keepUsable drops the addresses in a reply that no packet should be sent to.
func (m *message) keepUsable(usable func(netip.AddrPort) bool) {
	m.nodes = keepNodes(m.nodes, nodeSize4, usable)
	m.nodes6 = keepNodes(m.nodes6, nodeSize6, usable)
	m.values = slices.DeleteFunc(m.values, func(v []byte) bool { return !usable(compactAddr(v)) })
}

func keepNodes(list []byte, size int, usable func(netip.AddrPort) bool) []byte {
	var kept []byte
	for node := range slices.Chunk(list, size) {
		if usable(compactAddr(node[idSize:])) {
			kept = append(kept, node...)
		}
	}
	return kept
}

// compactAddr reads 4 or 16 bytes of address and 2 of port, big-endian.
func compactAddr(b []byte) netip.AddrPort {
	ip, ok := netip.AddrFromSlice(b[:len(b)-2])
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(b[len(b)-2:]))
}
