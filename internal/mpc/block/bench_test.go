package block

import (
	"fmt"
	"testing"
)

func per(b *testing.B, n int, what string) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), what)
}

func BenchmarkSums(b *testing.B) {
	onEveryPathB(b, func(b *testing.B) {
		r := rng(1)
		x, y, bits := randBlocks(r, 4096), randBlocks(r, 4096), randBytes(r, 512)
		b.Run("Mul", func(b *testing.B) {
			for b.Loop() {
				x[0] = Mul(x[0], y[0])
			}
		})
		for what, f := range map[string]func(){
			"InnerProduct":     func() { InnerProduct(x, y) },
			"InnerProductBits": func() { InnerProductBits(bits, y) },
			"ColumnSums":       func() { ColumnSums(x, y) },
		} {
			b.Run(what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
				per(b, len(x), "ns/element")
			})
		}
	})
}

func BenchmarkTranspose(b *testing.B) {
	onEveryPathB(b, func(b *testing.B) {
		r := rng(1)
		const rows, stride = 8192, 1024 + 64
		cols, dst := randBytes(r, 128*stride), make([]Block, rows)
		b.SetBytes(128 * rows / 8)
		b.ReportAllocs()
		for b.Loop() {
			Transpose(dst, cols, stride, rows)
		}
	})
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
	onEveryPathB(b, func(b *testing.B) {
		b.Run("Reset", func(b *testing.B) {
			b.ReportAllocs()
			var p PRG
			for b.Loop() {
				p.Reset(Block{1, 2}, Block{})
			}
		})
		for _, n := range []int{64, 1680, 8192} {
			b.Run(fmt.Sprint("Fill=", n), func(b *testing.B) {
				p, buf := NewPRG(Block{1, 2}), make([]byte, n)
				b.SetBytes(int64(len(buf)))
				b.ReportAllocs()
				for b.Loop() {
					p.Fill(buf)
				}
			})
		}
	})
}
