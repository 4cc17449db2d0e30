package ot

import (
	"fmt"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// benchRows is what a directed pair needs at 800 AND gates, B = 5.
const benchRows = 16*800 + 640

func BenchmarkExtReceiver(b *testing.B) {
	for _, k := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			r := rng(1)
			s, _ := dealt(r)
			x := randBytes(r, benchRows/8)
			for b.Loop() {
				NewExtReceiver(testSID, k, s, 0, 1, benchRows, 0, x)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/OT")
		})
	}
}

func BenchmarkExtSender(b *testing.B) {
	for _, k := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			r := rng(1)
			s, d := dealt(r)
			from := NewExtReceiver(testSID, k, s, 0, 1, benchRows, 0, randBytes(r, benchRows/8))
			to := NewExtSender(testSID, k, d, 0, 1, benchRows, 0)
			for b.Loop() {
				if _, err := to.Receive(from.Message()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/OT")
		})
	}
}

func BenchmarkTilde(b *testing.B) {
	r := rng(1)
	s, _ := dealt(r)
	from := NewExtReceiver(testSID, 4, s, 0, 1, benchRows, 0, randBytes(r, benchRows/8))
	chi := chis(r, benchRows)
	for b.Loop() {
		from.Tilde(0, benchRows, chi)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/OT")
}

// BenchmarkBaseOT is one party's part of both directions.
func BenchmarkBaseOT(b *testing.B) {
	r := rng(1)
	peer, err := NewBaseOT(testSID, 1, 0, randBlock(r), r)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		o, err := NewBaseOT(testSID, 0, 1, block.Block{Lo: 5}, r)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := o.Finish(peer.Message()); err != nil {
			b.Fatal(err)
		}
	}
}
