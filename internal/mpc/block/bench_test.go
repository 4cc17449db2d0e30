package block

import (
	"fmt"
	"testing"
)

func BenchmarkMul(b *testing.B) {
	r := rng(1)
	x, y := randBlock(r), randBlock(r)
	for b.Loop() {
		x = Mul(x, y)
	}
}

func per(b *testing.B, n int, what string) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), what)
}

func BenchmarkInnerProduct(b *testing.B) {
	r := rng(1)
	x, y := randBlocks(r, 1024), randBlocks(r, 1024)
	for b.Loop() {
		InnerProduct(x, y)
	}
	per(b, len(x), "ns/element")
}

func BenchmarkInnerProductBits(b *testing.B) {
	r := rng(1)
	x, y := randBytes(r, 128), randBlocks(r, 1024)
	for b.Loop() {
		InnerProductBits(x, y)
	}
	per(b, len(y), "ns/element")
}

func BenchmarkColumnSums(b *testing.B) {
	r := rng(1)
	x, y := randBlocks(r, 4096), randBlocks(r, 4096)
	for b.Loop() {
		ColumnSums(x, y)
	}
	per(b, len(x), "ns/row")
}

func BenchmarkTranspose(b *testing.B) {
	r := rng(1)
	const rows, stride = 8192, 1024 + 64
	cols, dst := randBytes(r, 128*stride), make([]Block, rows)
	b.SetBytes(128 * rows / 8)
	for b.Loop() {
		Transpose(dst, cols, stride, rows)
	}
}

func BenchmarkHash(b *testing.B) {
	onEveryPathB(b, func(b *testing.B) {
		r := rng(1)
		h, x, y := NewHash(randBlock(r)), randBlocks(r, 1024), randBlocks(r, 1024)
		for _, n := range []int{4, 16, 1024} {
			b.Run(fmt.Sprint("SumN=", n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					h.SumN(x[:n], y, x)
				}
				per(b, n, "ns/block")
			})
			b.Run(fmt.Sprint("SumTweaks=", n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					h.SumTweaks(x[:n], y, y[0])
				}
				per(b, n, "ns/block")
			})
		}
		b.Run("New", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				NewHash(x[0])
			}
		})
		b.Run("Sum", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x[0] = h.Sum(y[0], x[0])
			}
		})
	})
}

func BenchmarkPRG(b *testing.B) {
	b.Run("New", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewPRG(Block{1, 2})
		}
	})
	b.Run("Fill", func(b *testing.B) {
		p, buf := NewPRG(Block{1, 2}), make([]byte, 8192)
		b.SetBytes(int64(len(buf)))
		for b.Loop() {
			p.Fill(buf)
		}
	})
}
