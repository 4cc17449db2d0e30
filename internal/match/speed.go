package match

import (
	"runtime"
	"sync"
	"time"
)

// SoftSpoken's k trades bytes of a match for work: of each bit that is extended to a
// peer, 128/k bits are sent, and 2^k/k·128 are made and folded at either end. It is
// the requester's to choose, among those that providers accept; it stands in the
// roster, hence in the session id.
const (
	fastK  = 4 // least work of all: on fast links
	smallK = 8 // half the bytes
)

// allowedK tells whether a provider takes part in a match with this k. k = 2 would
// save no work, and cost bytes.
func allowedK(k uint) bool { return k == fastK || k == smallK }

// What k = 8 costs beside k = 4, and saves, measured on a core of an Intel Xeon with
// VAES (BenchmarkExtReceiver, BenchmarkExtSender): 40 ns more at either end for 2 bytes
// less, a bit.
const (
	savedBytes  = 2
	extraTime   = 2 * 40 * time.Nanosecond
	breakEven   = float64(savedBytes) * float64(time.Second) / float64(extraTime) // bytes a second that a core is worth
	speedSample = 16 << 10                                                        // bytes of the shortest flight that tells
)

// farAway is the round trip from which on k = 8 is faster whatever the bandwidth: a
// link that is not warm takes 32 packets before it waits for an answer, and with k = 4
// flights are longer than that from about eight providers on. What k = 8 costs more is
// a few milliseconds of computing.
const farAway = 5 * time.Millisecond

// ChooseK is k for links that bring a party so many bytes a second together, 0 if
// that is not known, and whose longest round trip is rtt. A match with n parties extends R bits to each peer: k = 8 saves
// (n−1)·R·2 bytes and costs (n−1)·R·80 ns of cores that work side by side, so n and R
// cancel and what counts is bytes a second beside 25 MB/s a core. Who does not know
// its links takes them to be fast.
func ChooseK(bytesPerSecond float64, cores int, rtt time.Duration) uint {
	if rtt >= farAway || bytesPerSecond > 0 && bytesPerSecond < breakEven*float64(cores) {
		return smallK
	}
	return fastK
}

// speed is what links have brought in, from match to match of one requester.
type speed struct {
	mu   sync.Mutex
	rate float64 // bytes a second of all links together; 0: unknown
}

// k chooses for the next match, over links with that longest round trip.
func (s *speed) k(rtt time.Duration) uint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ChooseK(s.rate, runtime.GOMAXPROCS(0), rtt)
}

// note takes what the links of a match have shown.
func (s *speed) note(rate float64) {
	if rate > 0 {
		s.mu.Lock()
		s.rate = rate
		s.mu.Unlock()
	}
}

// flow is how fast flights came from each party: for each the fastest of those that
// are long enough to tell, for a slow one may have been slow to be made.
type flow struct {
	mu    sync.Mutex
	rates []float64
}

// arrived notes a flight of so many bytes that took so long from its first to its
// last.
func (f *flow) arrived(from, bytes int, took time.Duration) {
	if bytes < speedSample {
		return
	}
	f.mu.Lock()
	f.rates[from] = max(f.rates[from], float64(bytes)/max(took, time.Microsecond).Seconds())
	f.mu.Unlock()
}

// sum is bytes a second of all links together: in the flights that are measured all
// parties send to all.
func (f *flow) sum() (rate float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rates {
		rate += r
	}
	return rate
}
