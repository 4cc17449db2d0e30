package dht

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
)

func TestGarbageLeavesTheNodeAlive(t *testing.T) {
	n := start(t, Config{Rand: seeded(1), SendRate: 1e6, SendBurst: 1 << 20})
	ready(t, n)
	s := newStranger(t)
	for _, packet := range malformedPackets {
		s.send(n.Addr(), packet)
		s.expectAlive(n)
	}
	if got := int(n.Stats().PacketsDropped); got < len(malformedPackets) {
		t.Errorf("%d packets dropped, sent %d", got, len(malformedPackets))
	}
	for _, c := range packetVectors {
		s.send(n.Addr(), c.in)
	}
	s.send(n.Addr(), strings.Repeat("d", 60000))
	s.send(n.Addr(), "d1:x60000:"+strings.Repeat("x", 60000)+"e")

	// Every truncation and single-byte change of the good ones.
	rng := rand.New(seeded(3))
	for _, c := range packetVectors {
		for i := range len(c.in) {
			s.send(n.Addr(), c.in[:i])
			changed := []byte(c.in)
			changed[i] = byte(rng.Uint32())
			s.send(n.Addr(), string(changed))
		}
		if err := drain(s.conn); err != nil {
			t.Fatal(err)
		}
	}
	for range 2000 {
		noise := make([]byte, rng.IntN(1500))
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		if len(noise) > 0 {
			noise[0] = 'd'
		}
		s.send(n.Addr(), string(noise))
	}
	if err := drain(s.conn); err != nil {
		t.Fatal(err)
	}
	s.expectAlive(n)
}

