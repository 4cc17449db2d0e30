package matchtest

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// CheckLeaks fails the test unless, when everything has been stopped, no
// goroutine of package match or below is left. Call it before New.
func CheckLeaks(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if left = goroutines(); len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				break
			}
		}
		tb.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	})
}

// goroutines lists those of our packages.
func goroutines() (ours []string) {
	buf := make([]byte, 4<<20)
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		for _, pkg := range []string{"match", "mpc", "mesh"} {
			if strings.Contains(g, "angler/internal/"+pkg+".") {
				ours = append(ours, g)
				break
			}
		}
	}
	return ours
}
