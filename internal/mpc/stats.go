package mpc

// Stats are figures about a match at one party. None of them is secret.
type Stats struct {
	ANDs   int  // AND gates of the circuit
	Padded int  // triples made, ℓ
	Bucket int  // leaky ANDs a triple, B
	K      int  // of the OT extension
	Cold   bool // F1 ran with some peer

	Sent, Received [lastFlight + 1]int // bytes by flight, 1 to 9
}

func newStats(m *params) Stats {
	s := Stats{ANDs: m.ands, Padded: m.ell, Bucket: m.bucket, K: m.k}
	for _, fresh := range m.fresh {
		s.Cold = s.Cold || fresh
	}
	return s
}

// BytesSent is the sum over all flights.
func (s Stats) BytesSent() int { return sum(s.Sent) }

// BytesReceived is the sum over all flights.
func (s Stats) BytesReceived() int { return sum(s.Received) }

// Flights is how many flights lie between the start and the result of party
// self: 8 to the requester and 9 to a provider, one less if the party's cached
// sets left nothing to do in F1.
func (s Stats) Flights(self int) int {
	f := lastFlight
	if self == 0 {
		f--
	}
	if !s.Cold {
		f--
	}
	return f
}

func sum(v [lastFlight + 1]int) (n int) {
	for _, x := range v {
		n += x
	}
	return n
}

// Stats returns the figures so far.
func (p *Party) Stats() Stats { return p.stats }
