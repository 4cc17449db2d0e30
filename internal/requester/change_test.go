package requester

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// racer tells a process of this test's own what to write, and where.
const racer = "ANGLER_TEST_RACER"

// race writes, as a command that learns something of one lease again and again:
// tokens, or renewals.
func race(dir, what string, rounds int) error {
	s, err := OpenStore(dir)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	for n := range rounds {
		leases, err := s.List()
		if err != nil || len(leases) != 1 {
			return fmt.Errorf("%d leases, %w", len(leases), err)
		}
		base := leases[0]
		p := base.Parts[0]
		if what == "token" {
			g := *p.Grant
			g.Token = fmt.Sprint(what, n)
			p.Grant = &g
		} else {
			total := base.Term(p) + time.Hour
			p.Renewals = append(p.Renewals, Renewal{Total: total, Receipt: fmt.Append(nil, n)})
			p.Expires = p.Expires.Add(time.Hour)
		}
		if _, err := s.Note(base, base.with([]Part{p})); err != nil {
			return err
		}
	}
	return nil
}

// "angler lease token" beside "angler lease renew", in processes of their own:
// what each has learned is stored, whoever writes in between.
func TestTwoProcessesWriteOneLease(t *testing.T) {
	const rounds = 60
	if what := os.Getenv(racer); what != "" {
		kind, dir, _ := strings.Cut(what, " ")
		if err := race(dir, kind, rounds); err != nil {
			t.Fatal(err)
		}
		return
	}
	s := testStore(t)
	l := testLease(1)
	l.State = Active
	l.Parts[0].State, l.Parts[0].Receipt, l.Parts[0].Grant = Active, []byte("r"), &k8s.Grant{Token: "first"}
	l.Parts[0].Expires = l.Created.Add(l.Duration)
	if err := s.Put(l); err != nil {
		t.Fatal(err)
	}
	var started, ended []func() error
	for _, kind := range []string{"token", "renew", "token"} {
		c := exec.Command(os.Args[0], "-test.run=^TestTwoProcessesWriteOneLease$")
		c.Env = append(os.Environ(), racer+"="+kind+" "+s.Dir())
		c.Stderr = os.Stderr
		in, inErr := c.StdinPipe()
		out, outErr := c.StdoutPipe()
		if err := errors.Join(inErr, outErr, c.Start()); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); err != nil || line != "ready\n" {
			t.Fatalf("%q, %v", line, err)
		}
		started = append(started, func() error { _, err := in.Write([]byte("go\n")); return err })
		ended = append(ended, func() error {
			said, err := io.ReadAll(lines)
			if err = errors.Join(err, c.Wait()); err != nil {
				return fmt.Errorf("%w\n%s", err, said)
			}
			return nil
		})
	}
	for _, goOn := range started {
		if err := goOn(); err != nil {
			t.Fatal(err)
		}
	}
	for _, wait := range ended {
		if err := wait(); err != nil {
			t.Error(err)
		}
	}
	got, err := s.Get(l.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	p := got.Parts[0]
	if len(p.Renewals) != rounds || got.Term(p) != l.Duration+rounds*time.Hour || !p.Expires.Equal(l.Created.Add(l.Duration+rounds*time.Hour)) {
		t.Errorf("%d renewals of %d are stored, until %v", len(p.Renewals), rounds, p.Expires)
	}
	if p.Grant.Token != fmt.Sprint("token", rounds-1) {
		t.Errorf("the token is %q", p.Grant.Token)
	}
}

// Nothing goes back: who is late with a token of a lease that was given back, or
// with its grant, changes nothing; nor is one that was renewed found to be over.
func TestNoteOnlyGoesForward(t *testing.T) {
	s := testStore(t)
	old := testLease(1)
	old.State = Active
	old.Parts[0].State, old.Parts[0].Receipt, old.Parts[0].Grant = Active, []byte("r"), &k8s.Grant{Token: "t"}
	old.Parts[0].Expires = old.Created.Add(old.Duration)
	given := old.with([]Part{old.Parts[0]})
	given.State, given.Parts[0].State, given.Parts[0].Grant = Released, Released, nil
	if err := s.Put(given); err != nil {
		t.Fatal(err)
	}
	late := old.with([]Part{old.Parts[0]})
	late.Parts[0].Grant = &k8s.Grant{Token: "late"}
	claimed := old.with([]Part{old.Parts[0]})
	claimed.State, claimed.Parts[0].State = Granted, Granted
	for name, note := range map[string][2]Lease{"token": {old, late}, "confirmation": {claimed, old}} {
		if l, err := s.Note(note[0], note[1]); err != nil || l.State != Released || l.Parts[0].State != Released || l.Parts[0].Grant != nil {
			t.Errorf("%s: %v, %v, %v", name, l, l.Parts[0], err)
		}
	}
	// Who is late with a renewal that another has renewed again.
	once, twice := old.with([]Part{old.Parts[0]}), old.with([]Part{old.Parts[0]})
	once.Parts[0].Renewals, once.Parts[0].Expires = []Renewal{{Total: 2 * time.Hour}}, old.Created.Add(2*time.Hour)
	twice.Parts[0].Renewals, twice.Parts[0].Expires = []Renewal{{Total: 2 * time.Hour}, {Total: 3 * time.Hour}}, old.Created.Add(3*time.Hour)
	if err := s.Put(twice); err != nil {
		t.Fatal(err)
	}
	if l, err := s.Note(old, once); err != nil || len(l.Parts[0].Renewals) != 2 || !l.Parts[0].Expires.Equal(twice.Parts[0].Expires) {
		t.Errorf("%d renewals, until %v, %v", len(l.Parts[0].Renewals), l.Parts[0].Expires, err)
	}
	renewed := old.with([]Part{old.Parts[0]})
	renewed.Parts[0].Expires = renewed.Parts[0].Expires.Add(time.Hour)
	if err := s.Put(renewed); err != nil {
		t.Fatal(err)
	}
	if l, _, ok, err := s.Expire(old, old.Ends().Add(market.Grace)); ok || err != nil || l.State != Active {
		t.Errorf("one that was renewed meanwhile is over: %v, %v", l, err)
	}
}

// An edit that fails writes nothing, and lets go of the file; what is not there
// cannot be changed.
func TestChangeThatFails(t *testing.T) {
	s := testStore(t)
	l := testLease(1)
	if _, err := s.Change(l.ID, func(*Lease) error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no lease: %v", err)
	}
	if err := s.Put(l); err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	for range 2 {
		if _, err := s.Change(l.ID, func(l *Lease) error { l.Reason = "changed"; return no }); !errors.Is(err, no) {
			t.Errorf("an edit that fails: %v", err)
		}
	}
	var writing sync.WaitGroup
	for range 8 {
		writing.Go(func() {
			if _, err := s.Change(l.ID, func(l *Lease) error { l.Reason += "x"; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	if got, err := s.Get(l.ID.String()); err != nil || got.Reason != strings.Repeat("x", 8) {
		t.Errorf("%q, %v", got.Reason, err)
	}
}
