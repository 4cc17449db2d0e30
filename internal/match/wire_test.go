package match

import (
	"bytes"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// canonical asserts that what is read is written in the same bytes.
func canonical[T any](t *testing.T, raw []byte, limit int) {
	t.Helper()
	var v T
	if wire.Decode(raw, limit, &v) != nil {
		return
	}
	if len(raw) > limit {
		t.Fatalf("%d bytes were read, %d are allowed", len(raw), limit)
	}
	if again := wire.Encode(v); !bytes.Equal(again, raw) {
		t.Fatalf("%x was read and is written as %x", raw, again)
	}
}

// Each message that a peer sends has one encoding, and nothing else is read.
func FuzzMessages(f *testing.F) {
	grant := &Grant{Server: "https://a", CA: []byte("ca"), Namespace: "n", Token: "t", Expires: 1}
	for _, v := range []any{
		Invite{Version: 1, Pool: "p", Class: "c", Policy: "l", Seconds: 1, Membership: []byte{1}}, Invite{},
		Answer{Accept: true, Nonce: make([]byte, 32), Record: []byte{1}}, Answer{},
		Notice{Stop: true}, Notice{}, Report{State: Broken, Peer: 3, Flight: 4}, Report{State: Ready},
		LeaseRequest{Action: Confirm, Lease: make([]byte, 32), Receipt: make([]byte, 64)}, LeaseRequest{Action: Claim, Lease: make([]byte, 32)},
		LeaseReply{Status: StatusGranted, Grant: grant, Receipt: []byte{1}, Signed: []byte{2}}, LeaseReply{Status: StatusGone},
		LeaseRequest{Action: Renew, Lease: make([]byte, 32), Seconds: 7200, Receipt: make([]byte, 64)},
		LeaseRequest{Action: Claim, Lease: make([]byte, 32), Workload: make([]byte, 32)},
		LeaseReply{Status: StatusShown, Standing: &Stands{State: 5, Left: 1, Seconds: 2, Notice: 3, Kind: 1, Usage: []Gauge{{"cpu", "1", "2"}}}, Record: []byte{1}},
		LeaseReply{Status: StatusToken, Credential: &Credential{Token: "t", Expires: 1}}, LeaseReply{Status: StatusPrepared, Receipt: []byte{1}, Void: 120},
		ProxyRequest{Lease: make([]byte, 32)}, ProxyReply{Open: true}, ProxyReply{}, signedReceipt{Receipt: []byte{1}, Provider: []byte{2}},
		deed{Receipt: []byte{1}, Renewals: []signedReceipt{{Receipt: []byte{1}}}},
		SignedRoster{Body: []byte{1}, Signature: []byte{2}}, Roster{Providers: []Member{{Nonce: []byte{1}}}},
		*grant, deed{Receipt: []byte{1}, Signed: []byte{2}, Requester: []byte{3}}, Receipt{SID: make([]byte, 32), Quantity: 7},
	} {
		raw := wire.Encode(v)
		f.Add(raw)
		f.Add(append(raw, 0))
	}
	f.Add([]byte{0xa1, 0x01, 0x18, 0x01})       // a number in a longer form
	f.Add([]byte{0xbf, 0x01, 0xf5, 0xff})       // a map of indefinite length
	f.Add([]byte{0xa2, 0x01, 0xf5, 0x01, 0xf5}) // a key twice
	f.Fuzz(func(t *testing.T, raw []byte) {
		canonical[Invite](t, raw, maxInvite)
		canonical[Answer](t, raw, maxAnswer)
		canonical[Notice](t, raw, maxNotice)
		canonical[Report](t, raw, maxReport)
		canonical[LeaseRequest](t, raw, maxLease)
		canonical[LeaseReply](t, raw, maxReply)
		canonical[SignedRoster](t, raw, maxRoster)
		canonical[Roster](t, raw, maxRoster)
		canonical[Receipt](t, raw, maxReceipt)
		canonical[Grant](t, raw, maxReply)
		canonical[deed](t, raw, maxDeed)
		canonical[ProxyRequest](t, raw, maxProxyMessage)
		canonical[ProxyReply](t, raw, maxProxyMessage)
		canonical[signedReceipt](t, raw, maxReply)
	})
}

// Whatever a requester signs, a roster that opens has us in it, once, with our
// nonce, within bounds.
func FuzzRosterOpen(f *testing.F) {
	b := newRosterBench(f)
	good := wire.Encode(b.roster)
	f.Add(good)
	for at := 0; at < len(good); at += 97 {
		bad := bytes.Clone(good)
		bad[at]++
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := SignedRoster{Body: body, Signature: b.requester.Sign(rosterDomain, body)}
		seat, err := s.Open(b.terms)
		if err != nil {
			return
		}
		r := seat.Roster
		if !bytes.Equal(wire.Encode(r), body) {
			t.Fatal("a roster in another form than its own")
		}
		if len(r.Providers) > MaxProviders || len(seat.Records) != len(r.Providers) || seat.Self < 1 || seat.Self > len(r.Providers) {
			t.Fatalf("seat %d of %d", seat.Self, len(r.Providers))
		}
		me := r.Providers[seat.Self-1]
		if me.ID != b.terms.Self || !bytes.Equal(me.Nonce, b.terms.Nonce) || r.Requester.ID != b.requester.ID() {
			t.Fatal("it is not our seat")
		}
		ids := map[identity.PeerID]bool{}
		for _, p := range r.Providers {
			ids[p.ID] = true
		}
		if len(ids) != len(r.Providers) || ids[b.requester.ID()] {
			t.Fatal("somebody sits twice")
		}
	})
}

