// Package internal_test asserts the architecture: which package may import
// which. The table is the layering of docs/architecture.md; a line that has to
// change here is a decision to explain there.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/angler-dex/angler/internal/"

// layers lists, for each package, every package of ours that it may import.
// Imports point down only: a package may appear to the right of another only
// if it stands above it in this table.
var layers = []struct {
	pkg, mayImport, because string
}{
	{"wire", "", "one encoding for all that is signed or sent"},
	{"durable", "", "files that are whole or not there"},
	{"mpc/block", "", "128-bit arithmetic knows nothing"},
	{"mpc/work", "", "loops over parties on all cores"},
	{"mpc/oracle", "mpc/block", "the random oracle gives hashes and seeds"},
	{"mpc/circuit", "", "a circuit is public data"},
	{"mpc/circuit/catalog", "mpc/circuit", "circuits of the textbooks"},
	{"mpc/ot/ristretto", "", "a group of prime order"},
	{"mpc/ot", "mpc/block mpc/ot/ristretto", "oblivious transfer is built on blocks"},
	{"mpc/auth", "mpc/block mpc/ot mpc/oracle", "authenticated bits are checked correlated OTs"},
	{"mpc/triple", "mpc/block mpc/auth mpc/oracle mpc/work", "triples are made of authenticated bits"},
	{"mpc/garble", "mpc/block mpc/auth mpc/circuit mpc/triple mpc/work", "garbling consumes triples along a circuit"},
	{"mpc", "mpc/block mpc/circuit mpc/ot mpc/oracle mpc/work mpc/auth mpc/triple mpc/garble", "the flight machine does no I/O: who carries its frames is not its business"},
	{"placement", "mpc/circuit", "a placement function is a circuit and its plain twin"},
	{"placement/counts", "placement", "what placement functions cost, printed"},
	{"identity", "wire durable", "keys and certificates are used by everybody above"},
	{"market", "durable", "classes, offers and the ledger know no peer and no cluster"},
	{"mesh", "identity", "links are between identities; what they carry is not theirs to know"},
	{"dht", "durable", "the DHT gives hints about addresses, nothing else"},
	{"coord", "durable", "a space of round-trip times knows no peer but by name"},
	{"k8s/manifest", "", "a pure function from lease to objects"},
	{"k8s", "k8s/manifest", "the only package that talks to a provider's API server"},
	{"k8s/workload", "k8s", "what a requester runs in the namespace that it leased"},
	{"spare", "durable identity mpc mpc/block mpc/ot", "one-time sets are the engine's and lie between two identities; matches are not their business"},
	{"match", "wire identity market placement mesh k8s k8s/manifest mpc mpc/circuit spare", "what both sides say around the MPC"},
	{"control", "market", "the daemon's socket speaks in the market's words"},
	{"requester", "coord durable match identity market placement mesh dht k8s k8s/workload spare", "discover, choose, invite, match, claim"},
	{"operator", "control k8s k8s/manifest market", "objects of the cluster are offers of the daemon, put as a person would"},
	{"node", "operator durable match control identity market placement mesh coord dht k8s k8s/manifest spare", "the daemon's composition root"},
	{"bench", "match identity placement mesh mpc mpc/circuit", "a measurement runs what a session runs"},
	{"bench/discovery", "dht", "a measurement runs the nodes that daemons run"},
	{"cli", "durable node requester control bench bench/discovery match identity market placement mesh coord dht k8s k8s/workload mpc mpc/circuit mpc/circuit/catalog spare", "commands draw what the others do"},
}

// outside lists modules that must stay behind one door.
var outside = []struct {
	prefix, allowedIn, because string
}{
	{"github.com/quic-go/", "mesh", "the transport can be replaced"},
	{"github.com/anacrolix/", "dht", "the library needs its guards"},
	{"k8s.io/client-go", "k8s k8s/manifest k8s/workload k8s/k8stest operator", "API servers are reached through one package"},
	{"github.com/hashicorp/", "coord", "coordinates are of our own shape and bounds"},
	{"go.etcd.io/bbolt", "market", "one ledger, one owner"},
	{"github.com/expr-lang/", "market", "price expressions are compiled where they are bounded"},
	{"github.com/spf13/", "cli", "flags and files are the command line's"},
	{"charm.land/", "cli", "style is the command line's"},
}

func TestImportsPointDown(t *testing.T) {
	allowed := map[string][]string{}
	for _, l := range layers {
		for _, dep := range strings.Fields(l.mayImport) {
			if _, known := allowed[dep]; !known {
				t.Errorf("table: %s may import %s, which does not stand above it", l.pkg, dep)
			}
		}
		allowed[l.pkg] = strings.Fields(l.mayImport)
	}
	found := map[string]bool{}
	eachImport(t, func(pkg, path string) {
		found[pkg] = true
		testing := strings.HasSuffix(pkg, "test") || pkg == "mpc/ideal" || pkg == "e2e"
		if dep, ours := strings.CutPrefix(path, module); ours && !testing {
			may, known := allowed[pkg]
			if !known {
				t.Errorf("package %s has no line in the table", pkg)
			} else if !slices.Contains(may, dep) {
				t.Errorf("%s imports %s: not allowed, because %s", pkg, dep, reason(pkg))
			}
		}
		for _, o := range outside {
			if strings.HasPrefix(path, o.prefix) && !slices.Contains(strings.Fields(o.allowedIn), pkg) {
				t.Errorf("%s imports %s, which belongs in %s: %s", pkg, path, o.allowedIn, o.because)
			}
		}
	})
	for _, l := range layers {
		if !found[l.pkg] {
			t.Errorf("the table has a line for %s, which imports nothing or does not exist", l.pkg)
		}
	}
}

func reason(pkg string) string {
	for _, l := range layers {
		if l.pkg == pkg {
			return l.because
		}
	}
	return ""
}

// eachImport calls f for every import of every non-test file below internal/.
func eachImport(t *testing.T, f func(pkg, path string)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			f(filepath.ToSlash(filepath.Dir(name)), path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("only %d files below internal/: the walk is broken", files)
	}
}
