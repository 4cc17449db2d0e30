package dht

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A process of its own for a node: this test binary with a word in its
// environment. It prints its address, then "announced", and lives as long as
// its standard input.
const childEnv = "ANGLER_DHT_TEST_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := child(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child runs a node as told: "bootstrap-address port", each may be "-".
func child(spec string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	bootstrap, port, _ := strings.Cut(spec, " ")
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	cfg := Config{Conn: conn, Resend: time.Second}
	if bootstrap != "-" {
		cfg.Bootstrap = []string{bootstrap}
	}
	n, err := New(cfg)
	if err != nil {
		return err
	}
	fmt.Println(conn.LocalAddr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is what matters
		stop()
	}()
	if p, err := strconv.Atoi(port); err == nil {
		go func() { _ = n.KeepAnnounced(ctx, func() []Key { return []Key{processKey} }, p) }() // ends with the process
		go func() {
			for n.Stats().LastAnnounce.IsZero() && pause(ctx, 10*time.Millisecond) {
			}
			fmt.Println("announced")
		}()
	}
	return n.Run(ctx)
}

var processKey = ClassKey("processes", "", "x")

// process is a child.
type process struct {
	addr netip.AddrPort
	cmd  *exec.Cmd
	out  *bufio.Scanner
}

func spawn(t *testing.T, bootstrap, port string) process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+bootstrap+" "+port)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := process{cmd: cmd, out: bufio.NewScanner(out)}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // killed, or ended with its input
	})
	if p.addr, err = netip.ParseAddrPort(p.line(t)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p process) line(t *testing.T) string {
	t.Helper()
	if !p.out.Scan() {
		t.Fatalf("a node has ended: %v", p.out.Err())
	}
	return p.out.Text()
}

func (p process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed
}

// Nodes in processes of their own: what they announce is found by each of many
// requesters, also after the bootstrap node and others were killed.
func TestSeparateProcesses(t *testing.T) {
	t.Parallel()
	first := spawn(t, "-", "-")
	var others, providers []process
	for range 12 {
		others = append(others, spawn(t, first.addr.String(), "-"))
	}
	var want []netip.AddrPort
	for i := range 5 {
		p := spawn(t, first.addr.String(), strconv.Itoa(6001+i))
		providers = append(providers, p)
		want = append(want, local(6001+i))
	}
	for _, p := range providers {
		if got := p.line(t); got != "announced" {
			t.Fatalf("a provider says %q", got)
		}
	}
	look := func(requesters int, through netip.AddrPort) {
		t.Helper()
		for i := range requesters {
			r := start(t, Config{Bootstrap: []string{through.String()}, Passive: true, Rand: seeded(uint64(i))})
			ready(t, r)
			if got := lookup(t, r, processKey); !slices.Equal(got, want) {
				t.Errorf("requester %d found %v", i, got)
			}
			r.kill()
		}
	}
	look(20, first.addr)
	first.kill(t)
	for _, p := range others[:3] {
		p.kill(t)
	}
	look(10, others[11].addr)
}

// Garbage as fast as loopback gives it, for two seconds or as long as
// ANGLER_DHT_GARBAGE says: the node lives, and its memory stays.
func TestGarbageDoesNotFillTheMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Log("memory is measured on Linux only")
	}
	long := 2 * time.Second
	if d, err := time.ParseDuration(os.Getenv("ANGLER_DHT_GARBAGE")); err == nil {
		long = d
	}
	n := spawn(t, "-", "-")
	s := newStranger(t)
	if m := s.ask(n.addr, ping); m.kind != 'r' {
		t.Fatal("no answer")
	}
	before := residentMemory(t, n.cmd.Process.Pid)
	sent := litter(t, n.addr, long)
	if err := drain(s.conn); err != nil {
		t.Fatal(err)
	}
	alive := false
	for range 50 { // a full socket buffer loses pings
		s.send(n.addr, ping)
		if err := s.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		var buf [maxPacket]byte
		if _, _, err := s.conn.ReadFrom(buf[:]); err == nil {
			alive = true
			break
		}
	}
	if !alive {
		t.Error("the node does not answer any more")
	}
	after := residentMemory(t, n.cmd.Process.Pid)
	t.Logf("%d packets in %v: %d MiB before, %d MiB after", sent, long, before>>20, after>>20)
	if after > before+64<<20 {
		t.Errorf("memory grew by %d MiB", (after-before)>>20)
	}
}

// litter sends every kind of packet, changed at random, from several sockets.
func litter(t *testing.T, to netip.AddrPort, long time.Duration) (sent int) {
	t.Helper()
	var conns []net.PacketConn
	for range 16 {
		conns = append(conns, listen(t))
	}
	packets := slices.Sorted(maps.Values(malformedPackets))
	for _, c := range packetVectors {
		packets = append(packets, c.in)
	}
	for _, method := range []string{"9:find_node", "9:get_peers", "13:announce_peer", "3:get", "4:vote"} {
		packets = append(packets, "d1:ad2:id20:"+id20+"9:info_hash20:"+id20+"4:porti4242e6:target20:"+id20+"5:token8:aaaaaaaae1:q"+method+"1:t2:aa1:y1:qe")
	}
	dice := seeded(5)
	for end := time.Now().Add(long); time.Now().Before(end); {
		for range 256 {
			packet := []byte(packets[int(dice.Uint64()%uint64(len(packets)))])
			for r := dice.Uint64() % 4; r > 0 && len(packet) > 0; r-- {
				packet[dice.Uint64()%uint64(len(packet))] = byte(dice.Uint64())
			}
			_, err := conns[sent%len(conns)].WriteTo(packet, net.UDPAddrFromAddrPort(to))
			if err == nil {
				sent++
			}
		}
	}
	return sent
}

// residentMemory is what a process holds, in bytes; 0 where the system does not say.
func residentMemory(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "VmRSS:" {
			kib, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
