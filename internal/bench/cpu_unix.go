//go:build linux || darwin || freebsd

package bench

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of all processors, as user and in the
// kernel.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("bench: getrusage of this process: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
