package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
)

// KindDialBack asks a peer whether it can reach who asks, where its signed record
// says that it can be reached:
//
//	▶ signed record, where announcements lead: IP address ‖ port, or nothing   ◀ 1 byte
//
// The answer is 1 if that identity answers at one of the record's addresses, 2
// if so but not where announcements lead, else 0.
//
// An announcement in the DHT carries a port, and whatever address its packet
// seems to come from: behind a NAT neither may be one that others can dial. So a
// provider announces itself once somebody else has reached it, from a socket that
// it has never heard of: a NAT lets those in to whom something was sent. One that
// goes by their addresses alone and not by their ports lets that socket in too,
// and is not told from none.
//
// One whose announcements lead astray is not announced. Whoever has reached it
// elsewhere refers others to it (see KindReferral).
const KindDialBack mesh.Kind = 7

// Answers.
const (
	backNobody  = 0
	backReached = 1
	backAstray  = 2
)

// maxAddrPort is how long an address with its port is, in bytes.
const maxAddrPort = 18

// backWithin is how long all addresses of a record may take to answer.
const backWithin = 5 * time.Second

// Backer dials back who asks for it: certified operators of its pool, not too
// often, at the addresses of their own signed records, within bounds (see knocks).
type Backer struct {
	Pool *identity.Pool // nil: an open market, in which anybody may ask
	Mesh *mesh.Node
	Now  func() time.Time
	Log  *slog.Logger
	// Within is how long all addresses of a record may take to answer; 0: 5 s.
	Within time.Duration

	knocks    knocks
	referrals referrals
}

// Serve answers one stream of KindDialBack.
func (b *Backer) Serve(ctx context.Context, s *mesh.Stream) {
	answer, ok := b.answer(ctx, s)
	if !ok {
		s.Reset()
		return
	}
	within(s, writeWithin)
	if err := s.WriteFrame([]byte{answer}); err != nil {
		b.Log.Debug("not told whether it was reached", "peer", s.Peer().Short(), "err", err)
	}
}

// answer tries to reach who asks; false: it does not try, or not everywhere.
func (b *Backer) answer(ctx context.Context, s *mesh.Stream) (byte, bool) {
	within(s, readWithin)
	raw, err := s.ReadFrame(identity.MaxRecord)
	if err != nil {
		return 0, false
	}
	astray, err := readAddr(s)
	if err != nil {
		return 0, false
	}
	rec, err := checkRecord(raw, s.Peer(), b.Pool, b.Now())
	if err != nil {
		return 0, false
	}
	k, ok := b.knocks.admit(rec, astray, s.Addr().Addr(), b.Pool != nil, b.Now())
	if !ok {
		return 0, false
	}
	defer b.knocks.done()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(b.Within, backWithin))
	defer cancel()
	var found error
	var led sync.WaitGroup
	if k.astray.IsValid() {
		led.Go(func() { found = b.Mesh.Probe(ctx, rec.ID, []netip.AddrPort{k.astray}) })
	} else if astray.IsValid() {
		found = errUnroutable
	}
	err = b.Mesh.Probe(ctx, rec.ID, k.at)
	led.Wait()
	switch {
	case err != nil:
		return backNobody, !k.some // it may well be where we did not knock
	case found != nil:
		b.referrals.add(rec, raw, b.Now())
		return backAstray, true
	}
	return backReached, true
}

// errUnroutable says that an address is none for us.
var errUnroutable = errors.New("an address of another network")

// readAddr reads an address and its port, or none.
func readAddr(s *mesh.Stream) (netip.AddrPort, error) {
	raw, err := s.ReadFrame(maxAddrPort)
	if err != nil || len(raw) == 0 {
		return netip.AddrPort{}, err
	}
	return parseAddr(raw)
}

// parseAddr reads what netip.AddrPort.MarshalBinary writes: an address at which
// somebody can be dialled.
func parseAddr(raw []byte) (at netip.AddrPort, err error) {
	if err = at.UnmarshalBinary(raw); err == nil && !identity.Dialable(at) {
		err = errUnroutable
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	return at, nil
}

// What a peer that was asked to dial back has found.
var (
	// ErrUnreachable: it could not reach us at any address of our record.
	ErrUnreachable = errors.New("nobody answers as us at the addresses that we advertise")
	// ErrAstray: it could, but not where our announcements lead.
	ErrAstray = errors.New("nobody answers as us where our announcements lead")
)

// DialBack asks the peer of a link to reach us where our signed record says, and
// where announcements of us lead if that is another address; invalid: it is not.
// The error wraps ErrUnreachable or ErrAstray if it tried and could not; any other
// says that it did not try, or not everywhere.
func DialBack(ctx context.Context, link Opener, record []byte, astray netip.AddrPort) error {
	s, err := link.Open(ctx, KindDialBack)
	if err != nil {
		return err
	}
	defer s.Close()
	defer s.Bind(ctx)()
	if err = s.WriteFrame(record); err != nil {
		return err
	}
	var at []byte
	if astray.IsValid() {
		if at, err = astray.MarshalBinary(); err != nil {
			return err
		}
	}
	if err = s.WriteFrame(at); err != nil {
		return err
	}
	answer, err := s.ReadFrame(1)
	switch {
	case err != nil:
		return err
	case len(answer) != 1 || answer[0] > backAstray:
		return fmt.Errorf("dial back: %x is no answer", answer)
	case answer[0] == backAstray && !astray.IsValid():
		return errors.New("dial back: told of an address that was not asked about")
	case answer[0] == backNobody:
		return ErrUnreachable
	case answer[0] == backAstray:
		return ErrAstray
	}
	return nil
}
