package match_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/wire"
)

// A lease that was renewed twice leaves the same receipts on both sides, which
// verify without anybody.
func TestReceiptsOfALease(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	ours := []match.SignedReceipt{{Receipt: g.Receipt, Provider: g.Signed, Requester: match.SignReceipt(b.r.Key, g.Receipt)}}
	for _, total := range []time.Duration{2 * time.Hour, 3 * time.Hour} {
		r := b.mustPrepare(l, ours[len(ours)-1].Receipt, total)
		if err := b.take(l, r); err != nil {
			t.Fatal(err)
		}
		ours = append(ours, match.SignedReceipt{Receipt: r.Receipt, Provider: r.Signed, Requester: match.SignReceipt(b.r.Key, r.Receipt)})
	}
	if err := b.release(l); err != nil {
		t.Fatal(err)
	}
	theirs, err := match.Receipts(b.p.Lease(l.ID).Receipt)
	if err != nil {
		t.Fatal(err)
	}
	file := match.MarshalReceipts(ours)
	if !bytes.Equal(file, match.MarshalReceipts(theirs)) {
		t.Error("the two sides hold other receipts")
	}
	list, err := match.ParseReceipts(file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := match.VerifyReceipts(list)
	if err != nil || len(read) != 3 || read[2].Seconds != 3*3600 || read[0].Provider != b.p.Key.ID() || read[0].Requester != b.r.Key.ID() {
		t.Errorf("%v, %v", read, err)
	}
}

// receiptOf is a receipt that both have signed.
func receiptOf(provider, requester *identity.Key, edit func(*match.Receipt)) match.SignedReceipt {
	r := match.Receipt{
		SID: make([]byte, 32), Lease: make([]byte, 32), Manifest: make([]byte, 32), Provider: provider.ID(), Requester: requester.ID(),
		Class: "cpu=1", Quantity: 3, Price: 7, Seconds: 3600, Policy: "lowest-price",
	}
	edit(&r)
	raw := r.Encode()
	return match.SignedReceipt{Receipt: raw, Provider: match.SignReceipt(provider, raw), Requester: match.SignReceipt(requester, raw)}
}

// "Both signatures checked": whatever is changed in a receipt, or signed by
// whom it does not name, does not verify.
func TestReceiptForgeries(t *testing.T) {
	provider, requester, other := matchtest.Key(t), matchtest.Key(t), matchtest.Key(t)
	same := func(*match.Receipt) {}
	good := receiptOf(provider, requester, same)
	if _, err := match.VerifyReceipts([]match.SignedReceipt{good}); err != nil {
		t.Fatal(err)
	}
	edited := func(edit func(*match.Receipt)) []byte {
		s := receiptOf(provider, requester, edit)
		return s.Receipt
	}
	renewal := func(edit func(*match.Receipt)) []match.SignedReceipt {
		return []match.SignedReceipt{good, receiptOf(provider, requester, func(r *match.Receipt) {
			hash := sum(good.Receipt)
			r.Seconds, r.Previous = 7200, hash[:]
			edit(r)
		})}
	}
	if _, err := match.VerifyReceipts(renewal(same)); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		list []match.SignedReceipt
		want error
		says string
	}{
		"no requester":          {[]match.SignedReceipt{{Receipt: good.Receipt, Provider: good.Provider}}, match.ErrUnsigned, "requester"},
		"no provider":           {[]match.SignedReceipt{{Receipt: good.Receipt, Requester: good.Requester}}, match.ErrUnsigned, "provider"},
		"swapped":               {[]match.SignedReceipt{{Receipt: good.Receipt, Provider: good.Requester, Requester: good.Provider}}, identity.ErrNotSigned, "provider"},
		"by another requester":  {[]match.SignedReceipt{{Receipt: good.Receipt, Provider: good.Provider, Requester: match.SignReceipt(other, good.Receipt)}}, identity.ErrNotSigned, "requester"},
		"at another price":      {[]match.SignedReceipt{{Receipt: edited(func(r *match.Receipt) { r.Price++ }), Provider: good.Provider, Requester: good.Requester}}, identity.ErrNotSigned, "provider"},
		"not a receipt":         {[]match.SignedReceipt{{Receipt: []byte("x"), Provider: good.Provider, Requester: good.Requester}}, wire.ErrMalformed, ""},
		"renewal alone":         {renewal(same)[1:], nil, "the one before it"},
		"renewal twice":         {append(renewal(same), renewal(same)[1]), match.ErrOtherDeal, "receipt 3 of 3"},
		"first twice":           {[]match.SignedReceipt{good, good}, match.ErrOtherDeal, "receipt 2 of 2"},
		"renewal of another":    {renewal(func(r *match.Receipt) { r.Previous[0]++ }), match.ErrOtherDeal, ""},
		"renewal at a price":    {renewal(func(r *match.Receipt) { r.Price++ }), match.ErrOtherDeal, ""},
		"renewal to be shorter": {renewal(func(r *match.Receipt) { r.Seconds = 60 }), match.ErrOtherDeal, ""},
		"renewal of a lease":    {renewal(func(r *match.Receipt) { r.Lease[0]++ }), match.ErrOtherDeal, ""},
	} {
		_, err := match.VerifyReceipts(tc.list)
		if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file of receipts holds receipts and nothing else, in one form but for white
// space.
func TestReceiptFiles(t *testing.T) {
	good := receiptOf(matchtest.Key(t), matchtest.Key(t), func(*match.Receipt) {})
	file := match.MarshalReceipts([]match.SignedReceipt{good, good})
	for name, text := range map[string][]byte{
		"as written": file, "without the last line's end": bytes.TrimSpace(file), "with line ends of Windows": bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")),
	} {
		if list, err := match.ParseReceipts(text); err != nil || len(list) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	block, _ := pem.Decode(file)
	key := &pem.Block{Type: "PRIVATE KEY", Bytes: block.Bytes}
	headed := &pem.Block{Type: block.Type, Bytes: block.Bytes, Headers: map[string]string{"Comment": "paid"}}
	many := slices.Repeat([]match.SignedReceipt{{Receipt: []byte{1}}}, 102)
	for name, text := range map[string][]byte{
		"empty": nil, "white": []byte(" \n"), "words": []byte("paid in full\n"), "words before": append([]byte("paid\n"), file...),
		"words after": append(bytes.Clone(file), "paid\n"...), "a key": pem.EncodeToMemory(key), "a header": pem.EncodeToMemory(headed),
		"cut off": file[:len(file)/3], "too long": append(bytes.Clone(file), bytes.Repeat([]byte(" "), match.MaxReceiptFile)...),
		"too many": match.MarshalReceipts(many), "other content": pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: []byte{0xa0}}),
		"content and more": pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: append(bytes.Clone(block.Bytes), 0)}),
	} {
		if _, err := match.ParseReceipts(text); !errors.Is(err, match.ErrReceiptFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is read as a file of receipts is written in the same words.
func FuzzReceiptFile(f *testing.F) {
	good := receiptOf(matchtest.Key(f), matchtest.Key(f), func(*match.Receipt) {})
	file := match.MarshalReceipts([]match.SignedReceipt{good, {Receipt: []byte{1}}})
	f.Add(file)
	f.Add(append(bytes.Clone(file), '\n'))
	f.Add(bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")))
	f.Add([]byte("-----BEGIN ANGLER RECEIPT-----\n-----END ANGLER RECEIPT-----\n"))
	f.Add([]byte("-----BEGIN ANGLER RECEIPT-----\nX: y\n\noA==\n-----END ANGLER RECEIPT-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := match.ParseReceipts(text)
		if err != nil {
			if !errors.Is(err, match.ErrReceiptFile) {
				t.Fatal(err)
			}
			return
		}
		again, err := match.ParseReceipts(match.MarshalReceipts(list))
		if err != nil || len(again) != len(list) {
			t.Fatalf("%d receipts were read and written as %d, %v", len(list), len(again), err)
		}
		_, _ = match.VerifyReceipts(list)
	})
}

// What a provider says of a lease is read or refused; what is read stays within
// its bounds.
func FuzzStanding(f *testing.F) {
	f.Add(wire.Encode(match.Stands{State: 5, Left: 60, Expires: 1_800_000_000, Seconds: 3600, Usage: []match.Gauge{{Resource: "cpu", Used: "1", Hard: "2"}}}))
	f.Add(wire.Encode(match.Stands{State: 9}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w match.Stands
		if wire.Decode(raw, 4096, &w) != nil {
			return
		}
		s, err := match.Typed(w)
		if err != nil {
			return
		}
		if s.Left < 0 || s.Duration < 0 || s.Reclaim < 0 || len(s.Usage) != len(w.Usage) {
			t.Fatalf("%+v", s)
		}
		for _, u := range s.Usage {
			if strings.ContainsFunc(u.Resource+u.Used+u.Hard, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
				t.Fatalf("%+v", u)
			}
		}
	})
}

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

// A lease is renewed a hundred times, and then its requester is told why not once
// more. When it is over, its row is small, if what was signed is kept elsewhere.
func TestRenewedTooOften(t *testing.T) {
	var mu sync.Mutex
	var kept []byte
	var full error // of the disk
	b := newLeaseBench(t, func(c *match.ProviderConfig) {
		c.Archive = func(_ market.LeaseID, receipts []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if full == nil {
				kept = receipts
			}
			return full
		}
	})
	for _, lost := range []bool{false, true} {
		l, g := b.activate(1)
		last, total := g.Receipt, time.Hour
		for n := range match.MaxRenewals {
			total += time.Second
			r := b.mustPrepare(l, last, total)
			if err := b.take(l, r); err != nil {
				t.Fatalf("renewal %d: %v", n+1, err)
			}
			last = r.Receipt
		}
		_, err := b.prepare(l, last, total+time.Second)
		if refused, ok := errors.AsType[*match.RefusedError](err); !ok || refused.Status != match.StatusDenied || !refused.Spent || !strings.Contains(err.Error(), "100 times") {
			t.Errorf("once more: %v", err)
		}
		if b.state(l) != market.Active {
			t.Error("it does not go on")
		}
		mu.Lock()
		if lost {
			full = errors.New("disk full")
		}
		mu.Unlock()
		if err = b.release(l); err != nil {
			t.Fatal(err)
		}
		list, err := match.Receipts(b.p.Lease(l.ID).Receipt)
		want := 2
		if lost {
			want = match.MaxRenewals + 1 // nobody else has them
		}
		if err != nil || len(list) != want || !bytes.Equal(list[len(list)-1].Receipt, last) {
			t.Errorf("its row has %d receipts, %v, want %d", len(list), err, want)
		}
		list, err = match.ParseReceipts(kept)
		if err == nil {
			_, err = match.VerifyReceipts(list)
		}
		if err != nil || len(list) != match.MaxRenewals+1 {
			t.Errorf("kept are %d receipts, %v", len(list), err)
		}
	}
}
