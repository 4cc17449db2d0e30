// Package dht is Angler's node in a mainline DHT (BEP 5): where providers say
// under which keys they can be reached, and where requesters look.
//
// # Story
//
// A key is a hash of (pool, cell, class); see [ClassKey]. A provider announces
// its QUIC port under the keys of its cells and classes ([Node.KeepAnnounced]);
// a requester looks up the keys of its own cell and the neighbouring ones
// ([Neighbours]) and gets addresses, as they arrive ([Node.Lookup]). An address
// is a hint and nothing more: anybody may announce under any key, any node may
// lie. Who stands behind an address is proven by the QUIC handshake and by the
// signed record that is read over it, never here.
//
// # What is whose
//
// The library, github.com/anacrolix/dht/v2, has the transactions, the routing
// table and its maintenance, the tokens and the answers. Around it stand our
// own parts, because left alone it can be killed, filled or starved:
//
//	socket
//	  │   guardedConn   parses each packet itself and hands on a rebuilt,
//	  │                 canonical one, or nothing; absorbs read errors
//	library
//	  │   onQuery       refuses what slipped through; answers find_node for
//	  │                 its target; no BEP 44
//	  ├── peerStore     ip:port, lifetime, caps a key and a source network
//	  │
//	walks               Lookup and Announce: our own iterative lookups over
//	                    the library's query primitive
//
// What the guard is there for. Seen by running v2.24.0: a query without its "a"
// dictionary dereferences nil; an "ip" field or a peer in "values" of one byte
// panics in make; a read error panics. Read in its source: each unknown method
// name grows a process-wide expvar map for ever; a malformed packet is printed
// to stderr.
//
// # Completeness
//
// The library's own lookups are partial. It answers get_peers with peers or
// with nodes, never both, and it takes nodes from the bucket of the target and
// from those farther away, never from the buckets nearer to the answering node
// itself, although the nodes there can be just as near to the target. So a walk
// asks a node that answers with peers once more for nodes, and asks the nearest
// nodes for their own neighbourhood before it is content. Several walks on
// disjoint starting points share their answers; their union is what is
// reported. An announcement goes to the 8 nearest nodes, a lookup hears at
// least the 16 nearest.
//
// A newcomer counts as good for the library only after it has answered a query
// of ours, so each node that queries us is pinged back once. Nodes that have
// only asked, under whatever id and address, are asked by walks but not waited
// for, and are not saved.
//
// # Networks
//
// A pool's network starts from Config.Bootstrap only; the public routers are
// never contacted. BEP 42 (ids bound to addresses) is enforced for Public nodes
// and off in private networks, which use private addresses. All of 127.0.0.0/8
// is exempt from the caps by network unless StoreLimits.CapLoopback is set,
// since on loopback every node has the same address.
//
// IPv4 and IPv6 both work; a node speaks the families of its socket.
package dht
