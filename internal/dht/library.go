package dht

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	alog "github.com/anacrolix/log"
)

// openServer puts the library's server behind the side's id.
func (n *Node) openServer(s *side) error {
	b := newBridge(n, s)
	server, err := dht.NewServer(&dht.ServerConfig{
		NodeId:           krpc.ID(s.ID()),
		Conn:             b,
		Passive:          n.cfg.Passive,
		StartingNodes:    func() ([]dht.Addr, error) { return n.startingNodes(s), nil },
		NoSecurity:       !n.cfg.Public,
		OnQuery:          n.onQuery,
		QueryResendDelay: n.resendDelay,
		PeerStore:        n.store,
		Store:            bep44.NewMemory(), // never reached: see onQuery
		Logger:           libraryLogger(n.cfg.Log),
		DefaultWant:      s.wants(),
		SendLimiter:      n.limiter,
	})
	if err != nil {
		return err
	}
	if old := s.server.Swap(&library{server, b}); old != nil {
		old.close()
	}
	return nil
}

// library is a server and its socket.
type library struct {
	*dht.Server
	bridge *bridge
}

// close ends the server, and then its socket: the library panics on an end
// that it does not expect.
func (l *library) close() {
	l.Server.Close()
	_ = l.bridge.Close() // never fails
}

// startingNodes is what the library falls back on with an empty table: this
// node's bootstrap nodes, never the public routers unless they are these.
func (n *Node) startingNodes(s *side) []dht.Addr {
	var out []dht.Addr
	for _, c := range n.lastResort(s) {
		out = append(out, dht.NewAddr(net.UDPAddrFromAddrPort(c.addr)))
	}
	return out
}

// onQuery sees each question before the library answers it, with the server's
// lock held: it must not block nor call the server. False refuses it in silence.
//
// The library answers find_node for info_hash instead of target, so target is
// copied there. (Only the arguments may be written to: it reads the method in a
// goroutine of its own.) BEP 44's get and put are not offered: parseMessage has
// turned them, like any unknown method, into find_node or into methodNone,
// which the library answers "method unknown".
func (n *Node) onQuery(m *krpc.Msg, _ net.Addr) bool {
	if m.A == nil || n.cfg.Passive {
		return false
	}
	switch m.Q {
	case "find_node":
		m.A.InfoHash = m.A.Target
	case "ping", "get_peers", "announce_peer", methodNone:
	default:
		return false
	}
	return true
}

func (s *side) wants() []krpc.Want {
	if s.v6 {
		return []krpc.Want{krpc.WantNodes6}
	}
	return []krpc.Want{krpc.WantNodes}
}

// arguments are a question's in the library's form.
func (q message) arguments(s *side) krpc.MsgArgs {
	args := krpc.MsgArgs{Want: s.wants()}
	switch q.method {
	case "find_node":
		args.Target = krpc.ID(q.target)
	case "get_peers":
		args.InfoHash = krpc.ID(q.infoHash)
	case "announce_peer":
		port := int(q.port)
		args.InfoHash, args.Port, args.Token = krpc.ID(q.infoHash), &port, string(q.token)
	}
	return args
}

var errNoReturn = errors.New("neither an answer nor an error")

// messageOf is an answer out of the library's form.
func messageOf(reply krpc.Msg) (message, error) {
	m := message{kind: 'e', readOnly: reply.ReadOnly}
	if e := reply.E; e != nil {
		m.code = int64(e.Code)
		return m, nil
	}
	r := reply.R
	if r == nil {
		return m, errNoReturn
	}
	m.kind, m.id = 'r', Key(r.ID)
	if ip, ok := netip.AddrFromSlice(reply.IP.IP); ok {
		m.seenAs = compact(netip.AddrPortFrom(ip.Unmap(), uint16(reply.IP.Port)))
	}
	if r.Token != nil {
		m.token, m.hasToken = []byte(*r.Token), true
	}
	for _, v := range r.Values {
		if ip, ok := netip.AddrFromSlice(v.IP); ok {
			m.values = append(m.values, compact(netip.AddrPortFrom(ip.Unmap(), uint16(v.Port))))
		}
	}
	r.ForAllNodes(func(info krpc.NodeInfo) {
		ip, ok := netip.AddrFromSlice(info.Addr.IP)
		if !ok {
			return
		}
		node := append(info.ID[:], compact(netip.AddrPortFrom(ip.Unmap(), uint16(info.Addr.Port)))...)
		if len(node) == nodeSize6 {
			m.nodes6 = append(m.nodes6, node...)
		} else {
			m.nodes = append(m.nodes, node...)
		}
	})
	return m, nil
}

// libraryLogger passes the library's warnings on, as debug messages: none of
// them needs an operator.
func libraryLogger(to *slog.Logger) alog.Logger {
	var l alog.Logger
	l.SetHandlers(logHandler{to})
	return l.WithFilterLevel(alog.Warning)
}

type logHandler struct{ to *slog.Logger }

func (h logHandler) Handle(r alog.Record) { h.to.Debug(r.Text(), "from", "dht library") }
