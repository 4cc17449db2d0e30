package match

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/netip"
	"slices"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/spare"
)

// KindStock is the stream on which two idle providers make a spare set.
const KindStock mesh.Kind = 6

// StockAsk opens such a stream: what the lower identity of a pair has for the other.
type StockAsk struct {
	Nonce []byte   `cbor:"1,keyasint"`           // 32 fresh bytes
	Have  [][]byte `cbor:"2,keyasint,omitempty"` // ids of sets, 32 bytes each, at most spare.PerPeer
}

// StockAnswer is what the other says to it.
type StockAnswer struct {
	State StockState `cbor:"1,keyasint"`
	Nonce []byte     `cbor:"2,keyasint,omitempty"` // 32 fresh bytes, if a set is to be made
}

// StockState says how the exchange goes on.
type StockState uint8

// The answers.
const (
	StockLater StockState = 0 // not now
	StockKept  StockState = 1 // one of those sets is here, too
	StockMake  StockState = 2 // none is: both send their base OTs, and then the id of what came out
)

// maxStock limits the two messages.
const maxStock = 64 + (spare.PerPeer+1)*(spareID+3)

const spareID = 32

var (
	errStockLater  = errors.New("the other end makes no set now")
	errStockAnswer = errors.New("answer about the stock makes no sense")
	errStockSet    = errors.New("the two ends have made different sets")
)

// ask is the side of the lower identity. It returns nil if both ends have a set in common at the end.
func (k *stock) ask(ctx context.Context, id identity.PeerID, addrs []netip.AddrPort) (err error) {
	link, err := k.node.Connect(ctx, id, addrs)
	if err != nil {
		return err
	}
	s, err := link.Open(ctx, KindStock)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.Reset()
			return
		}
		_ = s.Close() // by its last word the other end is done, and may have left
	}()
	defer s.Bind(ctx)()
	within(s, stockWithin)
	have, err := k.spares.Of(id)
	if err != nil {
		return err
	}
	nonce, err := k.nonce()
	if err != nil {
		return err
	}
	ask := StockAsk{Nonce: nonce}
	for _, h := range have[:min(len(have), spare.PerPeer)] {
		ask.Have = append(ask.Have, h[:])
	}
	if err = send(s, ask); err != nil {
		return err
	}
	var answer StockAnswer
	if err = receive(s, maxStock, &answer); err != nil {
		return err
	}
	switch {
	case answer.State == StockLater && answer.Nonce == nil:
		return errStockLater
	case answer.State == StockKept && answer.Nonce == nil && len(ask.Have) > 0:
		return nil
	case answer.State != StockMake || len(answer.Nonce) != nonceSize:
		return errStockAnswer
	}
	return k.make(s, 0, id, nonce, answer.Nonce)
}

// serve is the side of the higher identity.
func (k *stock) serve(ctx context.Context, s *mesh.Stream) {
	if k == nil {
		s.Reset()
		return
	}
	err := k.answer(ctx, s)
	if err != nil {
		k.log.Debug("no spare set made", "peer", s.Peer().Short(), "err", err)
		s.Reset()
	}
}

func (k *stock) answer(ctx context.Context, s *mesh.Stream) (err error) {
	peer := s.Peer()
	if !k.knows(peer) {
		return errStockStranger
	}
	defer s.Bind(ctx)()
	within(s, stockWithin)
	var ask StockAsk
	if err = receive(s, maxStock, &ask); err != nil {
		return err
	}
	if len(ask.Nonce) != nonceSize || len(ask.Have) > spare.PerPeer {
		return errStockAnswer
	}
	have, err := k.spares.Of(peer)
	if err != nil {
		return err
	}
	for _, h := range ask.Have {
		if len(h) != spareID {
			return errStockAnswer
		}
		if slices.Contains(have, spare.ID(h)) {
			return send(s, StockAnswer{State: StockKept})
		}
	}
	if !k.idle() {
		return send(s, StockAnswer{State: StockLater})
	}
	record, done := k.begin(peer)
	if record == nil {
		return send(s, StockAnswer{State: StockLater})
	}
	defer func() { done(err == nil) }()
	nonce, err := k.nonce()
	if err != nil {
		return err
	}
	if err = send(s, StockAnswer{State: StockMake, Nonce: nonce}); err != nil {
		return err
	}
	return k.make(s, 1, peer, ask.Nonce, nonce)
}

var errStockStranger = errors.New("not an acquaintance of a lower identity")

// knows tells whether a peer is one that may ask.
func (k *stock) knows(peer identity.PeerID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.met[peer] != nil && peer.Compare(k.self) < 0
}

func (k *stock) nonce() ([]byte, error) {
	b := make([]byte, nonceSize)
	_, err := io.ReadFull(k.rand, b)
	return b, err
}

// make makes a set and keeps it once both ends have named the same. This end is party 0 or 1.
func (k *stock) make(s *mesh.Stream, party int, peer identity.PeerID, low, high []byte) error {
	sid, err := k.session(s, party, peer, low, high)
	if err != nil {
		return err
	}
	making, err := spare.Make(sid, party, k.rand)
	if err != nil {
		return err
	}
	defer making.Wipe()
	theirs := make([]byte, spare.MessageSize)
	if err = swap(s, making.Message(), theirs); err != nil {
		return err
	}
	set, err := making.Finish(theirs)
	if err != nil {
		return err
	}
	defer set.Wipe()
	var named spare.ID
	if err = swap(s, set.ID[:], named[:]); err != nil {
		return err
	}
	if named != set.ID {
		return errStockSet
	}
	k.spares.Put(map[identity.PeerID]mpc.WarmPair{peer: set.Pair})
	return nil
}

// swap writes what is ours and reads as much of theirs.
func swap(s *mesh.Stream, ours, theirs []byte) error {
	if _, err := s.Write(ours); err != nil {
		return err
	}
	_, err := io.ReadFull(s, theirs)
	return err
}

// session is the sid of the base OTs: of both identities, both nonces and the connection, so
// that it never repeats while one end is honest.
func (k *stock) session(s *mesh.Stream, party int, peer identity.PeerID, low, high []byte) (sid [32]byte, err error) {
	bound, err := s.Exporter("angler/1 stock")
	if err != nil {
		return sid, err
	}
	ids := []identity.PeerID{k.self, peer}
	h := sha256.New()
	h.Write([]byte("angler/1 stock"))
	h.Write(ids[party][:])
	h.Write(ids[1-party][:])
	h.Write(low)
	h.Write(high)
	h.Write(bound)
	return [32]byte(h.Sum(nil)), nil
}
