package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// spares lists a party's spare sets.
func (w *world) spares(who string) map[string]bool {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.path(who), "spares", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]bool{}
	for _, f := range files {
		all[f] = true
	}
	return all
}

// Parties that meet again use up what they kept of the last time and keep
// something new, also if a daemon was restarted in between; what is damaged is
// not used and stops nothing.
func TestPartiesMeetAgain(t *testing.T) {
	w := newWorld(t)
	w.provider("ash", 40, "0.034")
	birch := w.provider("birch", 40, "0.031")
	w.provider("cedar", 40, "0.040")
	w.invite("quince", "requester")
	who := []string{"ash", "birch", "cedar", "quince"}
	meet := func() { w.must("quince", w.request("quince", 2, 3)...) }
	meet()
	first := map[string]map[string]bool{}
	for _, name := range who {
		w.eventually(name+" has a set for each of the others", func() bool {
			first[name] = w.spares(name)
			return len(first[name]) == 3
		})
		for f := range first[name] {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", f, info.Mode(), err)
			}
		}
	}
	meet()
	for _, name := range who {
		w.eventually(name+" has other sets", func() bool {
			now := w.spares(name)
			for f := range first[name] {
				if now[f] {
					return false
				}
			}
			return len(now) == 3
		})
	}
	before := w.spares("birch")
	birch.kill()
	w.serve("birch")
	if after := w.spares("birch"); !maps.Equal(before, after) {
		t.Errorf("a restart made of %v: %v", before, after)
	}
	meet()
	damaged := w.spares("ash")
	for f := range damaged {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err = os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	meet()
}

// A requester under an identity for once keeps nothing for another time.
func TestEphemeralRequesterKeepsNothing(t *testing.T) {
	w := newWorld(t)
	w.invite("ash", "operator")
	w.start("ash", "serve", "--listen", "127.0.0.1:0", "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.kubeconfig, "--location", "u33d",
		"--allow", "any", "--min-roster", "1")
	w.must("ash", "offer", "--cpu", "4", "--price", "0.034")
	w.invite("quince", "requester")
	w.must("quince", w.request("quince", 1, 1, "--ephemeral")...)
	if sets := w.spares("quince"); len(sets) != 0 {
		t.Errorf("kept %v", sets)
	}
	w.must("quince", w.request("quince", 1, 1)...)
	if sets := w.spares("quince"); len(sets) != 1 {
		t.Errorf("under its own identity it keeps %v", sets)
	}
}
