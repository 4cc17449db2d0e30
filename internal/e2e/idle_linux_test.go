package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A daemon that waits is to cost little: about 60 MiB resident at most, with an offer,
// a cluster and a neighbour, and again after it has taken part in matches. Most of
// it is the program's own pages; this test keeps the rest from growing.
func TestIdleDaemonIsSmall(t *testing.T) {
	w := newWorld(t)
	w.invite("asker", "requester")
	for _, who := range []string{"bob", "cyd"} {
		w.provider(who, 8, "0.05")
	}
	ann := w.provider("ann", 8, "0.03")
	w.eventually("ann is announced", func() bool { return strings.Contains(w.must("ann", "status"), "announced") })
	small := func(when string) {
		t.Helper()
		// 60 MiB is the aim, and what a machine of its own shows (BenchmarkIdle).
		// Three quarters are pages of the program, of which a kernel maps more or
		// fewer at a time: the test leaves it some room, and catches growth.
		const most = 68 << 10
		var last int
		// What a match leaves behind is given back by and by.
		for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			if last = resident(t, ann.cmd.Process.Pid); last <= most {
				t.Logf("%s: %d KiB resident", when, last)
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d KiB are resident, at most %d are to be", when, last, most)
			}
		}
	}
	small("with one offer")
	for range 3 {
		w.must("asker", w.request("asker", 2, 3)...)
	}
	small("after three matches")
}

// resident is the memory of a process that is in RAM, in KiB.
func resident(t *testing.T, pid int) (kib int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
