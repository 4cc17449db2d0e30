package market

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shadow is what a ledger should hold, kept by the plainest means.
type shadow struct {
	holds  map[[32]byte]shadowHold
	states map[LeaseID]State
	won    map[LeaseID]Quantity
	terms  map[LeaseID]time.Duration
}

type shadowHold struct {
	ask Ask
	bid Bid
	end time.Duration // on the clock's Since
}

// Random operations, with a restart or a crash after any of them: what is used
// and what is free is always the total, no hold survives, every lease does.
func TestRandomOperations(t *testing.T) {
	leases := 0
	for seed := range uint64(14) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { leases += runRandom(t, rand.New(rand.NewPCG(seed, 1)), 250) })
	}
	if leases < 100 {
		t.Errorf("only %d leases came about: the test is not testing", leases)
	}
}

type randomRun struct {
	*bench
	*shadow
	rnd      *rand.Rand
	declared Resources
	nextSID  int
}

func runRandom(t *testing.T, rnd *rand.Rand, steps int) (leases int) {
	r := &randomRun{bench: open(t), rnd: rnd, shadow: &shadow{
		holds: map[[32]byte]shadowHold{}, states: map[LeaseID]State{}, won: map[LeaseID]Quantity{}, terms: map[LeaseID]time.Duration{},
	}}
	operations := []func(){
		r.putOffer, r.hold, r.hold, r.win, r.win, r.holdAndWin, r.holdAndWin, r.free, r.advance, r.advance, r.advance, r.pass,
		r.pauseOrRemove, r.setCapacity, r.restart, r.crash, r.renew, r.renew, r.reclaim, r.tell,
	}
	for range steps {
		before, torn := r.picture(), readFile(t, r.cfg.Path)
		operations[rnd.IntN(len(operations))]()
		r.check()
		if rnd.IntN(4) == 0 {
			r.checkTorn(before, torn)
		}
		if t.Failed() {
			break
		}
	}
	return len(r.won)
}

var randomUnits = []string{small, "cpu=1,memory=8Gi", "cpu=4,memory=16Gi", "cpu=2,memory=4Gi,gpu=a100", small + ",arch=arm64"}

func (r *randomRun) pick(list []string) string { return list[r.rnd.IntN(len(list))] }

func (r *randomRun) putOffer() {
	name := fmt.Sprint("offer-", r.rnd.IntN(4))
	o := Offer{Name: name, Unit: mustClass(r.t, r.pick(randomUnits)), Ceiling: Quantity(1 + r.rnd.IntN(40))}
	o.Notice = time.Duration(r.rnd.IntN(2)) * time.Hour
	o.Storage = Quantity(r.rnd.IntN(3) * 20)
	o.PerMatch = Quantity(r.rnd.IntN(3)) * o.Ceiling / 2
	switch r.rnd.IntN(4) {
	case 0:
		o.Tiers = Tiers{{1, Price(r.rnd.IntN(5))}, {Quantity(2 + r.rnd.IntN(4)), Price(r.rnd.IntN(5))}}
	case 1:
		o.Expr = mustExpr(r.t, r.pick([]string{"used/total", "1/used", "-free", "hour"}))
	default:
		o.Price = Price(r.rnd.IntN(5))
	}
	if err := r.PutOffer(o); err != nil {
		r.t.Fatal(err)
	}
}

func (r *randomRun) pauseOrRemove() {
	name, err := fmt.Sprint("offer-", r.rnd.IntN(4)), error(nil)
	if r.rnd.IntN(4) == 0 {
		err = r.RemoveOffer(name)
	} else {
		err = r.SetPaused(name, r.rnd.IntN(3) == 0)
	}
	if err != nil && !errors.Is(err, ErrNoOffer) {
		r.t.Error(err)
	}
}

