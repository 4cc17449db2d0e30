package ot

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"filippo.io/edwards25519"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/ot/ristretto"
)

// Base is the number of base OTs of a direction: one for each bit of Δ.
const Base = 128

// BaseMessageSize is the length of BaseOT.Message.
const BaseMessageSize = ristretto.Size + Base*2*ristretto.Size

// Errors of messages that no honest peer sends.
var (
	ErrLength = errors.New("message of the wrong length")
	ErrPoint  = errors.New("invalid group element in a base OT")
)

// BaseSender is one direction of the base OTs at the party that will hold the
// bits x: both seeds of each.
type BaseSender struct {
	ID    [32]byte // the same at both parties; of a cold set, the hash of its transcript
	Pairs [Base][2]block.Block
}

// BaseReceiver is one direction of the base OTs at the party that holds Δ: of
// each pair the seed that its choice bit names, Seeds[c] = Pairs[c][Choice.Bit(c)].
// Choice is Δ when the set is fresh; for a set kept from an earlier match it is
// random, and the difference to Δ is sent.
type BaseReceiver struct {
	ID     [32]byte
	Choice block.Block
	Seeds  [Base]block.Block
}

// BaseOT is one party's state of 128 base OTs in each direction with one peer,
// between its message and the peer's.
//
// Protocol: the endemic OT of Masny and Rindal (CCS 2019, eprint 2019/706), their
// one-round construction from Diffie–Hellman, so that both directions take one
// simultaneous flight. With P the generator, for OT c of the direction
// (from, to):
//
//	to:    t_c ← Z_q ; r_{c,1−b} ← G ; r_{c,b} = t_c·P − H_c,b(r_{c,1−b})     b = choice bit
//	from:  s ← Z_q ; A = s·P                                                  one s for all c
//	to → from: r_{c,0}, r_{c,1}        from → to: A
//	from:  seed_{c,v} = RO(c, v, A, r_{c,0}, r_{c,1}, s·(r_{c,v} + H_c,v(r_{c,1−v})))   v = 0, 1
//	to:    seed_{c,b} = RO(c, b, A, r_{c,0}, r_{c,1}, t_c·A)
//
// Privacy of the choice is perfect: (r_{c,0}, r_{c,1}) is uniform whatever b is. A
// simulator that programs H knows both discrete logarithms and reads both seeds of a
// malicious sender.
//
// Privacy of the other seed rests on the gap Diffie–Hellman assumption in
// ristretto255, with H and RO random oracles. Of the two values H_c,v(r_{c,1−v}) of
// an OT one is asked for later, when the element that it will be added to has
// been named in the query for the other. A reduction that guesses the two
// queries, at the price of their number in its advantage, answers the later so
// that the sum is a rerandomised challenge; the seed of that branch is unknown
// to a malicious receiver unless it asks RO for the solution, and the decision
// oracle keeps RO consistent for every other seed. Each query to RO names c, v, A and
// both elements, so this holds for all c under one A (the authors' own code
// shares A in the same way; their paper proves a single OT, from an assumption of the DDH kind).
//
// "Endemic": a malicious party may choose its own seeds (a sender both, a
// receiver its one). SoftSpoken asks for no more, and the extension hashes seeds
// again with session and set.
//
// The group is ristretto255 (RFC 9496) over filippo.io/edwards25519: prime
// order, so an element that decodes is in the group and there is no cofactor to
// clear, canonical encodings, so hashed bytes stand for elements, and a hash
// into the group. gtank/ristretto255 has the same on a frozen copy of older
// arithmetic; CIRCL brings many curves along for the one that is wanted. The identity,
// the one element that no honest party sends but with probability 2^-252, is refused.
//
// Message layout, BaseMessageSize = 8,224 bytes:
//
//	A (32, of the direction self → peer) ‖ r_{0,0} ‖ r_{0,1} ‖ … ‖ r_{127,1} (32 each, of the direction peer → self)
type BaseOT struct {
	out, in oracle // out: self holds x; in: self holds Δ
	choice  block.Block
	s       *edwards25519.Scalar
	t       [Base]*edwards25519.Scalar
	message []byte
}

