package match_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// shelf keeps receipts, or fails to.
type shelf struct {
	mu    sync.Mutex
	files map[market.LeaseID][]byte
	full  bool
}

func (s *shelf) keep(id market.LeaseID, file []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("no space left")
	}
	s.files[id] = file
	return nil
}

func (s *shelf) fill(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

// verified is how many receipts of a lease are kept, all of which verify.
func (s *shelf) verified(t *testing.T, id market.LeaseID) int {
	t.Helper()
	s.mu.Lock()
	file, ok := s.files[id]
	s.mu.Unlock()
	if !ok {
		return 0
	}
	list, err := match.ParseReceipts(file)
	if err == nil {
		_, err = match.VerifyReceipts(list)
	}
	if err != nil {
		t.Error(err)
	}
	return len(list)
}

// "Kept by both": a provider has the receipts of a lease longer than the lease,
// and a disk that is full for a while costs none.
func TestReceiptsAreKept(t *testing.T) {
	s := &shelf{files: map[market.LeaseID][]byte{}}
	b := newLeaseBench(t, func(c *match.ProviderConfig) { c.Archive = s.keep })
	l := b.p.Reserve(b.r.Key.ID(), 3)
	g := b.mustClaim(l)
	if n := s.verified(t, l.ID); n != 0 {
		t.Errorf("%d receipts before it was confirmed", n)
	}
	if err := b.confirm(l, g); err != nil {
		t.Fatal(err)
	}
	if n := s.verified(t, l.ID); n != 1 {
		t.Errorf("%d receipts of a confirmed lease", n)
	}
	s.fill(true)
	if err := b.take(l, b.mustPrepare(l, g.Receipt, 2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := s.verified(t, l.ID); n != 1 {
		t.Errorf("%d receipts on a full disk", n)
	}
	s.fill(false)
	if err := b.release(l); err != nil {
		t.Fatal(err)
	}
	if n := s.verified(t, l.ID); n != 2 {
		t.Errorf("%d receipts of a lease that was renewed and has ended", n)
	}
	failed := b.p.Reserve(b.r.Key.ID(), 3)
	b.mustClaim(failed)
	if err := b.release(failed); err != nil {
		t.Fatal(err)
	}
	if n := s.verified(t, failed.ID); n != 0 {
		t.Errorf("%d receipts of a lease that was never confirmed", n)
	}
	// A disk that stays full keeps no lease from ending.
	s.fill(true)
	last, _ := b.activate(3)
	if err := b.release(last); err != nil {
		t.Error(err)
	}
	b.nothingLeft()
}
