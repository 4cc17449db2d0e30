package mesh

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

// quiet tells whether nothing is being set up or torn down.
func quiet(connections int, nodes ...*Node) bool {
	for _, n := range nodes {
		n.mu.Lock()
		n.gate.mu.Lock()
		still := len(n.dials) == 0 && n.gate.handshakes == 0 && n.total == connections
		n.gate.mu.Unlock()
		n.mu.Unlock()
		if !still {
			return false
		}
	}
	return true
}

// burst opens streams on the link at once and fails unless all come back; it
// may run outside the test's goroutine.
func burst(t *testing.T, l *Link) {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() { echo(t, l, noise(1<<(4*i))) })
	}
	wg.Wait()
}

// "When both dial, the lower identity's connection wins": and no stream is
// lost on the other, however the two interleave.
func TestBothDialAtOnce(t *testing.T) {
	leakCheck(t, func(t *testing.T) {
		low, high := orderedKeys(t)
		a := testNode(t, Config{Key: low})
		b := testNode(t, Config{Key: high})
		twice := 0
		for round := range 200 {
			dialled := [2]uint64{a.nextSequence(), b.nextSequence()}
			var links [2]*Link
			start := make(chan struct{})
			var wg sync.WaitGroup
			for i, pair := range [2][2]*Node{{a, b}, {b, a}} {
				wg.Go(func() {
					<-start
					l, err := pair[0].Connect(testContext(t), pair[1].Self(), []netip.AddrPort{pair[1].Addr()})
					if err != nil {
						t.Errorf("round %d: %v", round, err)
						return
					}
					links[i] = l
					burst(t, l)
				})
			}
			close(start)
			wg.Wait()
			if t.Failed() {
				return
			}
			eventually(t, "one connection each", func() bool { return quiet(1, a, b) })
			if len(a.Links()) != 1 || len(b.Links()) != 1 || a.Links()[0] != links[0] || b.Links()[0] != links[1] {
				t.Fatalf("round %d: more links than one each, or others than the callers'", round)
			}
			if a.nextSequence() > dialled[0]+1 && b.nextSequence() > dialled[1]+1 {
				twice++
				if !links[0].latest().dialled || links[1].latest().dialled {
					t.Fatalf("round %d: the higher identity's connection won", round)
				}
			}
			burst(t, links[0])
			burst(t, links[1])
			links[0].Close()
			eventually(t, "no connection", func() bool { return quiet(0, a, b) })
		}
		if twice == 0 {
			t.Fatal("in no round both dialled: the test tests nothing")
		}
		t.Log(fmt.Sprint("rounds in which both dialled: ", twice))
	})
}

// Long streams on the losing connection run to their end, and new ones open on
// the other meanwhile.
func TestRetiredConnectionFinishesItsStreams(t *testing.T) {
	low, high := orderedKeys(t)
	a := testNode(t, Config{Key: low})
	b := testNode(t, Config{Key: high})
	l, err := b.Dial(testContext(t), a.Addr()) // will lose
	if err != nil {
		t.Fatal(err)
	}
	back := connect(t, a, b) // the same link, seen from a
	long := []*Stream{open(t, l, kindEcho), open(t, back, kindEcho)}
	losing := l.latest()
	if _, err := a.Dial(testContext(t), b.Addr()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other connection is preferred", func() bool { return l.latest() != losing })
	for range 3 {
		burst(t, l)
		burst(t, back)
	}
	if a.connections() != 2 || b.connections() != 2 {
		t.Fatalf("%d and %d connections while streams are open on both", a.connections(), b.connections())
	}
	for _, s := range long {
		if err := s.WriteFrame([]byte("patience")); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ReadFrame(100); err != nil || string(got) != "patience" {
			t.Fatalf("%q, %v", got, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "one connection each", func() bool { return quiet(1, a, b) })
	burst(t, l)
	burst(t, back)
}

// "has seen as many streams as that says": a stream that the network delivers
// after its opener's last word about the connection is served all the same.
func TestRetiredConnectionWaitsForLateStreams(t *testing.T) {
	n, err := Listen(Config{Key: testKey(t, 1), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	n.Handle(kindFrame, func(_ context.Context, s *Stream) {
		frame, failed := s.ReadFrame(100)
		got <- fmt.Sprint(string(frame), failed)
	})
	go func() { _ = n.Run(t.Context()) }()
	defer n.Close()
	h := newHostile(t, 3)
	first, second := h.dial(n), h.dial(n)
	control := h.sayAs(first, 1)
	in, _ := h.hear(first)
	h.sayAs(second, 2)
	if opened, failed := readRetire(in); failed != nil || opened != 0 {
		t.Fatalf("retired with %d streams opened, %v", opened, failed)
	}
	h.end(h.write(control, binary.BigEndian.AppendUint64(nil, 1)))
	eventually(t, "our word has arrived", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, c := range n.links[h.key.ID()][0].conns {
			if c.peerDone {
				return true
			}
		}
		return false
	})
	late, err := first.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.Write(append([]byte{byte(kindFrame), 0, 0, 0, 4}, "late"...)); err != nil {
		t.Fatal(err)
	}
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-got:
		if text != "late<nil>" {
			t.Fatal(text)
		}
	case <-testContext(t).Done():
		t.Fatal("the stream was lost")
	}
	<-first.Context().Done()
	if second.Context().Err() != nil {
		t.Fatal("the other connection was closed as well")
	}
}

// A connection that is superfluous from the start hears hello first all the same.
func TestHelloComesFirst(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1)})
	h := newHostile(t, 3)
	best := h.dial(n)
	h.sayAs(best, 1000)
	h.hear(best)
	for sequence := range uint64(100) {
		qc := h.dial(n)
		h.sayAs(qc, sequence)
		if _, who := h.hear(qc); who.instance != n.instance || who.sequence != 0 {
			t.Fatalf("hello of %x", who)
		}
		if err := qc.CloseWithError(0, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// Many callers at both ends, one attempt each end.
func TestConcurrentConnectsShare(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	var links [16]*Link
	var wg sync.WaitGroup
	for i := range links {
		wg.Go(func() { links[i] = connect(t, a, b) })
	}
	wg.Wait()
	for _, l := range links {
		if l != links[0] {
			t.Fatal("two links")
		}
	}
	if a.nextSequence() != 2 {
		t.Fatal("several connections for one link")
	}
}
