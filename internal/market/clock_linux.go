package market

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SystemClock returns a Clock on CLOCK_REALTIME, CLOCK_BOOTTIME and the
// kernel's boot id.
func SystemClock() (Clock, error) {
	const path = "/proc/sys/kernel/random/boot_id"
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("boot id: %w", err)
	}
	boot := strings.TrimSpace(string(raw))
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return nil, fmt.Errorf("boot-time clock: %w", err)
	}
	return func() Moment {
		var ts unix.Timespec
		// It worked above, and the call has no other way to fail.
		_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
		return Moment{Wall: time.Now().UTC().Round(0), Boot: boot, Since: time.Duration(ts.Nano())}
	}, nil
}
