package catalog

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

var update = flag.Bool("update", false, "write the golden file anew; commit the change only if you understand what caused it")

const golden = "../../../../testdata/circuits/catalog.txt"

// Sizes and hashes of all circuits of the catalog: a change of the builder that changes a circuit shows here.
func TestGoldenSizes(t *testing.T) {
	roles := Roles{Parties: 2, Left: 1, Right: 0, Recipients: []int{0}}
	var lines strings.Builder
	add := func(name string, c *circuit.Circuit, err error) {
		if err != nil {
			t.Fatal(err)
		}
		hash := c.Hash()
		fmt.Fprintf(&lines, "%s: %v, hash %x\n", name, c.Stats(), hash[:8])
	}
	for _, bits := range []int{8, 32, 64} {
		c, err := Adder(roles, bits)
		add(fmt.Sprintf("adder-%d", bits), c, err)
		c, err = Comparator(roles, bits)
		add(fmt.Sprintf("comparator-%d", bits), c, err)
	}
	c, err := AES128(roles)
	add("aes-128", c, err)
	c, err = SHA256Compress(roles)
	add("sha-256-compression", c, err)
	if *update {
		if err = os.WriteFile(golden, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if lines.String() != string(want) {
		t.Errorf("the circuits changed:\n%swant\n%s", lines.String(), want)
	}
}