func (r *randomRun) setCapacity() {
	r.declared = nil
	if r.rnd.IntN(2) == 0 {
		n := r.rnd.Int64N(80)
		r.declared = Resources{"cpu": n * 1000, "memory": n * 3 * gib, "gpu/a100": n / 4, "storage": n * gib}
	}
	if err := r.SetCapacity(r.declared); err != nil {
		r.t.Error(err)
	}
}

func (r *randomRun) hold() {
	sid := [32]byte{byte(r.nextSID), byte(r.nextSID >> 8)}
	r.nextSID++
	a := r.ask(r.pick(append(randomUnits, "cpu=1,memory=2Gi")))
	if r.rnd.IntN(3) == 0 {
		a.Policy += ";with=storage"
	}
	before := r.Usage()
	bid, err := r.Hold(sid, a, HoldTime)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.holds[sid] = shadowHold{a, bid, r.clock.now.Since + HoldTime}
	if bid.Quantity == 0 {
		return
	}
	// Nothing is held that was not free, nor more than the offer's ceiling.
	need, err := a.Class.Base().Times(bid.Quantity)
	accumulate(need, beside(a.Policy, bid.Further))
	if err != nil || before.Free.Units(need) == 0 {
		r.t.Errorf("held %v of the free %v", need, before.Free)
	}
	o, ok := r.Offer(bid.Offer)
	if units := r.units(bid.Offer); !ok || !o.Admits(a) || units > int(o.Ceiling) {
		r.t.Errorf("%d units of %d under %q", units, o.Ceiling, bid.Offer)
	}
}

// units counts what leases and holds have of an offer.
func (r *randomRun) units(offer string) int {
	n := 0
	for _, l := range r.Leases() {
		if l.Offer == offer && !l.State.Terminal() {
			n += int(l.Quantity)
		}
	}
	for _, h := range r.live() {
		if h.bid.Offer == offer {
			n += int(h.bid.Quantity)
		}
	}
	return n
}

func (r *randomRun) live() map[[32]byte]shadowHold {
	live := maps.Clone(r.holds)
	maps.DeleteFunc(live, func(_ [32]byte, h shadowHold) bool { return h.end <= r.clock.now.Since })
	return live
}