// NewBaseOT draws this party's randomness (16,448 bytes, in one read) and
// computes its message. choice are its choice bits as the holder of Δ.
func NewBaseOT(sid [32]byte, self, peer int, choice block.Block, rnd io.Reader) (*BaseOT, error) {
	const scalar = 64
	coins := make([]byte, scalar+Base*(scalar+ristretto.UniformSize))
	if _, err := io.ReadFull(rnd, coins); err != nil {
		return nil, fmt.Errorf("base OT: randomness: %w", err)
	}
	take := func(n int) []byte {
		b := coins[:n]
		coins = coins[n:]
		return b
	}
	b := &BaseOT{
		out:     newOracle(sid, self, peer),
		in:      newOracle(sid, peer, self),
		choice:  choice,
		message: make([]byte, 0, BaseMessageSize),
	}
	b.s = uniformScalar(take(scalar))
	a := ristretto.BaseMul(b.s).Encode()
	b.message = append(b.message, a[:]...)
	for c := range Base {
		b.t[c] = uniformScalar(take(scalar))
		bit := byte(choice.Bit(c))
		other := ristretto.FromUniform((*[ristretto.UniformSize]byte)(take(ristretto.UniformSize))).Encode()
		chosen := ristretto.BaseMul(b.t[c]).Sub(b.in.element(c, bit, other[:])).Encode()
		b.message = appendOrdered(b.message, bit, &chosen, &other)
	}
	return b, nil
}

// Message returns what this party sends.
func (b *BaseOT) Message() []byte { return b.message }

// Finish computes the seeds of both directions from the peer's message. Its
// errors are the peer's fault: ErrLength, ErrPoint. The BaseOT is spent.
func (b *BaseOT) Finish(peerMessage []byte) (*BaseSender, *BaseReceiver, error) {
	if len(peerMessage) != BaseMessageSize {
		return nil, nil, ErrLength
	}
	sender, err := b.finishSender(b.message[:ristretto.Size], peerMessage[ristretto.Size:])
	if err != nil {
		return nil, nil, err
	}
	receiver, err := b.finishReceiver(peerMessage[:ristretto.Size], b.message[ristretto.Size:])
	if err != nil {
		return nil, nil, err
	}
	b.s, b.t = nil, [Base]*edwards25519.Scalar{}
	return sender, receiver, nil
}

// finishSender: own A, the peer's r.
func (b *BaseOT) finishSender(a, r []byte) (*BaseSender, error) {
	out := &BaseSender{ID: b.out.sum("base set", a, r)}
	for c := range Base {
		enc := r[c*2*ristretto.Size:][:2*ristretto.Size]
		for v := range byte(2) {
			own := enc[int(v)*ristretto.Size:][:ristretto.Size]
			other := enc[int(1-v)*ristretto.Size:][:ristretto.Size]
			e, err := decode(own)
			if err != nil {
				return nil, err
			}
			shared := e.Add(b.out.element(c, v, other)).Mul(b.s).Encode()
			out.Pairs[c][v] = b.out.seed(c, v, a, enc, &shared)
		}
	}
	return out, nil
}

// finishReceiver: the peer's A, own r.
func (b *BaseOT) finishReceiver(a, r []byte) (*BaseReceiver, error) {
	e, err := decode(a)
	if err != nil {
		return nil, err
	}
	out := &BaseReceiver{ID: b.in.sum("base set", a, r), Choice: b.choice}
	for c := range Base {
		shared := e.Mul(b.t[c]).Encode()
		enc := r[c*2*ristretto.Size:][:2*ristretto.Size]
		out.Seeds[c] = b.in.seed(c, byte(b.choice.Bit(c)), a, enc, &shared)
	}
	return out, nil
}

// element is H_c,v(other): a random oracle into the group.
func (o *oracle) element(c int, v byte, other []byte) ristretto.Element {
	u := o.wide("base element", []byte{byte(c), v}, other)
	return ristretto.FromUniform(&u)
}

func (o *oracle) seed(c int, v byte, a, r []byte, shared *[ristretto.Size]byte) block.Block {
	return o.block("base seed", []byte{byte(c), v}, a, r, shared[:])
}

func decode(b []byte) (ristretto.Element, error) {
	e, err := ristretto.Decode(b)
	if err != nil || subtle.ConstantTimeCompare(b, make([]byte, ristretto.Size)) == 1 {
		return ristretto.Element{}, ErrPoint
	}
	return e, nil
}

// appendOrdered appends chosen at position bit and other at the one left, without a branch.
func appendOrdered(dst []byte, bit byte, chosen, other *[ristretto.Size]byte) []byte {
	m := -bit
	var first, second [ristretto.Size]byte
	for k := range first {
		d := (chosen[k] ^ other[k]) & m
		first[k], second[k] = chosen[k]^d, other[k]^d
	}
	return append(append(dst, first[:]...), second[:]...)
}

func uniformScalar(b []byte) *edwards25519.Scalar {
	s, err := edwards25519.NewScalar().SetUniformBytes(b)
	if err != nil {
		panic(err) // the length is ours
	}
	return s
}
