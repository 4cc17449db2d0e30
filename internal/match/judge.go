package match

// finding is one party's word on another.
type finding struct {
	by, of int  // party indexes; 0 is the requester
	flight int  // which did not come, or was wrong; 0: before the first
	hard   bool // seen, and not merely waited for when the match was stopped
}

// evidence is what is known about a match that failed.
type evidence struct {
	parties int
	own     finding   // the requester's own; of 0: none
	quiet   bool      // the requester saw nothing but silence
	out     []int     // who said nothing, or takes no part any more
	heard   []finding // what providers say of each other, and of the requester (of 0)
}

// add takes a provider's last report; the zero one is of a provider that said
// nothing.
func (e *evidence) add(party int, r Report) {
	f := finding{by: party, of: int(min(r.Peer, uint(e.parties))), flight: int(min(r.Flight, maxFlight)), hard: true}
	switch r.State {
	case Unreachable, Stalled:
		e.heard = append(e.heard, f)
	case Aborted:
		if f.of != 0 {
			e.heard = append(e.heard, f)
		}
	case Stopped:
		f.hard = false
		if f.of != 0 { // waiting for the requester is no fault
			e.heard = append(e.heard, f)
		}
	case Finished:
	default:
		e.out = append(e.out, party)
	}
}

// maxFlight is more flights than there are.
const maxFlight = 99

// judge decides whom the next try leaves out; pick draws one of n fairly.
//
//   - Those who said nothing or take no part any more are out.
//   - What the requester saw itself needs no judging.
//   - If two providers stand against each other, a coin drops one of the two:
//     neither can prove that the other is at fault, and neither may be able to
//     frame the other. It is the earliest such finding that counts, for what
//     came later may have come of it.
//   - Where a silence is all that there is, what providers were waiting for
//     when they were stopped counts too: the silence began where the first
//     flight did not come.
//   - A failed check that names nobody drops nobody: whoever reported it would
//     be an easy victim.
func (e *evidence) judge(pick func(n int) int) []int {
	if len(e.out) > 0 {
		return e.out
	}
	if e.own.of != 0 && e.own.hard {
		return []int{e.own.of}
	}
	first := e.earliest(true)
	if len(first) == 0 && e.quiet {
		first = e.earliest(false)
	}
	switch {
	case e.own.of != 0 && (len(first) == 0 || e.own.flight <= first[0].flight):
		return []int{e.own.of}
	case len(first) == 0:
		return nil
	}
	f := first[pick(len(first))]
	if f.of == 0 || f.of == f.by || f.of >= e.parties {
		return []int{f.by} // says of us what we do not see, or what cannot be
	}
	return []int{[]int{f.by, f.of}[pick(2)]}
}

// earliest returns the findings of the earliest flight that has any.
func (e *evidence) earliest(hardOnly bool) (first []finding) {
	for _, f := range e.heard {
		switch {
		case hardOnly && !f.hard:
		case len(first) == 0 || f.flight < first[0].flight:
			first = []finding{f}
		case f.flight == first[0].flight:
			first = append(first, f)
		}
	}
	return first
}
