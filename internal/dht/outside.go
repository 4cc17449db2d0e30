package dht

import (
	"net/netip"
	"sync"
)

// maxVoters bounds whose word on our address is remembered.
const maxVoters = 32

// outside is what other nodes say our address is (the "ip" of BEP 42), the
// last maxVoters of them, one vote each. Votes are hints: a wrong result makes
// this node name a wrong address for itself, no more.
type outside struct {
	mu     sync.Mutex
	voters []netip.AddrPort // oldest first
	votes  map[netip.AddrPort]netip.Addr
}

func (o *outside) vote(from netip.AddrPort, ip netip.Addr) {
	if !usable(netip.AddrPortFrom(ip, 1), false) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.votes == nil {
		o.votes = make(map[netip.AddrPort]netip.Addr)
	}
	if _, voted := o.votes[from]; !voted {
		if len(o.voters) == maxVoters {
			delete(o.votes, o.voters[0])
			o.voters = append(o.voters[:0], o.voters[1:]...)
		}
		o.voters = append(o.voters, from)
	}
	o.votes[from] = ip
}

// elected is the address with the most votes; of equal ones the smallest. The
// zero Addr means that nobody has voted.
func (o *outside) elected() netip.Addr {
	o.mu.Lock()
	defer o.mu.Unlock()
	count := make(map[netip.Addr]int)
	var best netip.Addr
	for _, ip := range o.votes {
		count[ip]++
	}
	for ip, n := range count {
		if !best.IsValid() || n > count[best] || n == count[best] && ip.Less(best) {
			best = ip
		}
	}
	return best
}

// ownIP is the address under which this node believes it is reached: as others
// see it, else the socket's own unless that is a wildcard.
func (n *Node) ownIP() (netip.Addr, bool) {
	if ip := n.outside.elected(); ip.IsValid() {
		return ip, true
	}
	ip := n.local.Addr()
	return ip, ip.IsValid() && !ip.IsUnspecified()
}
