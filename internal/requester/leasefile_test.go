package requester

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// oldFile is the file of an active lease as versions wrote it in which a lease
// had no parts.
func oldFile(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "lease-before-parts.json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFilesOfBeforePartsAreRead(t *testing.T) {
	text := oldFile(t)
	s, want := testStore(t), testLease(1)
	if err := os.WriteFile(s.path(want.ID), text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := s.Get(want.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	if l.ID != want.ID || l.State != Active || l.Class != want.Class || l.Duration != want.Duration || l.Reason != "because" || len(l.Parts) != 1 {
		t.Errorf("read as %#v", l)
	}
	p := l.Parts[0]
	if p.ID != want.ID || p.State != Active || p.Quantity != 3 || p.Price != 4 || p.Provider != want.Parts[0].Provider ||
		string(p.Record) != "record" || p.Grant == nil || p.Grant.Token != "t" || string(p.Receipt) != "receipt" || !p.Expires.Equal(l.Created.Add(l.Duration)) {
		t.Errorf("its part is read as %#v", p)
	}
	if err = s.Put(l); err != nil {
		t.Fatal(err)
	}
	again, err := s.Get(want.ID.String())
	if err != nil || len(again.Parts) != 1 || again.Parts[0].Grant == nil {
		t.Errorf("written anew it is %#v, error %v", again, err)
	}
}

// What a split lease's file must not say.
func TestDamagedParts(t *testing.T) {
	for name, damage := range map[string]func(*Lease){
		"no parts":                  func(l *Lease) { l.Parts = []Part{} },
		"one part twice":            func(l *Lease) { l.Parts = append(l.Parts, l.Parts[2]) },
		"a part of another session": func(l *Lease) { l.Parts[1].ID[0]++ },
		"under a part's id":         func(l *Lease) { l.ID = l.Parts[0].ID },
		"parts out of order":        func(l *Lease) { slices.Reverse(l.Parts) },
		"more units than there are": func(l *Lease) { l.Parts[0].Quantity, l.Parts[1].Quantity = 40000, 39999 },
		"a part that is releasing":  func(l *Lease) { l.Parts[0].State = Releasing },
		"active, a part claiming":   func(l *Lease) { l.State = Active },
		"one part left": func(l *Lease) {
			l.Parts = l.Parts[:1]
		},
	} {
		l := testSplit(1)
		damage(&l)
		text, err := l.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseLease(text); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// A kubeconfig has a context a part, named by the part's place, the largest part
// first and current.
func TestKubeconfigOfParts(t *testing.T) {
	ca := matchtest.CA(t)
	for n, want := range map[int][]string{1: {""}, 3: {"-1", "-2", "-3"}, 11: {"-01", "-02", "-03", "-04", "-05", "-06", "-07", "-08", "-09", "-10", "-11"}} {
		l := testLease(1)
		l.State = Active
		for k := 1; k < n; k++ {
			l.add(market.Quantity(3+k), 4, identity.PeerID{1, byte(k)})
		}
		for k := range l.Parts {
			l.Parts[k].State = Active
			l.Parts[k].Grant = &k8s.Grant{Server: "https://a.example:6443", CA: ca, Namespace: "ns-" + l.Parts[k].ID.Short(), Token: "t"}
		}
		via := map[market.LeaseID]string{l.Parts[0].ID: "127.0.0.1:4711"}
		for name, access := range map[string]Access{"static": {}, "exec": {Token: []string{"/bin/angler", "lease", "token"}}, "proxy": {Proxies: via}} {
			text, err := l.Kubeconfig(access)
			if err != nil {
				t.Fatal(err)
			}
			var k struct {
				Current  string `json:"current-context"`
				Contexts []struct {
					Name    string
					Context struct{ Cluster, User, Namespace string }
				}
				Clusters []struct {
					Name    string
					Cluster struct {
						Server string
						TLS    string `json:"tls-server-name"`
					}
				}
				Users []struct {
					Name string
					User struct {
						Token string
						Exec  *struct {
							Command string
							Args    []string
						}
					}
				}
			}
			if err := yaml.Unmarshal(text, &k); err != nil {
				t.Fatal(err)
			}
			if k.Current != "angler-"+l.ID.Short()+want[0] || len(k.Contexts) != n {
				t.Fatalf("%d parts, %s: current %s of %d", n, name, k.Current, len(k.Contexts))
			}
			for i, c := range k.Contexts {
				p := l.Parts[i]
				if c.Name != "angler-"+l.ID.Short()+want[i] || c.Context.Namespace != p.Grant.Namespace || c.Context.User != c.Name || c.Context.Cluster != c.Name {
					t.Errorf("%d parts, %s: context %+v", n, name, c)
				}
				u := k.Users[i].User
				if exec := u.Exec; name == "exec" && (u.Token != "" || exec == nil || exec.Command != "/bin/angler" || !slices.Equal(exec.Args, []string{"lease", "token", p.ID.String()})) {
					t.Errorf("its user is %+v", u)
				} else if name != "exec" && (u.Token != "t" || exec != nil) {
					t.Errorf("its user is %+v", u)
				}
				if s := k.Clusters[i].Cluster; name == "proxy" && i == 0 && (s.Server != "https://127.0.0.1:4711" || s.TLS != "a.example") || (name != "proxy" || i > 0) && s.Server != "https://a.example:6443" {
					t.Errorf("its server is %+v", s)
				}
			}
			if name == "exec" && bytes.Contains(text, []byte("token: ")) {
				t.Error("a token stands in the file")
			}
		}
	}
}
