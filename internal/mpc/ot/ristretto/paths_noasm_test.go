//go:build purego || !amd64

package ristretto

import "testing"

// onEveryPath runs f on the generic code, which is all that there is.
func onEveryPath(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Run("generic", f)
}

func onEveryPathB(b *testing.B, f func(b *testing.B)) {
	b.Helper()
	b.Run("generic", f)
}
