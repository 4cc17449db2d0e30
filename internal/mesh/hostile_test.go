package mesh

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// hostile is a peer that speaks QUIC and TLS but not this package.
type hostile struct {
	t         testing.TB
	key       *identity.Key
	transport *quic.Transport
	instances atomic.Uint64 // each connection claims to be of another
}

func newHostile(t testing.TB, seed uint64) *hostile {
	t.Helper()
	conn, err := bind("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{t: t, key: testKey(t, seed), transport: &quic.Transport{Conn: conn}}
	t.Cleanup(func() {
		_ = h.transport.Close()
		_ = conn.Close()
	})
	return h
}

// tls returns a client configuration that this package would accept.
func (h *hostile) tls() *tls.Config {
	h.t.Helper()
	cert, err := h.key.Certificate()
	if err != nil {
		h.t.Fatal(err)
	}
	return clientTLS(cert, h.key.ID(), identity.PeerID{})
}

func (h *hostile) dial(n *Node) *quic.Conn {
	h.t.Helper()
	qc, err := h.transport.Dial(testContext(h.t), net.UDPAddrFromAddrPort(n.Addr()), h.tls(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return qc
}

// say opens the control stream and says hello and more on it.
func (h *hostile) say(qc *quic.Conn, more []byte) *quic.SendStream {
	h.t.Helper()
	control, err := qc.OpenUniStream()
	if err != nil {
		h.t.Fatal(err)
	}
	var who hello
	binary.BigEndian.PutUint64(who.instance[:], h.instances.Add(1))
	h.write(control, append(appendHello(nil, who), more...))
	return control
}

// sayAs says hello as the one instance, on its connection of that sequence.
func (h *hostile) sayAs(qc *quic.Conn, sequence uint64) *quic.SendStream {
	h.t.Helper()
	control := h.open(qc)
	return h.write(control, appendHello(nil, hello{sequence: sequence}))
}

// hear reads the other side's hello.
func (h *hostile) hear(qc *quic.Conn) (*quic.ReceiveStream, hello) {
	h.t.Helper()
	in, err := qc.AcceptUniStream(testContext(h.t))
	if err != nil {
		h.t.Fatal(err)
	}
	who, err := readHello(in)
	if err != nil {
		h.t.Fatal(err)
	}
	return in, who
}

func TestGarbageOnTheControlStream(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1), Handshake: 3 * time.Second})
	honest := connect(t, testNode(t, Config{Key: testKey(t, 2)}), n)
	h := newHostile(t, 3)
	retire := binary.BigEndian.AppendUint64(nil, 0)
	for name, misbehave := range map[string]func(qc *quic.Conn){
		"no control stream":    func(*quic.Conn) {},
		"no hello":             func(qc *quic.Conn) { h.open(qc) },
		"half a hello":         func(qc *quic.Conn) { h.write(h.open(qc), make([]byte, helloSize-1)) },
		"hello cut short":      func(qc *quic.Conn) { h.end(h.write(h.open(qc), make([]byte, helloSize-1))) },
		"hello reset":          func(qc *quic.Conn) { h.write(h.open(qc), nil).CancelWrite(9) },
		"end before retire":    func(qc *quic.Conn) { h.end(h.say(qc, nil)) },
		"retire cut short":     func(qc *quic.Conn) { h.end(h.say(qc, retire[:7])) },
		"more after retire":    func(qc *quic.Conn) { h.say(qc, append(retire, 1)) },
		"done before we are":   func(qc *quic.Conn) { h.end(h.say(qc, retire)) },
		"stream after retire":  func(qc *quic.Conn) { h.say(qc, retire); h.stream(qc) },
		"streams after retire": func(qc *quic.Conn) { h.stream(qc); h.say(qc, retire); h.stream(qc) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // two of them wait for a timeout
			qc := h.dial(n)
			misbehave(qc)
			select {
			case <-qc.Context().Done():
			case <-testContext(t).Done():
				t.Fatal("tolerated for ever")
			}
			echo(t, honest, []byte(name))
		})
	}
	t.Cleanup(func() { // after the parallel tests
		eventually(t, "only the honest link is left", func() bool { return quiet(1, n) })
	})
}

// A peer that has said that it opens no more streams and does is caught also
// when its word has arrived long before.
func TestStreamAfterRetire(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1)})
	h := newHostile(t, 3)
	qc := h.dial(n)
	h.say(qc, make([]byte, retireSize))
	eventually(t, "the word has arrived", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		links := n.links[h.key.ID()]
		return len(links) == 1 && links[0].conns[0].peerQuit
	})
	h.stream(qc)
	select {
	case <-qc.Context().Done():
	case <-testContext(t).Done():
		t.Fatal("tolerated")
	}
	closed, ok := errors.AsType[*quic.ApplicationError](context.Cause(qc.Context()))
	if !ok || !closed.Remote || closed.ErrorCode != codeGarbage {
		t.Fatalf("closed with %v", context.Cause(qc.Context()))
	}
}

func (h *hostile) open(qc *quic.Conn) *quic.SendStream {
	control, err := qc.OpenUniStream()
	if err != nil {
		h.t.Error(err)
	}
	return control
}

func (h *hostile) write(s *quic.SendStream, p []byte) *quic.SendStream {
	if _, err := s.Write(p); err != nil {
		h.t.Error(err)
	}
	return s
}

