package cli

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/angler-dex/angler/internal/mpc"
)

// A party keeps, for each other one, the MACs of its own bits and the keys of the other's: 16 bytes for the first factor of each
// of B·ℓ leaky ANDs, 16 for the other two bits, and twice 16 for each AND gate. With masks and messages under way the parties of
// one process together take this much more than that at their peak (measured with 33 of them, the collector being at work).
const memoryOverhead = 1.8

// memoryFor estimates what n parties of a match with those figures need when they all run in this process.
func memoryFor(n int64, s mpc.Stats) int64 {
	return int64(memoryOverhead * float64(2*n*(n-1)*(2*int64(s.Bucket)*int64(s.Padded)+2*int64(s.ANDs))*16))
}

// reserveMemory refuses a match that this machine cannot hold, so that it fails here with words and not later by the kernel's
// choice of a process, and makes the garbage collector stay within what there is. advice says how to need less.
func reserveMemory(n int, s mpc.Stats, advice string) error {
	free, known := freeMemory()
	if !known {
		return nil
	}
	free = free / 10 * 9
	if need := memoryFor(int64(n), s); need > free {
		return fmt.Errorf("a match of %d parties in one process needs about %s of memory, %s are free: %s", n, size(int(need)), size(int(free)), advice)
	}
	debug.SetMemoryLimit(free)
	return nil
}

// freeMemory is what this process may still take, by the kernel and by its control group; false if the system does not say.
func freeMemory() (int64, bool) {
	free, known := meminfo("MemAvailable:")
	if limit, ok := number("/sys/fs/cgroup/memory.max"); ok {
		used, _ := number("/sys/fs/cgroup/memory.current")
		if left := max(0, limit-used); !known || left < free {
			free, known = left, true
		}
	}
	return free, known
}

// meminfo reads a line of proc(5)'s meminfo, which counts in kibibytes.
func meminfo(field string) (int64, bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == field {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}

// number reads a file that holds one number; false if it holds a word, such as "max".
func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
