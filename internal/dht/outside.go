package dht

import (
	"net/netip"
	"sync"
)

// maxVoters bounds whose word on our address is remembered.
const maxVoters = 32

// outside is what other nodes say our address is (the "ip" of BEP 42), the
// last maxVoters of them, one vote for each address: ports cost nothing. Votes are
// hints: by a wrong result a node names a wrong address for itself, or has others
// look whether it can be reached there before it announces itself.
type outside struct {
	mu     sync.Mutex
	voters []netip.Addr // oldest first
	votes  map[netip.Addr]netip.Addr
}

func (o *outside) vote(from, ip netip.Addr) {
	if !usable(netip.AddrPortFrom(ip, 1), false) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.votes == nil {
		o.votes = make(map[netip.Addr]netip.Addr)
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
// zero Addr means that nobody has voted. It is sure when more than half of the
// voters name it.
func (o *outside) elected() (ip netip.Addr, sure bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	count := make(map[netip.Addr]int)
	for _, ip := range o.votes {
		count[ip]++
	}
	for other, n := range count {
		if !ip.IsValid() || n > count[ip] || n == count[ip] && other.Less(ip) {
			ip = other
		}
	}
	return ip, 2*count[ip] > len(o.votes)
}
