package block

import (
	"slices"
	"testing"
)

// Every path of the sums and of the transpose against the generic one. (That the
// generic one is right is asked in block_test.go, on every path as well.)
func TestPathsAgree(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		r := rng(21)
		for n := range 300 {
			samePaths(t, randBlocks(r, n), randBlocks(r, n), randBytes(r, (n+7)/8))
		}
		for _, n := range []int{511, 512, 513, 519, 520, 521, 1023, 1025, 2047, 5003} {
			samePaths(t, randBlocks(r, n), randBlocks(r, n), randBytes(r, (n+7)/8))
		}
		ones := make([]Block, 600)
		for k := range ones {
			ones[k] = Block{^uint64(0), ^uint64(0)}
		}
		samePaths(t, ones, ones, make([]byte, 75))
	})
}

func FuzzPaths(f *testing.F) {
	f.Add([]byte("seed"), uint16(1), uint8(0))
	f.Add([]byte("another"), uint16(257), uint8(3))
	f.Add([]byte{}, uint16(1031), uint8(200))
	f.Fuzz(func(t *testing.T, seed []byte, n uint16, pad uint8) {
		var key [Size]byte
		copy(key[:], seed)
		g := NewPRG(FromBytes(key[:]))
		rows, chi, bits := make([]Block, n%2048), make([]Block, n%2048), make([]byte, (n%2048+7)/8)
		g.Blocks(rows)
		g.Blocks(chi)
		g.Fill(bits)
		samePaths(t, rows, chi, bits)
		cols := make([]byte, 127*(len(bits)+int(pad))+len(bits))
		g.Fill(cols)
		sameTranspose(t, cols, len(bits)+int(pad), len(rows))
	})
}

func samePaths(t *testing.T, a, b []Block, bits []byte) {
	t.Helper()
	if InnerProduct(a, b) != innerProductGeneric(a, b) {
		t.Fatalf("%d elements: InnerProduct differs", len(a))
	}
	if InnerProductBits(bits, b) != innerProductBitsGeneric(bits, b) {
		t.Fatalf("%d elements: InnerProductBits differs", len(a))
	}
	if ColumnSums(a, b) != columnSumsGeneric(a, b) {
		t.Fatalf("%d rows: ColumnSums differs", len(a))
	}
	for k := 0; k < min(len(a), 5); k++ {
		if Mul(a[k], b[k]) != innerProductGeneric(a[k:k+1], b[k:k+1]) {
			t.Fatal("Mul differs")
		}
	}
}

// The columns end where the slice ends, and rows are written to their end only.
func sameTranspose(t *testing.T, cols []byte, stride, rows int) {
	t.Helper()
	guard := Block{1, 2}
	got, want := append(make([]Block, rows), guard), make([]Block, rows)
	Transpose(got[:rows], cols, stride, rows)
	transposeGeneric(want, cols, stride)
	if !slices.Equal(got[:rows], want) || got[rows] != guard {
		t.Fatalf("%d rows, stride %d: Transpose differs", rows, stride)
	}
}

func TestTransposePathsAgree(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		r := rng(22)
		for _, rows := range []int{1, 5, 8, 60, 64, 72, 500, 504, 505, 511, 512, 513, 576, 1024, 1500, 4097} {
			for _, pad := range []int{0, 1, 64} {
				stride := (rows+7)/8 + pad
				sameTranspose(t, randBytes(r, 127*stride+(rows+7)/8), stride, rows)
			}
		}
	})
}