// someSID picks a session that has a hold, or one that never was.
func (r *randomRun) someSID() [32]byte {
	sids := slices.SortedFunc(maps.Keys(r.holds), func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
	if len(sids) == 0 || r.rnd.IntN(10) == 0 {
		return [32]byte{31: 1}
	}
	return sids[r.rnd.IntN(len(sids))]
}

func (r *randomRun) winOf(sid [32]byte) {
	h, held := r.holds[sid]
	_, alive := r.live()[sid]
	q := Quantity(1 + r.rnd.IntN(max(1, min(4, int(h.bid.Quantity)))))
	further := slices.Clone(h.bid.Further)
	for i := range further {
		further[i] = Quantity(r.rnd.IntN(int(further[i]) + 1))
	}
	lease, err := r.Win(sid, q, h.bid.Price, further...)
	want := error(nil)
	switch {
	case !held:
		want = ErrNoHold
	case !alive:
		want = ErrHoldOver
	case h.bid.Quantity == 0:
		want = ErrNotHeld
	}
	if !errors.Is(err, want) || (want == nil && (err != nil || lease.Quantity != q)) {
		r.t.Errorf("win: %+v, %v; want %v", lease, err, want)
	}
	if err == nil {
		delete(r.holds, sid)
		r.states[lease.ID], r.won[lease.ID], r.terms[lease.ID] = Reserved, q, lease.Duration
	}
}

func (r *randomRun) holdAndWin() {
	before := r.nextSID
	r.hold()
	r.winOf([32]byte{byte(before), byte(before >> 8)})
}

func (r *randomRun) win() { r.winOf(r.someSID()) }

func (r *randomRun) free() {
	sid := r.someSID()
	r.Free(sid)
	delete(r.holds, sid)
}

func (r *randomRun) advance() {
	leases := r.Leases()
	if len(leases) == 0 {
		return
	}
	id, to := leases[r.rnd.IntN(len(leases))].ID, Held+State(r.rnd.IntN(int(Failed)))
	allowed := r.states[id].Check(to) == nil
	_, err := r.Advance(id, to, func(l *Lease) { l.Grant = []byte{byte(to)} })
	if allowed != (err == nil) {
		r.t.Errorf("%s → %s: %v", r.states[id], to, err)
	}
	if err == nil {
		r.states[id] = to
	}
}

// renew prepares a renewal, or takes the one that is prepared.
func (r *randomRun) renew() {
	leases := r.Leases()
	if len(leases) == 0 {
		return
	}
	l := leases[r.rnd.IntN(len(leases))]
	total := time.Hour + time.Duration(r.rnd.IntN(4))*time.Hour
	if r.rnd.IntN(3) > 0 && l.Promise.Duration > 0 {
		total = l.Promise.Duration
	}
	if r.rnd.IntN(2) == 0 {
		promised, err := r.Promise(l.ID, total, func(Lease) []byte { return []byte("receipt") })
		if err == nil && (r.states[l.ID] != Active || total <= r.terms[l.ID] || promised.Duration != r.terms[l.ID]) {
			r.t.Errorf("%s of %s promised to %s", r.terms[l.ID], r.states[l.ID], total)
		}
		if err != nil && !errors.Is(err, ErrNotRenewable) {
			r.t.Error(err)
		}
		return
	}
	bound := l.Promise.Duration == total && l.Promise.Open(r.clock.read()) && r.states[l.ID] == Active
	renewed, err := r.Renew(l.ID, total, nil)
	switch {
	case bound && err != nil:
		r.t.Errorf("a promise was not kept: %v", err)
	case bound:
		r.terms[l.ID] = total
	case err == nil && total > r.terms[l.ID]:
		r.t.Errorf("renewed to %s without a promise", total)
	}
	if err == nil && renewed.Duration != r.terms[l.ID] {
		r.t.Errorf("a term of %s, want %s", renewed.Duration, r.terms[l.ID])
	}
}

func (r *randomRun) reclaim() {
	if leases := r.Leases(); len(leases) > 0 {
		l := leases[r.rnd.IntN(len(leases))]
		if _, err := r.Reclaim(l.ID); (err == nil) != (l.State.Usable() && l.Notice > 0) {
			r.t.Errorf("%s with a notice of %s: %v", l.State, l.Notice, err)
		}
	}
}

func (r *randomRun) tell() {
	for _, telling := range r.Tellings() {
		if err := r.Told(telling.Lease.ID, telling.Notice); err != nil {
			r.t.Error(err)
		}
	}
	if left := r.Tellings(); len(left) != 0 {
		r.t.Errorf("told, and %d are left", len(left))
	}
}

func (r *randomRun) pass() {
	r.clock.pass(time.Duration(r.rnd.Int64N(int64(HoldTime))))
	if r.rnd.IntN(2) == 0 {
		r.ExpireHolds()
		r.holds = r.live()
	}
}

func (r *randomRun) restart() {
	before := r.picture()
	r.reopen()
	r.restarted(before)
}

// crash leaves the ledger as it is and goes on with a copy of its file, as it
// stands at this moment.
func (r *randomRun) crash() {
	before := r.picture()
	raw := readFile(r.t, r.cfg.Path)
	r.cfg.Path = filepath.Join(r.t.TempDir(), "ledger.db")
	writeFile(r.t, r.cfg.Path, raw)
	dead := r.Ledger
	r.open()
	if err := dead.Close(); err != nil {
		r.t.Error(err)
	}
	r.restarted(before)
}

func (r *randomRun) restarted(before string) {
	clear(r.holds)
	if after := r.picture(); after != before {
		r.t.Errorf("a restart made\n%s of\n%s", after, before)
	}
	if err := r.SetCapacity(r.declared); err != nil {
		r.t.Error(err)
	}
}

// check compares the ledger with the shadow.
func (r *randomRun) check() {
	r.t.Helper()
	u := r.Usage()
	reserved, held := Resources{}, Resources{}
	add := func(sum Resources, class Class, q Quantity, policy string, further []Quantity) {
		need, err := class.Base().Times(q)
		if err != nil {
			r.t.Fatal(err)
		}
		for k, n := range need {
			sum[k] += n
		}
		if strings.HasSuffix(policy, ";with=storage") && len(further) == 1 {
			sum["storage"] += int64(further[0]) << 30
		}
	}
	leases := r.Leases()
	if len(leases) != len(r.won) {
		r.t.Errorf("%d leases, want %d", len(leases), len(r.won))
	}
	for _, l := range leases {
		if l.State != r.states[l.ID] || l.Quantity != r.won[l.ID] || l.Duration != r.terms[l.ID] || (l.State.Terminal() && l.Grant != nil) {
			r.t.Errorf("lease %s is %s, want %s", l.ID.Short(), l.State, r.states[l.ID])
		}
		if !l.State.Terminal() {
			add(reserved, l.Class, l.Quantity, l.Policy, l.Further)
		}
	}
	for _, h := range r.live() {
		add(held, h.ask.Class, h.bid.Quantity, h.ask.Policy, h.bid.Further)
	}
	if !u.Reserved.Equal(reserved) || !u.Held.Equal(held) {
		r.t.Errorf("reserved %v, held %v; want %v, %v", u.Reserved, u.Held, reserved, held)
	}
	for _, r1 := range []Resources{u.Total, u.Reserved, u.Held, u.Free} {
		for k, n := range r1 {
			if n < 0 {
				r.t.Errorf("%s is negative in %+v", k, u)
			}
		}
	}
	used, err := reserved.Plus(held)
	if err != nil {
		r.t.Fatal(err)
	}
	whole, err := used.Plus(u.Free)
	if err != nil {
		r.t.Fatal(err)
	}
	want := u.Total
	if r.declared != nil {
		want = used.Most(r.declared) // declared below what is used: the clamp
	}
	if !whole.Equal(want) {
		r.t.Errorf("used %v and free %v are not the total %v", used, u.Free, u.Total)
	}
}

// checkTorn simulates a power cut in the middle of the last commit: any of its
// data pages may have reached the disk, the meta page that makes them count has
// not, or only by half. The ledger must then be what it was before.
func (r *randomRun) checkTorn(before string, old []byte) {
	r.t.Helper()
	now, page := readFile(r.t, r.cfg.Path), os.Getpagesize()
	if len(now) < len(old) {
		return // another file: a crash
	}
	torn := make([]byte, len(now))
	copy(torn, old)
	for at := 2 * page; at < len(now); at += page {
		if r.rnd.IntN(2) == 0 {
			copy(torn[at:at+page], now[at:])
		}
	}
	for at := 0; at < 2*page; at += page {
		if string(now[at:at+page]) != string(old[at:at+page]) && r.rnd.IntN(2) == 0 {
			copy(torn[at:at+48], now[at:]) // the checksum is at its end
		}
	}
	path := filepath.Join(r.t.TempDir(), "ledger.db")
	writeFile(r.t, path, torn)
	cfg := r.cfg
	cfg.Path = path
	l, err := Open(cfg)
	if err != nil {
		r.t.Errorf("after a torn commit: %v", err)
		return
	}
	b := &bench{Ledger: l}
	if got := b.picture(); got != before {
		r.t.Errorf("a torn commit made\n%s of\n%s", got, before)
	}
	if held := b.Usage().Held; !held.Equal(nil) {
		r.t.Errorf("a hold survived: %v", held)
	}
	if err := l.Close(); err != nil {
		r.t.Error(err)
	}
}
