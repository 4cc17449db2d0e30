// Package dht is Angler's node in a mainline DHT (BEP 5): where providers say
// under which keys they can be reached, and where requesters look.
//
// # Story
//
// A key is a hash of (pool, cell, class); see [ClassKey]. A provider announces
// its QUIC port under the keys of its classes in its cell and in all cells that
// contain it, up to the whole world ([Announced], [Node.KeepAnnounced]). A
// requester searches rings of cells, its own and the eight around it at each
// precision, until it has found enough ([Rings], [Node.Search]), and gets
// addresses as they arrive. An address is a hint and nothing more: anybody may
// announce under any key, any node may lie. Who stands behind an address is
// proven by the QUIC handshake and by the signed record that is read over it,
// never here.
//
// # What is whose
//
// The library, github.com/anacrolix/dht/v2, has the transactions, the tokens,
// the answers and the maintenance of a routing table. Around it stand our own
// parts, because left alone it can be killed, filled or starved:
//
//	socket
//	  │   read          parses each packet; refuses networks that ask too much;
//	  │                 absorbs read errors
//	  │   bridge        hands on a rebuilt, canonical packet; puts random bytes
//	  │                 in the place of counted transactions; puts the nearest
//	  │                 nodes into answers, beside the peers
//	library's Server, one for each address family (BEP 32)
//	  │   onQuery       refuses what slipped through; answers find_node for
//	  │                 its target; no BEP 44
//	  ├── peerStore     ip:port, lifetime, caps a key and a source network
//	  │
//	table               which nodes answered, and when last
//	walks               our own iterative lookups over the library's queries: walk
//	                    asks (questions), each of its paths (frontier) says whom
//	sample              which of the addresses heard are handed out, and when
//
// What the guard is there for. Seen by running v2.24.0: a query without its "a"
// dictionary dereferences nil; an "ip" field or a peer in "values" of one byte
// panics in make; a read error panics. Read in its source: each unknown method
// name grows a process-wide expvar map for ever; a malformed packet is printed
// to stderr; a node of the table that has died is kept, and told to others, for
// a quarter of an hour, which is why what is told comes from a table of our own
// whose nodes are asked in turn whether they are there.
//
// # Completeness
//
// The library's own lookups are partial. It answers get_peers with peers or
// with nodes, never both, and it takes nodes from the bucket of the target and
// from those farther away, never from the buckets nearer to the answering node
// itself. Nodes of ours tell both, the nearest first; of others a walk asks
// once more. Several paths from disjoint starting points share their answers;
// their union is what is reported. An announcement goes to the 8 nearest nodes
// at least, a lookup hears at least the 16 nearest. A node that is slow is
// passed by, and heard if it answers in time.
//
// # Hostile nodes
//
// Who floods a key, tells of peers or of nodes that do not exist, or gathers
// around a key is met in the peerStore, in the sample, and in the walks: words
// is whose word is worth nothing, rank whom a path asks first and who counts as
// an answer, and spread puts nodes that are too many for where they stand behind
// the others, whenever nodes are told, asked or announced to. docs/discovery.md
// says against what each stands, and what is left.
//
// Nobody is in the table, and is told to others, who has not answered a
// question: each node that asks us is pinged back once. A table's living nodes
// are never pushed out by new ones.
//
// # Networks
//
// A pool's network starts from Config.Bootstrap only. [Mainline] among them is
// the public DHT, with BEP 42 (ids bound to addresses) enforced in the table and
// in walks; private networks leave it off, since private addresses are exempt
// from it. All of 127.0.0.0/8 is exempt from the caps by network unless
// StoreLimits.CapLoopback is set: on loopback every node has the same address.
package dht
