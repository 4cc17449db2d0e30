//go:build !purego

package block

import "testing"

type path struct {
	name string
	instructions
}

// paths are the generic code and the sets of instructions that this machine
// has: the narrow ones, then all.
func paths(has instructions) []path {
	narrow := instructions{aes: has.aes, avx2: has.avx2, clmul: has.clmul}
	return []path{{"generic", instructions{}}, {"narrow", narrow}, {"all", has}}
}

// onEveryPath runs f on each path.
func onEveryPath(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	has := machine
	defer func() { machine = has }()
	t.Logf("this machine: %+v", has)
	for _, p := range paths(has) {
		machine = p.instructions
		t.Run(p.name, f)
	}
}

func onEveryPathB(b *testing.B, f func(b *testing.B)) {
	b.Helper()
	has := machine
	defer func() { machine = has }()
	for _, p := range paths(has) {
		machine = p.instructions
		b.Run(p.name, f)
	}
}