func (h *hostile) end(s *quic.SendStream) {
	if err := s.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *hostile) stream(qc *quic.Conn) {
	s, err := qc.OpenStream()
	if err != nil {
		h.t.Error(err)
		return
	}
	_, _ = s.Write([]byte{byte(kindHold)}) // fails where the other side was quicker
}

// A stream that says nothing, or garbage, ends alone.
func TestGarbageOnStreams(t *testing.T) {
	t.Parallel()
	n := testNode(t, Config{Key: testKey(t, 1), Handshake: 3 * time.Second})
	h := newHostile(t, 3)
	qc := h.dial(n)
	h.say(qc, nil)
	stream := func() *quic.Stream {
		t.Helper()
		s, err := qc.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	silent := stream() // made known to the other side by the next
	for _, c := range []struct {
		sent string
		code quic.StreamErrorCode
	}{
		{"\x00", streamUnknown},
		{"\xff\x01\x02", streamUnknown},
		{"", streamReset},
		{"\x03\xff\xff\xff\xff", streamReset},
	} {
		s := stream()
		if _, err := io.WriteString(s, c.sent); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := io.ReadAll(s)
		wantError(t, err, &quic.StreamError{StreamID: s.StreamID(), ErrorCode: c.code, Remote: true})
	}
	_, err := io.ReadAll(silent)
	wantError(t, err, &quic.StreamError{StreamID: silent.StreamID(), ErrorCode: streamReset, Remote: true})
	if qc.Context().Err() != nil || n.connections() != 1 {
		t.Fatal("garbage on a stream ended the link")
	}
}

func TestBadCertificates(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1), Admit: func(id identity.PeerID, _ netip.AddrPort) error {
		t.Errorf("asked about %s", id.Short())
		return nil
	}})
	h := newHostile(t, 3)
	good := h.tls().Certificates[0]
	curve, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(crand.Reader, template, template, curve.Public(), curve)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*tls.Config){
		"none": func(c *tls.Config) { c.Certificates = nil },
		"two": func(c *tls.Config) {
			c.Certificates[0].Certificate = append([][]byte{}, good.Certificate[0], good.Certificate[0])
		},
		"not Ed25519": func(c *tls.Config) {
			c.Certificates[0] = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: curve}
		},
		"not its own":   func(c *tls.Config) { c.Certificates[0].Certificate = stolen(t) },
		"this node's":   func(c *tls.Config) { c.Certificates[0] = n.cert },
		"another ALPN":  func(c *tls.Config) { c.NextProtos = []string{"h3"} },
		"no ALPN":       func(c *tls.Config) { c.NextProtos = nil },
		"not parseable": func(c *tls.Config) { c.Certificates[0].Certificate = [][]byte{{0x30, 0x00}} },
	} {
		t.Run(name, func(t *testing.T) {
			c := h.tls()
			c.VerifyConnection = nil
			change(c)
			qc, err := h.transport.Dial(testContext(t), net.UDPAddrFromAddrPort(n.Addr()), c, nil)
			if err != nil {
				return // refused in the handshake
			}
			select { // in TLS 1.3 the client learns only afterwards
			case <-qc.Context().Done():
			case <-testContext(t).Done():
				t.Fatal("accepted")
			}
		})
	}
	if n.connections() != 0 {
		t.Fatal("a link was left")
	}
}

// stolen returns the certificate of a key that nobody in the test holds.
func stolen(t testing.TB) [][]byte {
	t.Helper()
	cert, err := testKey(t, 99).Certificate()
	if err != nil {
		t.Fatal(err)
	}
	return cert.Certificate
}

// "Session tickets and 0-RTT off, so that each link proves the key."
func TestNoSessionTickets(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1)})
	h := newHostile(t, 3)
	c := h.tls()
	c.ClientSessionCache = noSessions{t}
	c.ServerName = "n"
	for range 2 {
		qc, err := h.transport.DialEarly(testContext(t), net.UDPAddrFromAddrPort(n.Addr()), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.say(qc, nil)
		h.hear(qc)
		if state := qc.ConnectionState(); state.Used0RTT || state.TLS.DidResume {
			t.Fatal("a connection that proved nothing")
		}
		if err := qc.CloseWithError(0, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// noSessions is a session cache that must not be given any.
type noSessions struct{ t testing.TB }

func (noSessions) Get(string) (*tls.ClientSessionState, bool) { return nil, false }

func (s noSessions) Put(_ string, state *tls.ClientSessionState) {
	if state != nil {
		s.t.Error("got a session ticket")
	}
}

func TestGarbageDatagrams(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1)})
	l := connect(t, testNode(t, Config{Key: testKey(t, 2)}), n)
	conn, err := net.Dial("udp", n.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	initial := []byte{0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x96}
	for i := range 3000 {
		packet := make([]byte, rnd.IntN(1400))
		for j := range packet {
			packet[j] = byte(rnd.Uint32())
		}
		switch i % 4 {
		case 0: // looks like an Initial of QUIC version 1
			packet = append(initial, packet...)
		case 1: // looks like a packet of a connection
			packet = append([]byte{0x40}, packet...)
		case 2: // asks for another version
			packet = append([]byte{0xc0, 0xfa, 0xce, 0xb0, 0x0c}, packet...)
		}
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
	echo(t, l, noise(1<<16))
	if n.connections() != 1 {
		t.Fatalf("%d connections", n.connections())
	}
}
