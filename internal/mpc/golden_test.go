package mpc

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestTranscripts pins every byte on the wire, given functions and seeds. A
// change here is a change of the protocol: its version has to change with it.
func TestTranscripts(t *testing.T) {
	type run struct {
		name string
		m    *trial
	}
	auction := func(providers int) Function {
		return mpctest.Auction{Providers: providers, PriceBits: 3, QuantityBits: 2}
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, "# hash of all frames of a match, by functions and seeds of the tests; only commit a change that you understand")
	for _, r := range []run{
		{"n=2 random cold k=8", &trial{seed: 1, fn: mpctest.RandomFunction(1, 2, 12, 40, 4), k: 8}},
		{"n=2 random warm k=8", &trial{seed: 1, fn: mpctest.RandomFunction(1, 2, 12, 40, 4), k: 8, sets: dealt("golden", 1, 2)}},
		{"n=3 auction cold k=2", &trial{seed: 2, fn: auction(2)}},
		{"n=3 auction warm k=4", &trial{seed: 2, fn: auction(2), k: 4, sets: dealt("golden", 2, 3)}},
		{"n=5 auction warm k=8", &trial{seed: 3, fn: auction(4), k: 8, sets: dealt("golden", 3, 5)}},
		{"n=5 conditional warm k=8", &trial{seed: 5, fn: mpctest.RandomConditional(5, 5, 30, 100, 5), k: 8, sets: dealt("golden", 5, 5)}},
		{"n=9 random warm k=2", &trial{seed: 4, fn: mpctest.RandomFunction(4, 9, 54, 350, 5), sets: dealt("golden", 4, 9)}},
	} {
		r.m.name = "golden " + r.name
		parties, res := r.m.run(t)
		requireRight(t, parties, res, r.m.inputs)
		sum := sha256.Sum256(res.Transcript[:])
		fmt.Fprintf(&out, "%s: %x\n", r.name, sum[:16])
	}
	path := filepath.Join("testdata", "transcripts.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("the wire has changed:\n%s\nwas:\n%s", out.Bytes(), want)
	}
}

// TestWorkersDoNotShow: the number of goroutines changes nothing on the wire.
func TestWorkersDoNotShow(t *testing.T) {
	var transcripts [2][32]byte
	for k := range transcripts {
		m := &trial{name: "workers", fn: mpctest.RandomFunction(1, 3, 9, 8, 2), sets: dealt("workers", 0, 3), workers: 3 * k}
		_, res := m.run(t)
		transcripts[k] = res.Transcript
	}
	if transcripts[0] != transcripts[1] {
		t.Error("one goroutine and four send different bytes")
	}
}
