//go:build !linux

package market

import (
	"strconv"
	"time"
)

// SystemClock returns a Clock on the wall clock and Go's monotonic one. Without
// a boot id each process counts as a boot of its own, so that deadlines that
// span a restart get Grace.
func SystemClock() (Clock, error) {
	start := time.Now()
	boot := "process-" + strconv.FormatInt(start.UnixNano(), 36)
	return func() Moment {
		return Moment{Wall: time.Now().UTC().Round(0), Boot: boot, Since: time.Since(start)}
	}, nil
}
