package ot

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

var update = flag.Bool("update", false, "write testdata/golden.txt")

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func digestRows(rows []block.Block) string {
	var b []byte
	for _, r := range rows {
		b = r.Append(b)
	}
	return digest(b)
}

// TestGolden pins every message and result of a seeded run. A difference is another
// protocol: commit a new file only with the protocol's version, and if you know what
// caused it.
func TestGolden(t *testing.T) {
	var out strings.Builder
	r := rng(200)
	a, b := newBase(t, testSID, 0, 1, randBlock(r), r), newBase(t, testSID, 1, 0, randBlock(r), r)
	fmt.Fprintf(&out, "F1 message of party 0      %s\n", digest(a.Message()))
	fmt.Fprintf(&out, "F1 message of party 1      %s\n", digest(b.Message()))
	s, _ := finish(t, a, b.Message())
	_, d := finish(t, b, a.Message())
	fmt.Fprintf(&out, "base set 0 → 1             %x\n", s.ID)
	fmt.Fprintf(&out, "base seeds 0 → 1           %s\n", digestRows(d.Seeds[:]))
	x := randBytes(r, 66)
	for _, k := range []int{1, 2, 4, 8} {
		from := NewExtReceiver(testSID, k, s, 0, 1, 525, 0, x)
		to, err := NewExtSender(testSID, k, d, 0, 1, 525, 0).Receive(from.Message())
		if err != nil {
			t.Fatal(err)
		}
		check := proof(r, from, 0, 525)
		K, err := to.Check(check)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "k = %d, message             %s\n", k, digest(from.Message()))
		fmt.Fprintf(&out, "k = %d, h                   %x\n", k, from.Hash())
		fmt.Fprintf(&out, "k = %d, x̃                   %x\n", k, check.XTilde.Bytes())
		fmt.Fprintf(&out, "k = %d, hash of t̃           %x\n", k, check.TTilde)
		fmt.Fprintf(&out, "k = %d, M                   %s\n", k, digestRows(from.Rows()))
		fmt.Fprintf(&out, "k = %d, K                   %s\n", k, digestRows(K))
	}
	const file = "testdata/golden.txt"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the protocol has changed:\n%s\nwant:\n%s", out.String(), want)
	}
}
