package market

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A process of its own works on a ledger and says what is done; it is killed
// without warning after any line. Whatever it said is on disk.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	rnd := rand.New(rand.NewPCG(7, 7))
	said := map[LeaseID]State{}
	for round := range 10 {
		kill(t, path, round, 1+rnd.IntN(60), said)
		l := openKilled(t, path)
		u, reserved := l.Usage(), int64(0)
		ahead := 0 // steps that were done and not yet said
		for _, lease := range l.Leases() {
			if !lease.State.Terminal() {
				reserved += int64(lease.Quantity) * 1000
			}
			if was, ok := said[lease.ID]; !ok || was != lease.State {
				ahead++
				if ok && was.Check(lease.State) != nil {
					t.Errorf("%s was said, %s is on disk", was, lease.State)
				}
				said[lease.ID] = lease.State
			}
		}
		if ahead > 1 || len(l.Leases()) != len(said) {
			t.Errorf("round %d: %d steps ahead, %d leases of %d", round, ahead, len(l.Leases()), len(said))
		}
		if u.Reserved["cpu"] != reserved || u.Reserved["cpu"]+u.Free["cpu"] != u.Total["cpu"] || u.Held["cpu"] != 0 {
			t.Errorf("round %d: %+v", round, u)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) < 20 {
		t.Errorf("only %d leases came about", len(said))
	}
}

func openKilled(t testing.TB, path string) *Ledger {
	t.Helper()
	clock, err := SystemClock()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(Config{Path: path, Provider: provider, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// kill starts the process, reads some lines of it, and kills it.
func kill(t *testing.T, path string, round, lines int, said map[LeaseID]State) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), "MARKET_VICTIM="+path, fmt.Sprint("MARKET_ROUND=", round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for n := 0; n < lines && in.Scan(); n++ {
		note(t, in.Text(), said)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for in.Scan() { // what it said between our last line and its end
		note(t, in.Text(), said)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it ended by itself")
	}
}

func note(t *testing.T, line string, said map[LeaseID]State) {
	t.Helper()
	var id, state string
	if n, _ := fmt.Sscanf(line, "%s %s.", &id, &state); n != 2 || line[len(line)-1] != '.' {
		return // cut off in the middle
	}
	var s State
	if err := s.UnmarshalText([]byte(state[:len(state)-1])); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	lease, err := ParseLeaseID(id)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	said[lease] = s
}

// TestVictim is the process that is killed; run by itself, without a ledger
// named, it checks one pass of its own work.
func TestVictim(t *testing.T) {
	path, endless, say := os.Getenv("MARKET_VICTIM"), true, io.Writer(os.Stdout)
	if path == "" {
		path, endless, say = filepath.Join(t.TempDir(), "ledger.db"), false, io.Discard
	}
	l := openKilled(t, path)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.PutOffer(Offer{Name: "a", Unit: mustClass(t, small), Ceiling: 1000, Price: 1, MaxLeases: 100_000}))
	ask := Ask{Requester: alice, Member: true, Class: mustClass(t, small), Policy: DefaultPolicy, Duration: time.Hour}
	for n := 0; endless || n < 3; n++ {
		sid := [32]byte{1, byte(n), byte(n >> 8)}
		copy(sid[3:], os.Getenv("MARKET_ROUND"))
		_, err := l.Hold(sid, ask, HoldTime)
		must(err)
		lease, err := l.Win(sid, 1, 1)
		must(err)
		fmt.Fprintf(say, "%s %s.\n", lease.ID, lease.State)
		for _, to := range [][]State{{Provisioning, Provisional, Active}, {Failed}, {Provisioning, Expiring, Failed}}[n%3] {
			lease, err = l.Advance(lease.ID, to, nil)
			must(err)
			fmt.Fprintf(say, "%s %s.\n", lease.ID, lease.State)
		}
	}
	must(l.Close())
}
