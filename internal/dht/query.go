package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
)

var errNoReturn = errors.New("neither an answer nor an error")

// ask sends one question and waits for the answer, which is a hint from a
// stranger.
func (n *Node) ask(ctx context.Context, to netip.AddrPort, method string, args krpc.MsgArgs) (krpc.Return, error) {
	return n.askTimes(ctx, askTries, to, method, args)
}

// askTimes sends the question up to tries times.
func (n *Node) askTimes(ctx context.Context, tries int, to netip.AddrPort, method string, args krpc.MsgArgs) (krpc.Return, error) {
	args.Want = n.wants
	res := n.server.Query(ctx, dht.NewAddr(net.UDPAddrFromAddrPort(to)), method, dht.QueryInput{
		MsgArgs:      args,
		NumTries:     tries,
		RateLimiting: dht.QueryRateLimiting{WaitOnRetries: true},
	})
	if res.Err != nil {
		if errors.Is(res.Err, dht.TransactionTimeout) {
			n.failing.add(to)
			n.heard.remove(to)
		}
		return krpc.Return{}, fmt.Errorf("%s to %s: %w", method, to, res.Err)
	}
	n.failing.remove(to)
	n.heard.renew(to)
	if fault := res.Reply.Error(); fault != nil {
		return krpc.Return{}, fmt.Errorf("%s to %s: %w", method, to, *fault)
	}
	if res.Reply.R == nil {
		return krpc.Return{}, fmt.Errorf("%s to %s: %w", method, to, errNoReturn)
	}
	if ip, ok := netip.AddrFromSlice(res.Reply.IP.IP); ok {
		n.outside.vote(to, ip.Unmap())
	}
	return *res.Reply.R, nil
}

// contactsIn are the nodes that an answer names, in reach of this socket.
func (n *Node) contactsIn(r krpc.Return) []contact {
	var out []contact
	r.ForAllNodes(func(info krpc.NodeInfo) {
		if c, ok := contactOf(info); ok && n.reach.reach(c.addr.Addr()) {
			out = append(out, c)
		}
	})
	return out
}

func contactOf(info krpc.NodeInfo) (contact, bool) {
	ip, ok := netip.AddrFromSlice(info.Addr.IP)
	return contact{
		id:    Key(info.ID),
		known: true,
		addr:  netip.AddrPortFrom(ip.Unmap(), uint16(info.Addr.Port)),
	}, ok
}

// peersIn are the peers that an answer names.
func peersIn(r krpc.Return) []netip.AddrPort {
	var out []netip.AddrPort
	for _, v := range r.Values {
		if ip, ok := netip.AddrFromSlice(v.IP); ok {
			out = append(out, netip.AddrPortFrom(ip.Unmap(), uint16(v.Port)))
		}
	}
	return out
}
