package work

import (
	"runtime/debug"
	"sync"
)

// unhurriedPercent is how much the heap may grow between two collections meanwhile.
const unhurriedPercent = 400

// collector is the process's garbage collector, which there is one of.
var collector struct {
	mu     sync.Mutex
	users  int
	before int
}

// Unhurried makes the garbage collector of the process wait longer, until done has
// been called as often as Unhurried: what a match allocates it needs almost to its
// end, so that collecting in between finds little and costs a quarter of the work.
// Who calls it bounds what may be allocated meanwhile. A collector that is slower
// already, or off, stays so; a memory limit (debug.SetMemoryLimit) holds anyway.
func Unhurried() (done func()) {
	collector.mu.Lock()
	defer collector.mu.Unlock()
	if collector.users++; collector.users == 1 {
		collector.before = debug.SetGCPercent(unhurriedPercent)
		if collector.before < 0 || collector.before > unhurriedPercent {
			debug.SetGCPercent(collector.before)
		}
	}
	return sync.OnceFunc(hurry)
}

func hurry() {
	collector.mu.Lock()
	defer collector.mu.Unlock()
	if collector.users--; collector.users == 0 {
		debug.SetGCPercent(collector.before)
	}
}
