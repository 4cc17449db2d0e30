package market

import (
	"cmp"
	"errors"
	"log/slog"
	"time"
)

// HoldTime is how long a match may keep what it holds.
const HoldTime = 10 * time.Second

// Bid is what a provider enters into a match. All but the offer and the notice
// are secrets.
type Bid struct {
	Offer    string        // empty: none fits any more
	Quantity Quantity      // 0: no room
	Price    Price         // of a unit; with steps the highest that Quantity units or fewer may cost
	Steps    []Step        // the supply curve, if the offer has one
	Further  []Quantity    // beside the units, by dimension of the policy: what it has
	Notice   time.Duration // before a lease of it may be taken back; 0: never
}

// PriceOf is what the offer asks for each unit if q are taken.
func (b Bid) PriceOf(q Quantity) Price {
	if len(b.Steps) > 0 {
		return Tiers(b.Steps).At(q)
	}
	return b.Price
}

// LogValue leaves the secrets out.
func (b Bid) LogValue() slog.Value { return slog.StringValue("bid") }

type hold struct {
	ask  Ask
	bid  Bid
	made Moment
	time time.Duration
}

func (h hold) over(now Moment) bool { return h.made.Elapsed(now) >= h.time }

// DeclineError says why an ask is not admitted. It is for the provider's own
// log: the requester gets one indistinct decline.
type DeclineError struct{ Reason string }

func (e *DeclineError) Error() string { return "declined: " + e.Reason }

// MatchWindow is the time over which a requester's matches are counted against
// Offer.MaxMatches.
const MatchWindow = 24 * time.Hour

// Admit says whether to take part in a match that a asks for: some offer admits
// it, and the requester is within that offer's lease and match budgets. Room is
// not looked at: a full provider takes part and enters 0, so that declining says
// nothing. The error is a *DeclineError, or a *FieldError for a malformed ask.
func (l *Ledger) Admit(a Ask) error {
	if err := a.Validate(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	reason := "no offer admits it"
	for _, o := range l.offers {
		switch {
		case !o.Admits(a):
		case l.countActive(a.Requester) >= o.MaxLeases:
			reason = "too many leases"
		case l.matchesSince(a.Requester, now.Wall.Add(-MatchWindow)) >= o.MaxMatches:
			reason = "too many matches"
		default:
			return nil
		}
	}
	return &DeclineError{Reason: reason}
}

// Hold sets units aside for the session sid and returns what to enter. It never
// waits. Among the offers that admit the ask (Offer.Admits, lease budget), one
// with room goes before one without, one whose unit is exactly the class before
// one that covers it, then the cheapest, then by name. The quantity is that
// offer's room: its ceiling less what is held and leased under it, at most the
// units that fit into free capacity; it may be 0, also because no offer is left.
//
// The hold ends by Win, Free, the end of the process, or after d (HoldTime) on
// the boot-time clock. Holding again for the same session and ask returns the
// same bid and does not prolong it; ErrHoldOver once it has expired, for as long
// as the ledger remembers it (ExpireHolds forgets); ErrConflict for a session
// with another ask or with a lease. A malformed ask is a *FieldError.
func (l *Ledger) Hold(sid [32]byte, a Ask, d time.Duration) (Bid, error) {
	if err := a.Validate(); err != nil {
		return Bid{}, err
	}
	if d <= 0 {
		return Bid{}, errors.New("hold: no time")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return Bid{}, l.brokenErr()
	}
	now := l.clock()
	if h, ok := l.holds[sid]; ok {
		switch {
		case h.ask != a:
			return Bid{}, ErrConflict
		case h.over(now):
			return Bid{}, ErrHoldOver
		}
		return h.bid, nil
	}
	if _, ok := l.leases[NewLeaseID(sid, l.provider)]; ok {
		return Bid{}, ErrConflict
	}
	h := hold{ask: a, bid: l.bid(a, now), made: now, time: d}
	l.holds[sid] = h
	return h.bid, nil
}

func (l *Ledger) bid(a Ask, now Moment) Bid {
	busy := l.countActive(a.Requester)
	for _, h := range l.holds {
		if h.ask.Requester == a.Requester && h.bid.Quantity > 0 && !h.over(now) {
			busy++
		}
	}
	if best, some := l.best(a, now, func(o Offer) bool { return busy < o.MaxLeases }); some {
		return best
	}
	return Bid{}
}

// best chooses among the offers that admit a and are within some budget.
func (l *Ledger) best(a Ask, now Moment, within func(Offer) bool) (best Bid, some bool) {
	p, covers := l.pool(now), false
	for _, o := range l.offers {
		if !o.Admits(a) || !within(o) {
			continue
		}
		b, err := l.enter(o, a, p.room(o, a.Class), p, now)
		l.note(o.Name, err)
		if inexact := o.Unit != a.Class; !some || better(b, inexact, best, covers) {
			best, covers, some = b, inexact, true
		}
	}
	return best, some
}

// better orders bids: with room before without, one of the unit that was asked
// for before one that merely covers it, the cheaper, then by name so that the
// order is total.
func better(a Bid, aCovers bool, b Bid, bCovers bool) bool {
	later := func(yes bool) int {
		if yes {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(later(a.Quantity == 0), later(b.Quantity == 0)), cmp.Compare(later(aCovers), later(bCovers)),
		cmp.Compare(a.Price, b.Price), cmp.Compare(a.Offer, b.Offer),
	) < 0
}

// note remembers why an offer had no price, until it has one again.
func (l *Ledger) note(offer string, err error) {
	if err == nil {
		delete(l.faults, offer)
	} else {
		l.faults[offer] = err
	}
}

// Free ends the hold of a session: a loss or an abort. It may be called for any
// session, any number of times, and never undoes a win.
func (l *Ledger) Free(sid [32]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.holds, sid)
}

// ExpireHolds forgets holds that are over and returns how many. Their units are
// free from the moment they expire, whether this is called or not; a daemon
// calls it now and then so that they do not pile up.
func (l *Ledger) ExpireHolds() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, n := l.clock(), 0
	for sid, h := range l.holds {
		if h.over(now) {
			delete(l.holds, sid)
			n++
		}
	}
	return n
}
