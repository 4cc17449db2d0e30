package work

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// The heap may grow by unhurriedPercent between two collections meanwhile, and where it
// is small by unhurriedRoom: that is some matches of usual size.
const (
	unhurriedPercent = 400
	unhurriedRoom    = 128 << 20
)

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
		percent := unhurried(heapInUse())
		collector.before = debug.SetGCPercent(percent)
		if collector.before < 0 || collector.before > percent {
			debug.SetGCPercent(collector.before)
		}
	}
	return sync.OnceFunc(hurry)
}

// unhurried is the percentage for a heap that has so much in use.
func unhurried(inUse uint64) int {
	return max(unhurriedPercent, int(100*unhurriedRoom/max(inUse, 1<<20)))
}

// heapInUse is what the latest collection found in use, in bytes.
func heapInUse() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}

func hurry() {
	collector.mu.Lock()
	defer collector.mu.Unlock()
	if collector.users--; collector.users == 0 {
		debug.SetGCPercent(collector.before)
	}
}
