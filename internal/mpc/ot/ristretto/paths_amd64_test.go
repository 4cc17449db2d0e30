//go:build !purego

package ristretto

import "testing"

// onEveryPath runs f on the generic code and, where the machine has it, on IFMA.
func onEveryPath(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	has := ifma
	defer func() { ifma = has }()
	t.Logf("this machine has IFMA: %v", has)
	ifma = false
	t.Run("generic", f)
	if has {
		ifma = true
		t.Run("ifma", f)
	}
}

func onEveryPathB(b *testing.B, f func(b *testing.B)) {
	b.Helper()
	has := ifma
	defer func() { ifma = has }()
	ifma = false
	b.Run("generic", f)
	if has {
		ifma = true
		b.Run("ifma", f)
	}
}
