package match

import (
	"testing"
	"time"
)

// TestChooseK: fast and unknown links take the least work, slow and long ones the
// fewest bytes, and more cores make faster links slow.
func TestChooseK(t *testing.T) {
	for _, v := range []struct {
		rate  float64
		cores int
		rtt   time.Duration
		want  uint
	}{
		{0, 2, 0, fastK}, {1e9, 2, time.Millisecond, fastK}, {1e6, 2, 0, smallK}, {40e6, 1, 0, fastK}, {40e6, 2, 0, smallK},
		{0, 2, farAway, smallK}, {1e9, 1, time.Second, smallK},
	} {
		if got := ChooseK(v.rate, v.cores, v.rtt); got != v.want {
			t.Errorf("%.0f bytes/s, %d cores, %v: k = %d", v.rate, v.cores, v.rtt, got)
		}
	}
	for _, k := range []uint{0, 1, 2, 3, 16, 1 << 60} {
		if allowedK(k) {
			t.Errorf("k = %d is allowed", k)
		}
	}
}

// TestSpeed: of each link the fastest flight counts that is long enough to tell, all
// links count together, and a match that shows nothing changes nothing.
func TestSpeed(t *testing.T) {
	f := flow{rates: make([]float64, 3)}
	f.arrived(1, 1<<20, time.Second)
	f.arrived(1, 1<<20, 2*time.Second)
	f.arrived(2, 1<<19, time.Second)
	f.arrived(2, speedSample-1, 0) // too short to tell
	if got := f.sum(); got != 1<<20+1<<19 {
		t.Errorf("%.0f bytes a second", got)
	}
	var s speed
	if s.k(0) != fastK {
		t.Error("unknown links are fast")
	}
	s.note(1)
	if s.note(0); s.k(0) != smallK {
		t.Error("slow links are forgotten")
	}
}
