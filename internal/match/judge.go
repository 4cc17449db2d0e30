package match

// finding is one party's word on another.
type finding struct {
	by, of int  // party indexes; 0 is the requester
	flight int  // which did not come, or was wrong; 0: before the first
	wait   bool // nothing was seen: of was waited for when all was silent, or stopped
}

// evidence is what is known about a match that failed.
type evidence struct {
	parties int
	quiet   bool      // the requester itself saw nothing but silence
	own     finding   // what the requester saw; of 0: nothing
	out     []int     // who said nothing, or takes no part any more
	heard   []finding // what providers say
}

// maxFlight is more flights than there are.
const maxFlight = 99

// add takes a provider's last report; the zero one is of a provider that said
// nothing.
func (e *evidence) add(party int, r Report) {
	f := finding{by: party, of: int(min(r.Peer, uint(e.parties))), flight: int(min(r.Flight, maxFlight))}
	switch r.State {
	case Finished:
	case Unreachable, Broken:
		e.heard = append(e.heard, f)
	case Aborted:
		if f.of != 0 { // else nobody is named
			e.heard = append(e.heard, f)
		}
	case Stalled:
		f.wait = e.quiet // else it stands alone with that
		e.heard = append(e.heard, f)
	case Stopped:
		f.wait = true
		e.heard = append(e.heard, f)
	default:
		e.out = append(e.out, party)
	}
}

// judge decides whom the next try leaves out, or of whom one is at fault; pick
// draws one of n fairly.
//
//   - Those who said nothing or take no part any more are out.
//   - What the requester saw itself needs no judging.
//   - If two providers stand against each other, both are suspects: neither can
//     prove that the other is at fault, and neither may be able to frame the
//     other. It is the earliest such finding that counts, for what came later may
//     have come of it.
//   - Where silence is all that there is, it began where the first flight did
//     not come: what everybody was waiting for is looked at in the same way.
//   - A failed check that names nobody drops nobody: whoever reported it would
//     be an easy victim. All are suspects.
func (e *evidence) judge(pick func(n int) int) (drop, suspects []int) {
	if len(e.out) > 0 {
		return e.out, nil
	}
	if e.own.of != 0 && !e.own.wait {
		return []int{e.own.of}, nil
	}
	if seen := e.earliest(false); len(seen) > 0 {
		return e.settle(seen[pick(len(seen))])
	}
	if !e.quiet {
		return nil, nil
	}
	waits := e.earliest(true)
	if e.own.of != 0 && (len(waits) == 0 || e.own.flight <= waits[0].flight) {
		return []int{e.own.of}, nil
	}
	if len(waits) > 0 {
		return e.settle(waits[pick(len(waits))])
	}
	return nil, nil
}

// settle suspects the two of a finding. Who says of the requester what it does not
// see, or what cannot be, stands against nobody, and is out.
func (e *evidence) settle(f finding) (drop, suspects []int) {
	if f.of == 0 || f.of == f.by || f.of >= e.parties {
		return []int{f.by}, nil
	}
	return nil, []int{f.by, f.of}
}

// earliest returns the findings of the earliest flight that has any. Waiting
// for the requester is none: it knows for whom it waits itself.
func (e *evidence) earliest(wait bool) (first []finding) {
	for _, f := range e.heard {
		switch {
		case f.wait != wait || wait && f.of == 0:
		case len(first) == 0 || f.flight < first[0].flight:
			first = []finding{f}
		case f.flight == first[0].flight:
			first = append(first, f)
		}
	}
	return first
}
