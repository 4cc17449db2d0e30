package requester

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

func testStore(t testing.TB) *Store {
	t.Helper()
	s, err := OpenStore(filepath.Join(t.TempDir(), "state", "leases [of me]*")) // a name that would upset a glob
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testLease is a lease that may be stored; n tells it from others.
func testLease(n byte) Lease {
	sid := bytes.Repeat([]byte{n}, 32)
	provider := identity.PeerID{n}
	class, err := market.ParseClass("cpu=1,memory=1Gi")
	if err != nil {
		panic(err)
	}
	l := Lease{
		SID: sid, State: Claiming, Class: class, Duration: time.Hour, Policy: "lowest-price", Roster: []byte("roster"),
		Created: time.Date(2026, 11, 20, 12, 0, int(n), 0, time.UTC),
	}
	l.add(3, 4, provider)
	return l
}

// add gives a lease one more part.
func (l *Lease) add(units market.Quantity, price market.Price, provider identity.PeerID) {
	id := market.NewLeaseID([32]byte(l.SID), provider)
	l.Parts = append(l.Parts, Part{ID: id, State: Claiming, Quantity: units, Price: price, Provider: provider, Record: []byte("record")})
	l.order()
}

// testSplit is a lease of three parts.
func testSplit(n byte) Lease {
	l := testLease(n)
	l.add(5, 2, identity.PeerID{n, 2})
	l.add(5, 6, identity.PeerID{n, 1})
	return l
}

func TestStoreKeepsEverything(t *testing.T) {
	s := testStore(t)
	want := testSplit(1)
	want.State, want.Reason = Active, "because"
	for k := range want.Parts {
		p := &want.Parts[k]
		p.State, p.Receipt, p.Signed = Active, []byte("receipt"), []byte("signed")
		p.Grant = &k8s.Grant{Server: "https://a", CA: []byte("ca"), Namespace: "n", Token: "t", Expires: want.Created}
		p.Expires, p.Reason = want.Created.Add(time.Hour), "because"
	}
	if err := s.Put(want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(want.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	a, errA := want.encode()
	b, errB := got.encode()
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("stored\n%s\nread\n%s", a, b)
	}
	for path, mode := range map[string]os.FileMode{s.Dir(): 0o700, s.path(want.ID): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, error %v", path, info.Mode(), err)
		}
	}
}

func TestStoreFindsByPrefix(t *testing.T) {
	s := testStore(t)
	var leases []Lease
	for n := range byte(40) { // some two of 32 letters begin alike
		leases = append(leases, testLease(n))
		if err := s.Put(leases[n]); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range leases {
		if got, err := s.Get(l.ID.Short()); err != nil || got.ID != l.ID {
			t.Errorf("%s: %v", l.ID.Short(), err)
		}
	}
	begin := map[byte]int{}
	for _, l := range leases {
		begin[l.ID.String()[0]]++
	}
	for letter, n := range begin {
		if _, err := s.Get(string(letter)); (n == 1) != (err == nil) || n > 1 && !errors.Is(err, ErrNoLease) {
			t.Errorf("%c, with which %d begin: %v", letter, n, err)
		}
	}
	for _, prefix := range []string{"", "*", "?", ".", "[a-z]", "/", "..", "../" + leases[0].ID.String(), "A", strings.ToUpper(leases[0].ID.Short()), leases[0].ID.String() + "a", strings.Repeat("x", 5000)} {
		if _, err := s.Get(prefix); !errors.Is(err, ErrNoLease) {
			t.Errorf("%.20q: %v", prefix, err)
		} else if len(err.Error()) > 300 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

func TestStoreListsNewestFirst(t *testing.T) {
	s := testStore(t)
	for _, n := range []byte{3, 1, 2} {
		if err := s.Put(testLease(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"notes.json", ".hidden.json", "kubeconfig", testLease(9).ID.Short() + ".kubeconfig", testLease(9).ID.String()} {
		if err := os.WriteFile(filepath.Join(s.Dir(), name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.List()
	if err != nil || len(got) != 3 || got[0].ID != testLease(3).ID || got[2].ID != testLease(1).ID {
		t.Errorf("%d leases, error %v", len(got), err)
	}
	if err := os.RemoveAll(s.Dir()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.List(); err != nil || len(got) != 0 {
		t.Errorf("without its folder: %d leases, error %v", len(got), err)
	}
}

// A file that is not what Put wrote is an error that names it, repeats nothing
// of it and hides no other lease.
func TestStoreDamagedFiles(t *testing.T) {
	good, other := testLease(1), testLease(2)
	text, err := good.encode()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, by string) []byte {
		if !bytes.Contains(text, []byte(old)) {
			t.Fatalf("no %s in %s", old, text)
		}
		return bytes.Replace(text, []byte(old), []byte(by), 1)
	}
	short := good
	short.SID = short.SID[:31]
	shortText, err := short.encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string][]byte{
		"empty":                  {},
		"cut short":              text[:len(text)/2],
		"no JSON":                []byte("sesame"),
		"an empty object":        []byte("{}"),
		"of another lease":       edit(good.ID.String(), other.ID.String()),
		"of another provider":    edit(good.Parts[0].Provider.String(), other.Parts[0].Provider.String()),
		"a short session id":     shortText,
		"an unknown state":       edit(`"claiming"`, `"sesame"`),
		"granted, without grant": bytes.ReplaceAll(text, []byte(`"claiming"`), []byte(`"granted"`)),
		"a part is not granted":  edit(`"claiming"`, `"granted"`),
		"a negative quantity":    edit(`"quantity": 3`, `"quantity": -3`),
		"too many units":         edit(`"quantity": 3`, `"quantity": 70000`),
		"an unknown class":       edit("arch=amd64", "sesame=amd64"),
		"too large":              append(bytes.Repeat([]byte(" "), maxLeaseFile), text...),
	} {
		s := testStore(t)
		if err := s.Put(other); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.path(good.ID), damage, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.Get(good.ID.String())
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), s.path(good.ID)) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", name, err)
		}
		all, err := s.List()
		if !errors.Is(err, ErrDamaged) || len(all) != 1 || all[0].ID != other.ID {
			t.Errorf("%s: %d leases, error %v", name, len(all), err)
		}
	}
}

// Whatever is in a lease's file, reading it ends in a lease that the rest of the
// program can rely on, or in an error.
func FuzzParseLease(f *testing.F) {
	l := testLease(1)
	for _, state := range states {
		l.State = state
		text, err := l.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	split := testSplit(2)
	text, err := split.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(oldFile(f))
	f.Add([]byte(`{"sid":"AA=="}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseLease(text)
		if err != nil {
			return
		}
		for _, p := range l.Parts {
			if l.deal(p, identity.PeerID{}).Lease != market.NewLeaseID([32]byte(l.SID), p.Provider) {
				t.Fatal("a part under another's id")
			}
		}
		if _, err := l.encode(); err != nil {
			t.Fatalf("it can be read, and not be written: %v", err)
		}
		usable := l.State == Granted || l.State == Active
		if _, err := l.Kubeconfig(Access{}); err != nil && usable == strings.Contains(err.Error(), "no kubeconfig") {
			t.Fatal(err)
		}
	})
}

// Many processes write and read one lease at once: every read is of a lease that
// somebody wrote, whole.
func TestStoreIsAtomic(t *testing.T) {
	s := testStore(t)
	base := testLease(1)
	if err := s.Put(base); err != nil {
		t.Fatal(err)
	}
	writes := 40
	if testing.Short() {
		writes = 10
	}
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		writers.Go(func() {
			own := &Store{dir: s.dir, replace: durable.Replace} // as another process has it
			for k := range writes {
				l := base
				l.Reason = strings.Repeat(fmt.Sprint(w), 1+1000*k)
				if err := own.Put(l); err != nil {
					t.Error(err)
				}
				if err := own.Put(testLease(byte(10 + w))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				l, err := s.Get(base.ID.String())
				if err != nil || strings.Trim(l.Reason, "0") != "" && strings.Trim(l.Reason, "1") != "" && strings.Trim(l.Reason, "2") != "" && strings.Trim(l.Reason, "3") != "" {
					t.Errorf("a lease of two writers, error %v", err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	entries, err := os.ReadDir(s.Dir())
	if err != nil || len(entries) != 5 {
		t.Errorf("%d files for 5 leases, error %v", len(entries), err)
	}
}

// A write that fails says so, leaves what was there and nothing beside it.
func TestStoreFailingWrite(t *testing.T) {
	s := testStore(t)
	if err := os.Mkdir(s.path(testLease(1).ID), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(testLease(1)); err == nil {
		t.Error("a file was put in the place of a folder")
	}
	if _, err := s.Get(testLease(1).ID.String()); err == nil {
		t.Error("a folder was read")
	}
	if entries, err := os.ReadDir(s.Dir()); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, error %v", len(entries), err)
	}
	gone := &Store{dir: filepath.Join(s.Dir(), "gone"), replace: durable.Replace}
	if err := gone.Put(testLease(1)); err == nil {
		t.Error("stored in a folder that is not there")
	}
	bad := testLease(1)
	bad.Class = market.Class{}
	if err := testStore(t).Put(bad); err == nil {
		t.Error("a lease that cannot be read back was stored")
	}
}

// What a process that died left unfinished is deleted once nobody can be at it.
func TestStoreForgetsUnfinished(t *testing.T) {
	s := testStore(t)
	if err := s.Put(testLease(1)); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(s.Dir(), "."+testLease(2).ID.String()+".json.1234")
	young := filepath.Join(s.Dir(), "."+testLease(3).ID.String()+".json.1234")
	for path, age := range map[string]time.Duration{old: 2 * time.Hour, young: time.Minute, s.path(testLease(1).ID): 1000 * time.Hour} {
		if path != s.path(testLease(1).ID) {
			if err := os.WriteFile(path, []byte("half a to"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if at := time.Now().Add(-age); os.Chtimes(path, at, at) != nil {
			t.Fatal("cannot age a file")
		}
	}
	if _, err := OpenStore(s.Dir()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("old: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("young: %v", err)
	}
	if all, err := s.List(); err != nil || len(all) != 1 {
		t.Errorf("%d leases, error %v", len(all), err)
	}
}

func TestOpenStoreWhereItCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(file); err == nil {
		t.Error("opened a file")
	}
}

// A lease does not print what it holds.
func TestLeasePrintsNoSecrets(t *testing.T) {
	l := testLease(1)
	p := &l.Parts[0]
	p.Quantity, p.Price, p.Grant = 61234, 712345678, &k8s.Grant{Token: "sesame"}
	text := fmt.Sprintf("%v %+v %#v %s %v %v %+v %#v %v", l, l, l, l, l.LogValue(), *p, *p, *p, p.LogValue())
	for _, secret := range []string{"61234", "712345678", "712.345678", "sesame"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is printed: %s", secret, text)
		}
	}
}

// The largest lease that there can be is read back: one that is not could be
// neither used nor released.
func TestStoreKeepsTheLargest(t *testing.T) {
	s := testStore(t)
	l := testLease(1)
	for n := byte(1); len(l.Parts) < match.MaxProviders; n++ {
		l.add(5, 2, identity.PeerID{1, n})
	}
	l.State = Active
	for k := range l.Parts {
		p := &l.Parts[k]
		p.State, p.Receipt, p.Record = Active, make([]byte, 2<<10), make([]byte, identity.MaxRecord)
		p.Grant = &k8s.Grant{CA: make([]byte, 64<<10), Certificate: make([]byte, 32<<10), Key: make([]byte, 32<<10)}
		for range 100 {
			p.Renewals = append(p.Renewals, Renewal{Total: market.MaxDuration, Receipt: make([]byte, 2<<10), Signed: make([]byte, 64)})
		}
	}
	if err := s.Put(l); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(l.ID.String()); err != nil || len(got.Parts[63].Renewals) != 100 {
		t.Errorf("error %v", err)
	}
	small := testLease(2)
	if err := s.Put(small); err != nil {
		t.Fatal(err)
	}
	small.Roster = make([]byte, maxLeaseFile)
	if err := s.Put(small); err == nil {
		t.Error("what cannot be read back is written")
	}
	if _, err := s.Get(small.ID.String()); err != nil {
		t.Errorf("what was there before is gone: %v", err)
	}
}

// Each proxy has a kubeconfig of its own, and what is there of a lease is found,
// and nothing of another.
func TestKubeconfigsOfALease(t *testing.T) {
	s := testStore(t)
	l, other := testLease(1), testLease(2)
	want := []string{s.KubeconfigPath(l.ID), s.ProxyPath(l.ID, 4711), s.ProxyPath(l.ID, 4712)}
	for _, path := range append(want, s.ProxyPath(other.ID, 4711), s.KubeconfigPath(other.ID)) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Kubeconfigs(l.ID)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
