package dht

import (
	"context"
	"log/slog"
	"net"

	"github.com/anacrolix/dht/v2/krpc"
	alog "github.com/anacrolix/log"
)

// onQuery sees each query before the library answers it, with the server's
// lock held: it must not block nor call the server. False refuses the query in
// silence.
//
// The library answers find_node for info_hash instead of target, so target is
// copied there. (Only the arguments may be written to: it reads the method in a
// goroutine of its own.) BEP 44's get and put are not offered: guardedConn has
// turned them, like any unknown method, into find_node or into methodNone,
// which the library answers "method unknown".
func (n *Node) onQuery(m *krpc.Msg, source net.Addr) bool {
	if m.A == nil || n.cfg.Passive {
		return false
	}
	if addr := addrPortOf(source); !m.ReadOnly && n.pinged.add(addr) {
		select {
		case n.newcomers <- addr:
		default:
			n.pinged.remove(addr)
		}
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

// pingBack asks those who have queried us. A node counts as good for the
// library, and is told to others, only after it has answered; and whoever
// forges source addresses does not get into the table.
func (n *Node) pingBack(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case addr := <-n.newcomers:
			if _, err := n.ask(ctx, addr, "ping", krpc.MsgArgs{}); err != nil {
				n.cfg.Log.Debug("newcomer does not answer", "err", err)
			}
		}
	}
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
