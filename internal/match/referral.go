package match

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
)

// KindReferral asks a provider for others that serve a class and that it has
// dialled back, but not where their announcements lead, so that the DHT does not
// tell of them:
//
//	▶ class   ◀ signed records, at most 16, then the end
//
// A referral is a hint like any other: who is asked may leave some out, and those
// that it names prove who they are, in the pool and by their own records.
const KindReferral mesh.Kind = 8

// Bounds of referrals.
const (
	maxReferrals = 16  // in an answer
	maxReferred  = 256 // that are kept
	maxClassText = 256
	referFor     = 25 * time.Minute // after a dial-back: they come every ten
)

// referrals are those whom a Backer has reached and the DHT does not tell of.
type referrals struct {
	mu   sync.Mutex
	kept map[identity.PeerID]referral
}

type referral struct {
	raw     []byte
	classes []string
	until   time.Time
}

// add keeps the record of a provider that was reached just now.
func (r *referrals) add(rec identity.Record, raw []byte, now time.Time) {
	until := now.Add(referFor)
	if rec.Expires.Before(until) {
		until = rec.Expires
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, old := range r.kept {
		if !now.Before(old.until) {
			delete(r.kept, id)
		}
	}
	if _, again := r.kept[rec.ID]; !again && len(r.kept) == maxReferred {
		return
	}
	if r.kept == nil {
		r.kept = map[identity.PeerID]referral{}
	}
	r.kept[rec.ID] = referral{raw, rec.Classes, until}
}

// of lists records of those that serve a class, in no order.
func (r *referrals) of(class string, now time.Time) (list [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.kept {
		if len(list) < maxReferrals && slices.Contains(k.classes, class) && now.Before(k.until) {
			list = append(list, k.raw)
		}
	}
	return list
}

// Refer answers one stream of KindReferral.
func (b *Backer) Refer(_ context.Context, s *mesh.Stream) {
	within(s, readWithin)
	class, err := s.ReadFrame(maxClassText)
	if err != nil {
		s.Reset()
		return
	}
	within(s, writeWithin)
	for _, raw := range b.referrals.of(string(class), b.Now()) {
		if err := s.WriteFrame(raw); err != nil {
			return
		}
	}
}

// Referrals asks the peer of a link for providers of a class that the DHT does
// not tell of: records that are in date and, in a pool, of its certified operators.
// Whether they are where they say is for a handshake to prove.
func Referrals(ctx context.Context, link Opener, class string, pool *identity.Pool, now time.Time) ([]identity.Record, error) {
	s, err := link.Open(ctx, KindReferral)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	defer s.Bind(ctx)()
	if err = s.WriteFrame([]byte(class)); err != nil {
		return nil, err
	}
	var list []identity.Record
	for range maxReferrals {
		raw, err := s.ReadFrame(identity.MaxRecord)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return list, err
		}
		rec, err := identity.OpenRecord(raw, now)
		if err == nil {
			err = checkMember(rec, pool, now)
		}
		if err == nil {
			list = append(list, rec)
		}
	}
	return list, nil
}
