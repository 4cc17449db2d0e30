//go:build !linux && !darwin && !freebsd

package bench

import "time"

// cpuTime is not known on this system: the figure is 0.
func cpuTime() time.Duration { return 0 }
