package match_test

import (
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// A grant and its receipt are what was agreed, or are refused as a lie.
func TestProviderLies(t *testing.T) {
	for name, edit := range map[string]func(r *match.LeaseReply, q *match.Receipt){
		"no grant":           func(r *match.LeaseReply, _ *match.Receipt) { r.Grant = nil },
		"no TLS":             func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Server = "http://cluster.example" },
		"a path for a name":  func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Namespace = "../kube-system" },
		"no certificate":     func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.CA = []byte("exec: rm") },
		"a token of 2 lines": func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Token += "\nx" },
		"a token of old":     func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Expires = 1 },
		"fewer units":        func(_ *match.LeaseReply, q *match.Receipt) { q.Quantity-- },
		"a higher price":     func(_ *match.LeaseReply, q *match.Receipt) { q.Price++ },
		"a shorter lease":    func(_ *match.LeaseReply, q *match.Receipt) { q.Seconds-- },
		"another session":    func(_ *match.LeaseReply, q *match.Receipt) { q.SID = make([]byte, 32) },
		"for somebody else":  func(_ *match.LeaseReply, q *match.Receipt) { q.Requester[0]++ },
		"no receipt":         func(r *match.LeaseReply, _ *match.Receipt) { r.Receipt = []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			l := b.p.Reserve(b.r.Key.ID(), 3)
			b.p.Stop()
			b.p.Prepare = func(*match.Provider) {
				b.p.Node.Handle(match.KindLease, match.LyingAbout(b.p.Key, matchtest.CA(t), b.deal(l), edit))
			}
			b.p.Start()
			_, err := b.claim(l)
			if _, ok := errors.AsType[*match.LieError](err); !ok {
				t.Errorf("%v", err)
			}
		})
	}
}
