package dht

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"golang.org/x/time/rate"
)

// What stands on the wire cannot be guessed from what stood there before, and
// is the same when a question is repeated.
func TestTransactionsCannotBeGuessed(t *testing.T) {
	n := start(t, Config{Rand: seeded(1), Resend: 50 * time.Millisecond})
	ready(t, n)
	s := newStranger(t)
	seen := make(map[string]bool)
	for range 5 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = n.Node.ask(t.Context(), s.addr(), message{method: "ping"}) // nobody answers
		}()
		first, _ := s.question()
		tid := slices.Clone(first.tid)
		for range askTries - 1 {
			if again, _ := s.question(); !slices.Equal(again.tid, tid) || len(tid) != 4 {
				t.Errorf("transactions %x and %x", tid, again.tid)
			}
		}
		if seen[string(tid[:3])] {
			t.Error("two transactions begin alike")
		}
		seen[string(tid[:3])] = true
		<-done
	}
}

// An answer under another transaction, or from another address, is no answer.
func TestForgedAnswersDoNotCount(t *testing.T) {
	n := start(t, Config{Rand: seeded(1)})
	ready(t, n)
	s, forger := newStranger(t), newStranger(t)
	done := make(chan error, 1)
	go func() {
		_, err := n.Node.ask(t.Context(), s.addr(), message{method: "ping"})
		done <- err
	}()
	q, from := s.question()
	answer := func(tid []byte) string {
		return "d1:rd2:id20:" + id20 + "e1:t" + string(appendString(nil, tid)) + "1:y1:re"
	}
	forger.send(from, answer(q.tid))
	wrong := slices.Clone(q.tid)
	wrong[0]++
	s.send(from, answer(wrong))
	s.expectAlive(n)
	select {
	case err := <-done:
		t.Fatalf("ended with %v", err)
	default:
	}
	s.send(from, answer(q.tid))
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An answer to get_peers has the peers and the nearest nodes, in order.
func TestAnswersTellPeersAndNodes(t *testing.T) {
	_, nodes := pool(t, 12, Config{})
	n, s, key := nodes[0], newStranger(t), Key{9}
	n.store.add(key, local(4242))
	m := s.ask(n.Addr(), "d1:ad2:id20:"+id20+"9:info_hash20:"+string(key[:])+"e1:q9:get_peers2:roi1e1:t2:aa1:y1:qe")
	if len(m.values) != 1 || !m.hasToken || len(m.nodes) < 8*nodeSize4 {
		t.Fatalf("%d peers, %d bytes of nodes", len(m.values), len(m.nodes))
	}
	for i := nodeSize4; i < len(m.nodes); i += nodeSize4 {
		if nearer(key, Key(m.nodes[i-nodeSize4:][:idSize]), Key(m.nodes[i:][:idSize])) > 0 {
			t.Error("nodes are not in the order of their distance")
		}
	}
}

// A node of the library as it comes, as others run it, and ours find each
// other's announcements.
func TestPlainLibraryNodes(t *testing.T) {
	bootstrap, nodes := pool(t, 8, Config{})
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := dht.NewServer(&dht.ServerConfig{
		NodeId: krpc.ID(Key{7, 7}), Conn: conn, NoSecurity: true, SendLimiter: rate.NewLimiter(rate.Inf, 0),
		StartingNodes: func() ([]dht.Addr, error) {
			return []dht.Addr{dht.NewAddr(net.UDPAddrFromAddrPort(bootstrap.Addr()))}, nil
		},
		DefaultWant: []krpc.Want{krpc.WantNodes},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plain.Close)
	if _, err = plain.BootstrapContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	key := ClassKey("lab", "", "x")
	announceAll(t, key, nodes[:1])

	op, err := plain.AnnounceTraversal([20]byte(key), dht.AnnouncePeer(dht.AnnouncePeerOpts{Port: 5002}))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[netip.AddrPort]bool)
	for v := range op.Peers {
		for _, p := range v.Peers {
			found[netip.MustParseAddrPort(p.String())] = true
		}
	}
	<-op.Finished()
	if !found[local(5001)] {
		t.Errorf("the library's node found %v", found)
	}
	want := []netip.AddrPort{local(5001), local(5002)}
	for i := range 20 {
		got := lookup(t, nodes[7], key)
		if slices.Equal(got, want) {
			break
		}
		if i == 19 || !pause(t.Context(), 100*time.Millisecond) {
			t.Fatalf("ours found %v", got)
		}
	}
}
