package market

import "time"

// Moment is one reading of a Clock: the wall clock, and the time since boot
// with the boot that it belongs to. The wall clock may jump; the time since
// boot does not, and it goes on while the machine sleeps.
type Moment struct {
	Wall  time.Time     // to the nanosecond, UTC
	Boot  string        // names the boot; readings of one boot compare
	Since time.Duration // since that boot
}

// Clock reads the time. SystemClock is the machine's; tests bring their own.
type Clock func() Moment

// Grace is added to every deadline that is measured over a reboot, where only
// the wall clock is left to measure with.
const Grace = 5 * time.Minute

// IsZero says whether m was never set.
func (m Moment) IsZero() bool { return m.Wall.IsZero() && m.Boot == "" && m.Since == 0 }

// Elapsed is how much time surely passed from m to now: boot-time clock within
// one boot; otherwise wall clock minus Grace. It is never negative, so that a
// clock that was set back ends nothing early.
func (m Moment) Elapsed(now Moment) time.Duration {
	if m.Boot == now.Boot {
		return max(0, now.Since-m.Since)
	}
	return max(0, now.Wall.Sub(m.Wall)-Grace)
}