// A hostile node answers questions with packets that are wrong in every way.
func TestWrongAnswersLeaveTheNodeAlive(t *testing.T) {
	t.Parallel()
	n := start(t, Config{Rand: seeded(1), Resend: 100 * time.Millisecond})
	ready(t, n)
	s := newStranger(t)
	answers := []string{
		"d1:rd2:id20:" + id20 + "6:valuesl1:aee1:t%1:y1:re", "d2:ip1:a1:rd2:id20:" + id20 + "e1:t%1:y1:re",
		"d1:rd2:id20:" + id20 + "5:nodes3:abce1:t%1:y1:re", "d1:rde1:t%1:y1:re", "d1:t%1:y1:re", "d1:ele1:t%1:y1:ee",
		"d1:e0:1:t%1:y1:ee", "d1:rd2:id20:" + id20 + "5:tokeni1ee1:t%1:y1:re", "d1:rd2:id20:" + id20 + "6:valuesi1ee1:t%1:y1:re",
		"d1:q4:ping1:t%1:y1:qe", "d1:t%1:y1:ze", "", "d1:rd2:id20:" + id20 + "1:vi1e3:seqi1ee1:t%1:y1:re",
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, answer := range answers {
		done := make(chan error, 1)
		go func() {
			_, err := n.Node.ask(ctx, s.addr(), message{method: "get_peers", infoHash: Key{1}})
			done <- err
		}()
		m, from := s.question()
		s.send(from, strings.ReplaceAll(answer, "%", string(appendString(nil, m.tid))))
		if answer != "" {
			s.expectAlive(n)
		}
		<-done                                //nolint:errcheck // whatever came of the question
		if err := drain(s.conn); err != nil { // of the question's repetition
			t.Fatal(err)
		}
	}
}

// find_node is answered for its target (the library alone would answer for an
// info_hash of zeros), get as if it were find_node, put and what is unknown by
// an error.
func TestQueriesAreAnsweredForTheirTarget(t *testing.T) {
	_, nodes := pool(t, 7, Config{}) // few enough for each to know all
	n, s := nodes[0], newStranger(t)
	for _, other := range nodes[1:] {
		query := "d1:ad2:id20:" + id20 + "6:target20:" + string(other.key()) + "e1:q9:find_node2:roi1e1:t2:aa1:y1:qe"
		if m := s.ask(n.Addr(), query); m.kind != 'r' || !strings.Contains(string(m.nodes), string(other.key())) {
			t.Errorf("find_node of %s is answered %q", other.ID(), m.append(nil))
		}
		get := strings.Replace(query, "9:find_node", "3:get", 1)
		if m := s.ask(n.Addr(), get); m.kind != 'r' || m.hasToken || !strings.Contains(string(m.nodes), string(other.key())) {
			t.Errorf("get of %s is answered %q", other.ID(), m.append(nil))
		}
	}
	for _, method := range []string{"put", "vote"} {
		m := s.ask(n.Addr(), "d1:ad2:id20:"+id20+"5:token1:a1:vi1ee1:q"+string(appendString(nil, method))+"2:roi1e1:t2:aa1:y1:qe")
		if m.kind != 'e' || m.code != krpc.ErrorCodeMethodUnknown {
			t.Errorf("%s is answered %q", method, m.append(nil))
		}
	}
}

func TestAnnouncingTakesAToken(t *testing.T) {
	n, s := start(t, Config{Rand: seeded(1)}), newStranger(t)
	ready(t, n)
	key := Key{7}
	announce := func(token string) string {
		return "d1:ad2:id20:" + id20 + "9:info_hash20:" + string(key[:]) + "4:porti4242e5:token" + string(appendString(nil, token)) + "e1:q13:announce_peer2:roi1e1:t2:bb1:y1:qe"
	}
	s.send(n.Addr(), announce("guess"))
	s.expectAlive(n)
	if _, peers := n.store.size(); peers != 0 {
		t.Error("an announcement without a token is stored")
	}
	m := s.ask(n.Addr(), "d1:ad2:id20:"+id20+"9:info_hash20:"+string(key[:])+"e1:q9:get_peers2:roi1e1:t2:aa1:y1:qe")
	if !m.hasToken {
		t.Fatal("no token")
	}
	if m = s.ask(n.Addr(), announce(string(m.token))); m.kind != 'r' {
		t.Fatalf("announcement answered %q", m.append(nil))
	}
	limit, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(stored(n.store, key)) == 0 {
		if !pause(limit, time.Millisecond) {
			t.Fatal("never stored")
		}
	}
	if got, want := lookup(t, n, key), []netip.AddrPort{local(4242)}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// A stranger is put into the table and told to others only after it has
// answered a question of ours; a read-only one never.
func TestNewcomersArePingedBack(t *testing.T) {
	n, s, passive := start(t, Config{Rand: seeded(1)}), newStranger(t), newStranger(t)
	ready(t, n)
	passive.expectAlive(n)
	s.send(n.Addr(), strings.Replace(ping, "2:roi1e", "", 1))
	m, from := s.question()
	if m.method != "ping" || from != n.Addr() {
		t.Fatalf("asked %q", m.append(nil))
	}
	if got := n.Stats().GoodNodes; got != 0 {
		t.Errorf("%d good nodes before the answer", got)
	}
	s.send(from, "d1:rd2:id20:"+id20+"e1:t"+string(appendString(nil, m.tid))+"1:y1:re")
	s.expectAlive(n)
	limit, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for n.Stats().GoodNodes == 0 { // the library takes notice behind the answer
		if !pause(limit, time.Millisecond) {
			t.Fatal("the newcomer never became good")
		}
	}
	if got := n.Stats(); got.GoodNodes != 1 || got.Nodes != 1 {
		t.Errorf("%d nodes, %d good, want the one", got.Nodes, got.GoodNodes)
	}
}

// faulty is a socket whose reads fail for a while.
type faulty struct {
	net.PacketConn
	failures atomic.Int64
}

func (f *faulty) ReadFrom(p []byte) (int, net.Addr, error) {
	if f.failures.Add(-1) >= 0 {
		return 0, nil, &net.OpError{Op: "read", Net: "udp", Err: syscall.ENETDOWN}
	}
	return f.PacketConn.ReadFrom(p)
}

func TestReadErrorsAreWaitedOut(t *testing.T) {
	conn := &faulty{PacketConn: listen(t)}
	conn.failures.Store(5)
	n, s := start(t, Config{Conn: conn, Rand: seeded(1)}), newStranger(t)
	ready(t, n)
	s.expectAlive(n)
	if got := n.Stats().SocketErrors; got != 5 {
		t.Errorf("%d read errors counted, want 5", got)
	}
}

func TestRunReportsASocketThatWasClosedUnderIt(t *testing.T) {
	conn := listen(t)
	n, err := New(Config{Conn: conn, Rand: seeded(1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(t.Context()) }()
	if err := n.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("run: %v", err)
	}
	if err := n.Lookup(t.Context(), []Key{{1}}, func(netip.AddrPort) bool { return true }); !errors.Is(err, ErrStopped) {
		t.Errorf("lookup on a stopped node: %v", err)
	}
	if err := n.Announce(t.Context(), Key{1}, 1); !errors.Is(err, ErrStopped) {
		t.Errorf("announce on a stopped node: %v", err)
	}
	if err := n.Run(t.Context()); err == nil {
		t.Error("a node ran twice")
	}
}

// A packet that arrives while a node stops must not keep it from stopping: the
// library's reader then ends without asking for another one.
func TestStoppingUnderFire(t *testing.T) {
	for i := range uint64(10) {
		n, s, cease := start(t, Config{Rand: seeded(i)}), newStranger(t), make(chan struct{})
		ready(t, n)
		var firing sync.WaitGroup
		firing.Go(func() {
			for !isClosed(cease) {
				_, _ = s.conn.WriteTo([]byte(ping), net.UDPAddrFromAddrPort(n.Addr())) // nobody may be there any more
			}
		})
		s.expectAlive(n)
		n.kill()
		close(cease)
		firing.Wait()
	}
}

// The library tells peers or nodes, not both. A node that tells peers is asked
// for nodes as well: there may be more to find with them.
func TestPeersDoNotHideNodes(t *testing.T) {
	key := Key{7}
	hidden := start(t, Config{Rand: seeded(1)})
	ready(t, hidden)
	hidden.store.add(key, local(4242))

	front := newStranger(t)
	requester := start(t, Config{Bootstrap: []string{front.addr().String()}, Passive: true, Rand: seeded(2)})
	done := make(chan []netip.AddrPort, 1)
	go func() {
		var found []netip.AddrPort
		err := requester.Lookup(t.Context(), []Key{key}, func(a netip.AddrPort) bool {
			found = append(found, a)
			return true
		})
		if err != nil {
			t.Error(err)
		}
		slices.SortFunc(found, netip.AddrPort.Compare)
		done <- found
	}()
	compact := func(addr netip.AddrPort) string {
		return string(addr.Addr().AsSlice()) + string([]byte{byte(addr.Port() >> 8), byte(addr.Port())})
	}
	for {
		select {
		case found := <-done:
			if want := []netip.AddrPort{local(4141), local(4242)}; !slices.Equal(found, want) {
				t.Errorf("found %v, want %v", found, want)
			}
			return
		default:
		}
		q, from, ok := front.questionWithin(50 * time.Millisecond)
		if !ok {
			continue
		}
		body := ""
		switch {
		case q.method == "get_peers":
			body = "6:valuesl6:" + compact(local(4141)) + "e"
		case q.method == "find_node" && q.target == key:
			body = "5:nodes26:" + string(hidden.key()) + compact(hidden.Addr())
		}
		front.send(from, "d1:rd2:id20:"+id20+body+"e1:t"+string(appendString(nil, q.tid))+"1:y1:re")
	}
}