// A session header is 65 bytes, and all of it is read.
func FuzzSessionHeader(f *testing.F) {
	f.Add(make([]byte, sessionHeader))
	f.Add(make([]byte, sessionHeader-1))
	f.Add(bytes.Repeat([]byte{0xff}, sessionHeader+5))
	f.Fuzz(func(t *testing.T, raw []byte) {
		sid, from, set, err := readSessionHeader(bytes.NewReader(raw))
		if (err == nil) != (len(raw) >= sessionHeader) {
			t.Fatalf("%d bytes: %v", len(raw), err)
		}
		if err == nil && !bytes.Equal(append(append(sid[:], byte(from)), set[:]...), raw[:sessionHeader]) {
			t.Fatal("another header was read")
		}
	})
}

// A receipt that opens is canonical, complete and signed.
func FuzzReceipt(f *testing.F) {
	key := newKey(f)
	r := Receipt{SID: make([]byte, 32), Lease: make([]byte, 32), Manifest: make([]byte, 32), Provider: key.ID(), Quantity: 3, Price: 4, Seconds: 5}
	f.Add(r.Encode())
	f.Add(Receipt{}.Encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := OpenReceipt(raw, SignReceipt(key, raw), key.ID())
		if err != nil {
			return
		}
		if !bytes.Equal(got.Encode(), raw) || len(got.SID) != 32 || len(got.Lease) != 32 || len(got.Manifest) != 32 {
			t.Fatal("a receipt that is not one")
		}
		if _, err := OpenReceipt(raw, SignReceipt(newKey(t), raw), key.ID()); err == nil {
			t.Fatal("signed by somebody else")
		}
	})
}

// Two receipts are of the same deal if and only if they agree in each field
// that the match decided.
func TestSameDeal(t *testing.T) {
	base := Receipt{SID: []byte{1}, Lease: []byte{2}, Class: "c", Quantity: 3, Price: 4, Seconds: 5, Manifest: []byte{6}, Issued: 7}
	for name, edit := range map[string]func(*Receipt){
		"sid": func(r *Receipt) { r.SID = []byte{9} }, "lease": func(r *Receipt) { r.Lease = []byte{9} },
		"provider": func(r *Receipt) { r.Provider[0]++ }, "requester": func(r *Receipt) { r.Requester[0]++ },
		"class": func(r *Receipt) { r.Class = "d" }, "quantity": func(r *Receipt) { r.Quantity++ },
		"price": func(r *Receipt) { r.Price++ }, "duration": func(r *Receipt) { r.Seconds++ },
		"policy": func(r *Receipt) { r.Policy = "fit" }, "workload": func(r *Receipt) { r.Workload = []byte{9} },
		"further": func(r *Receipt) { r.Further = []uint16{9} },
	} {
		other := base
		edit(&other)
		if base.sameDeal(other) {
			t.Errorf("another %s: same deal", name)
		}
	}
	other := base
	other.Manifest, other.Issued, other.Notice = nil, 0, 60
	if !base.sameDeal(other) {
		t.Error("the manifest and the time are the provider's to state")
	}
}

// All declines look alike: there is nothing in one.
func TestDeclineSaysNothing(t *testing.T) {
	if raw := wire.Encode(Answer{}); !bytes.Equal(raw, []byte{0xa1, 0x01, 0xf4}) {
		t.Errorf("a decline is %x", raw)
	}
}

// Neither quantity nor price can be found in the commitment without the salt.
func TestCommitment(t *testing.T) {
	salt := [32]byte{1}
	com := commitRequest(salt, []bool{true, false})
	if com == commitRequest(salt, []bool{false, false}) || com == commitRequest(salt, []bool{true, false, false}) || com == commitRequest([32]byte{2}, []bool{true, false}) {
		t.Error("two requests have one commitment")
	}
	if com != commitRequest(salt, []bool{true, false}) {
		t.Error("a request has two commitments")
	}
}
