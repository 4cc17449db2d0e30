package requester

import (
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// suspicion is what a request knows about matches that somebody spoilt who cannot be
// told: one of two that accuse each other, or any of those who took part. Nobody is
// left out for good for such a match, as each is more likely innocent than not. The
// next matches are a group test instead: some of the suspects sit out, drawn by lot,
// those first who were suspects most often.
//
// With one cheat, and parts that may be as small as half, the third match is without
// it: if the first half is spoilt as well, the other half is clean, and if it accuses
// a second one, it is in both pairs. docs/threat-model.md has the other cases.
type suspicion struct {
	spoilt [][]identity.PeerID         // the suspects, by match
	passed map[identity.PeerID]bool    // took part in a match that was not spoilt
	doubts map[identity.PeerID]float64 // of earlier requests; they weigh little
}

// pass notes a match that nobody has spoilt.
func (s *suspicion) pass(among []identity.PeerID) {
	if s.passed == nil {
		s.passed = map[identity.PeerID]bool{}
	}
	for _, id := range among {
		s.passed[id] = true
	}
}

// passedAll says whether all of some have.
func (s *suspicion) passedAll(list []match.Candidate) bool {
	return !slices.ContainsFunc(list, func(m match.Candidate) bool { return !s.passed[m.Record.ID] })
}

// share is how much a provider is suspected: of each match that was spoilt one
// n-th, if n of its suspects have not passed another since.
func (s *suspicion) share(id identity.PeerID) (sum float64) {
	if s.passed[id] {
		return 0
	}
	for _, suspects := range s.spoilt {
		n := 0
		for _, other := range suspects {
			if !s.passed[other] {
				n++
			}
		}
		if slices.Contains(suspects, id) {
			sum += 1 / float64(n)
		}
	}
	return sum
}

// size is how many of n providers the next match is run among, cleared of whom have
// passed, by the matches in which nobody was accused: all, then one half of those
// who have not passed, the other half, and a quarter.
func (s *suspicion) size(n, cleared int) int {
	k := 0
	for _, suspects := range s.spoilt {
		if len(suspects) > 2 {
			k++
		}
	}
	parts, rest := 1<<((k+1)/2), n-cleared // 1, 2, 2, 4, 4 …
	if k%2 == 0 || cleared > 0 {
		rest += parts - 1 // rounded up: what the one before has left, or more than have passed
	}
	return cleared + rest/parts
}

// lot is a provider's in a draw.
type lot struct {
	id         identity.PeerID
	share, key float64
}

// draw chooses whom to invite, in the order in which they are given, and no fewer
// than least.
func (s *suspicion) draw(ranked []match.Candidate, least int, rand io.Reader) ([]match.Candidate, error) {
	lots, cleared := make([]lot, len(ranked)), 0
	for k, m := range ranked {
		key, err := s.key(m.Record.ID, rand)
		if err != nil {
			return nil, err
		}
		lots[k] = lot{m.Record.ID, s.share(m.Record.ID), key}
		if s.passed[m.Record.ID] {
			cleared++
		}
	}
	slices.SortFunc(lots, func(a, b lot) int { return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(b.key, a.key)) })
	out := s.sitOut(lots, s.size(len(lots), cleared), least)
	return slices.DeleteFunc(slices.Clone(ranked), func(m match.Candidate) bool { return slices.Contains(out, m.Record.ID) }), nil
}

// sitOut are those of the lots, the most suspected first, who leave as many as are
// wanted; and beyond that one of each pair that would otherwise be together. At
// least so many stay.
func (s *suspicion) sitOut(lots []lot, wanted, least int) (out []identity.PeerID) {
	stays := map[identity.PeerID]bool{}
	for _, l := range lots {
		stays[l.id] = true
	}
	together := func(id identity.PeerID) bool {
		return slices.ContainsFunc(s.spoilt, func(suspects []identity.PeerID) bool {
			return len(suspects) == 2 && slices.Contains(suspects, id) && stays[suspects[0]] && stays[suspects[1]]
		})
	}
	for _, l := range lots {
		if n := len(lots) - len(out); n > least && (n > wanted || together(l.id)) {
			out, stays[l.id] = append(out, l.id), false
		}
	}
	return out
}

// key draws a provider's place among those who are suspected alike: the highest
// keys sit out. They are exponential, with weights (Efraimidis and Spirakis 2006):
// who is doubted at 1 stays a quarter as often as who is not.
func (s *suspicion) key(id identity.PeerID, rand io.Reader) (float64, error) {
	var b [8]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return 0, err
	}
	u := (float64(binary.LittleEndian.Uint64(b[:])>>11) + 0.5) / (1 << 53)
	doubt := 1 + s.doubts[id]
	return -math.Log(u) * doubt * doubt, nil
}

// any says whether a match was spoilt.
func (s *suspicion) any() bool { return len(s.spoilt) > 0 }

// suspect notes a match that one of the suspects spoilt; nobody did, if there are none.
func (r *request) suspect(suspects []identity.PeerID) {
	if len(suspects) == 0 {
		return
	}
	if !r.suspicion.any() {
		r.suspicion.doubts = r.client.doubts()
	}
	r.suspicion.spoilt = append(r.suspicion.spoilt, suspects)
}

// remember keeps, beyond the request, how much each is suspected.
func (r *request) remember() {
	shares := map[identity.PeerID]float64{}
	for _, suspects := range r.suspicion.spoilt {
		for _, id := range suspects {
			if share := r.suspicion.share(id); share > 0 {
				shares[id] = share
			}
		}
	}
	r.client.doubt(shares)
}
