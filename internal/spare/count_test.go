package spare

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
)

// TestWhatIsKept: the sets are told by the names of their files, and nothing else is.
func TestWhatIsKept(t *testing.T) {
	dir := folder(t)
	s := open(t, dir)
	a, b := identity.PeerID{1}, identity.PeerID{2}
	first, second, third := mint(t, 1), mint(t, 2), mint(t, 3)
	s.only(first, a)
	s.only(second, a)
	s.only(third, b)
	id := idOf(first)
	for _, name := range []string{"", "x", a.String() + "-00.set", a.String() + "-zz" + fileName(a, id)[len(a.String())+3:], fileName(a, id) + taken, unborn + "1"} {
		if err := os.WriteFile(filepath.Join(dir, "other"+name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	peers, err := s.Peers()
	if err != nil || len(peers) != 2 || peers[a] != 2 || peers[b] != 1 {
		t.Fatalf("kept %v, error %v", peers, err)
	}
	ids, err := s.Of(b)
	if err != nil || len(ids) != 1 || ids[0] != idOf(third) || ids[0] != idOf(mirror(third)) {
		t.Errorf("ids %x, error %v", ids, err)
	}
	set, ok := s.Take(b, ids[0])
	if !ok || set.ID != ids[0] {
		t.Error("a set that is listed cannot be taken")
	}
	if ids, err = s.Of(b); err != nil || len(ids) != 0 {
		t.Errorf("ids %x, error %v", ids, err)
	}
	var none *Store
	if peers, err = none.Peers(); err != nil || len(peers) != 0 {
		t.Errorf("no store keeps %v, error %v", peers, err)
	}
	none.Put(map[identity.PeerID]mpc.WarmPair{a: first})
}
