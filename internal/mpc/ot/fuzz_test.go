package ot

import (
	"bytes"
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

const fuzzRows = 137

// FuzzReceive: no message makes the holder of Δ panic, and none but the honest one of
// its length is accepted with the honest proof, unless what it changed has no effect.
func FuzzReceive(f *testing.F) {
	ks := []int{1, 2, 4, 8}
	for n, k := range ks {
		r := rng(uint64(100 + k))
		s, _ := dealt(r)
		msg := NewExtReceiver(testSID, k, s, 0, 1, fuzzRows, 0, make([]byte, 18)).Message()
		f.Add(byte(n), msg)
		f.Add(byte(n), msg[1:])
		f.Add(byte(n), make([]byte, len(msg)))
		f.Add(byte(n), bytes.Repeat([]byte{0xff}, len(msg)))
		f.Add(byte(n), append(bytes.Clone(msg[:len(msg)-1]), 0xff)) // padding
		flipped := bytes.Clone(msg)
		flipped[len(msg)/2] ^= 4
		f.Add(byte(n), flipped)
	}
	f.Add(byte(0), []byte{})
	f.Fuzz(func(t *testing.T, n byte, msg []byte) {
		k := ks[n%4]
		r := rng(uint64(100 + k))
		s, d := dealt(r)
		from := NewExtReceiver(testSID, k, s, 0, 1, fuzzRows, 0, make([]byte, 18))
		got, err := NewExtSender(testSID, k, d, 0, 1, fuzzRows, 0).Receive(msg)
		if err != nil {
			if len(msg) == MessageSize(k, fuzzRows, 0) && !errors.Is(err, ErrPadding) {
				t.Fatal(err)
			}
			return
		}
		if (got.Hash() == from.Hash()) != bytes.Equal(msg, from.Message()) {
			t.Fatal("hash does not bind the message")
		}
		K, err := got.Check(proof(r, from, 0, fuzzRows))
		if err != nil {
			if bytes.Equal(msg, from.Message()) {
				t.Fatal("honest message refused")
			}
			return
		}
		if err := correlated(from.Rows(), K, make([]byte, 18), d.Choice); err != nil {
			t.Fatalf("accepted and wrong: %v", err)
		}
	})
}

// FuzzFinish: no message makes a base OT panic, and of two parties whose ids agree
// the seeds do.
func FuzzFinish(f *testing.F) {
	r := rng(110)
	coins, choice := randBytes(r, 1<<15), randBlock(r)
	peer, err := NewBaseOT(testSID, 1, 0, randBlock(r), r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(peer.Message())
	f.Add(peer.Message()[1:])
	f.Add(make([]byte, BaseMessageSize))
	f.Add(bytes.Repeat([]byte{0xff}, BaseMessageSize))
	swapped := bytes.Clone(peer.Message())
	copy(swapped[32:64], peer.Message()[64:96])
	f.Add(swapped)
	own := newBase(f, testSID, 0, 1, choice, bytes.NewReader(coins)).Message()
	f.Fuzz(func(t *testing.T, msg []byte) {
		a := newBase(t, testSID, 0, 1, choice, bytes.NewReader(coins))
		s, d, err := a.Finish(msg)
		if err != nil {
			if bytes.Equal(msg, peer.Message()) || !errors.Is(err, ErrLength) && !errors.Is(err, ErrPoint) {
				t.Fatal(err)
			}
			return
		}
		copyOfPeer := twin(peer)
		ps, pd := finish(t, copyOfPeer, own)
		if chosen, _ := agree(s, pd); s.ID == pd.ID && chosen != Base {
			t.Fatal("seeds of one set differ")
		}
		if chosen, _ := agree(ps, d); ps.ID == d.ID && chosen != Base {
			t.Fatal("seeds of one set differ")
		}
		if d.Choice != choice || s.Pairs == [Base][2]block.Block{} {
			t.Fatal("state")
		}
	})
}
