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

	var uniform [ristretto.Lanes][ristretto.UniformSize]byte
	var other, chosen [ristretto.Lanes][ristretto.Size]byte
	var e ristretto.Batch
	for c := 0; c < Base; c += ristretto.Lanes {
		t := (*[ristretto.Lanes]*edwards25519.Scalar)(b.t[c:])
		for k := range ristretto.Lanes {
			t[k] = uniformScalar(take(scalar))
			uniform[k] = [ristretto.UniformSize]byte(take(ristretto.UniformSize))
		}
		ristretto.BatchFromUniform(&uniform).Encode(&other)
		for k := range ristretto.Lanes {
			uniform[k] = b.in.element(c+k, byte(choice.Bit(c+k)), other[k][:])
		}
		ristretto.BaseTable().Mul(&e, t)
		e.Sub(&e, ristretto.BatchFromUniform(&uniform))
		e.Encode(&chosen)
		for k := range ristretto.Lanes {
			b.message = appendOrdered(b.message, byte(choice.Bit(c+k)), &chosen[k], &other[k])
		}
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
	b.Destroy()
	return sender, receiver, nil
}

// Destroy wipes the choice and the exponents. Finish does so when it succeeds.
func (b *BaseOT) Destroy() {
	if b.s == nil {
		return
	}
	*b.s = edwards25519.Scalar{}
	for _, t := range b.t {
		*t = edwards25519.Scalar{}
	}
	b.choice, b.s, b.t = block.Block{}, nil, [Base]*edwards25519.Scalar{}
}

// finishSender: own A, the peer's r.
func (b *BaseOT) finishSender(a, r []byte) (*BaseSender, error) {
	out := &BaseSender{ID: b.out.sum("base set", a, r)}
	var uniform [ristretto.Lanes][ristretto.UniformSize]byte
	var shared [ristretto.Lanes][ristretto.Size]byte
	const size, pairs = ristretto.Size, ristretto.Lanes / 2
	for c := 0; c < Base; c += pairs {
		enc := r[c*2*size:][:pairs*2*size]
		e, err := decode((*[ristretto.Lanes * size]byte)(enc))
		if err != nil {
			return nil, err
		}
		for k := range ristretto.Lanes { // lane 2j + v is branch v of OT c + j
			uniform[k] = b.out.element(c+k/2, byte(k&1), enc[(k^1)*size:][:size])
		}
		e.Add(e, ristretto.BatchFromUniform(&uniform))
		e.Mul(b.s, e)
		e.Encode(&shared)
		for k := range ristretto.Lanes {
			out.Pairs[c+k/2][k&1] = b.out.seed(c+k/2, byte(k&1), a, enc[k/2*2*size:][:2*size], &shared[k])
		}
	}
	return out, nil
}

// finishReceiver: the peer's A, own r.
func (b *BaseOT) finishReceiver(a, r []byte) (*BaseReceiver, error) {
	e, err := ristretto.Decode(a)
	if err != nil || subtle.ConstantTimeCompare(a, identity[:]) == 1 {
		return nil, ErrPoint
	}
	table := ristretto.NewTable(e)
	out := &BaseReceiver{ID: b.in.sum("base set", a, r), Choice: b.choice}
	var shared [ristretto.Lanes][ristretto.Size]byte
	var products ristretto.Batch
	for c := 0; c < Base; c += ristretto.Lanes {
		table.Mul(&products, (*[ristretto.Lanes]*edwards25519.Scalar)(b.t[c:]))
		products.Encode(&shared)
		for k := range shared {
			enc := r[(c+k)*2*ristretto.Size:][:2*ristretto.Size]
			out.Seeds[c+k] = b.in.seed(c+k, byte(b.choice.Bit(c+k)), a, enc, &shared[k])
		}
	}
	return out, nil
}

// element is what becomes H_c,v(other), a random oracle into the group, by
// ristretto.FromUniform.
func (o *oracle) element(c int, v byte, other []byte) [ristretto.UniformSize]byte {
	return o.wide("base element", []byte{byte(c), v}, other)
}

func (o *oracle) seed(c int, v byte, a, r []byte, shared *[ristretto.Size]byte) block.Block {
	return o.block("base seed", []byte{byte(c), v}, a, r, shared[:])
}

var identity [ristretto.Size]byte

// decode refuses the identity, too.
func decode(b *[ristretto.Lanes * ristretto.Size]byte) (*ristretto.Batch, error) {
	for k := 0; k < len(b); k += ristretto.Size {
		if subtle.ConstantTimeCompare(b[k:k+ristretto.Size], identity[:]) == 1 {
			return nil, ErrPoint
		}
	}
	e, err := ristretto.DecodeBatch(b)
	if err != nil {
		return nil, ErrPoint
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
