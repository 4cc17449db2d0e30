package spare

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
)

// A file is read if every byte of it is right, and is what encode writes.
func FuzzParse(f *testing.F) {
	b := encode(head{host: Host{1}, self: identity.PeerID{2}, peer: identity.PeerID{3}}, mint(f, 4))
	f.Add(b)
	f.Add(b[:fileSize-1])
	f.Add(append(bytes.Clone(b), 0))
	f.Add(b[:headSize])
	f.Add([]byte(magic))
	f.Add([]byte{})
	flipped := bytes.Clone(b)
	flipped[headSize] ^= 1
	f.Add(flipped)
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, set, err := parse(raw)
		if err != nil {
			if set.Pair.Receiver != nil || set.Pair.Sender != nil {
				t.Fatal("a set comes with an error")
			}
			return
		}
		if !bytes.Equal(encode(h, set.Pair), raw) || idOf(set.Pair) != set.ID {
			t.Fatal("parsed what encode does not write")
		}
		if again, err := parseHead(raw); err != nil || again != h {
			t.Fatal("two heads")
		}
	})
}

// One bit anywhere makes a file none.
func TestEveryBitCounts(t *testing.T) {
	b := encode(head{host: Host{1}, self: identity.PeerID{2}, peer: identity.PeerID{3}}, mint(t, 4))
	if len(b) != fileSize {
		t.Fatalf("%d bytes", len(b))
	}
	for k := range b {
		b[k] ^= 1 << (k % 8)
		if _, _, err := parse(b); err == nil {
			t.Fatalf("byte %d changed, and nobody noticed", k)
		}
		b[k] ^= 1 << (k % 8)
	}
	if _, _, err := parse(b); err != nil {
		t.Fatal(err)
	}
}

// Both ends name a set alike, other sets otherwise.
func TestBothEndsNameItAlike(t *testing.T) {
	p := mint(t, 1)
	other := mirror(p)
	if idOf(p) != idOf(other) || idOf(p) == (ID{}) {
		t.Error("two names")
	}
	if idOf(p) == idOf(mint(t, 2)) {
		t.Error("one name for two sets")
	}
}

// Another machine, and another boot of this one, is another host.
func TestHosts(t *testing.T) {
	seen := map[Host]bool{}
	for _, h := range []Host{hostOf("m", "b"), hostOf("m", "c"), hostOf("n", "b"), hostOf("mb", ""), hostOf("", "mb")} {
		if seen[h] {
			t.Error("two hosts are one")
		}
		seen[h] = true
	}
	a, err := ThisHost()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := ThisHost(); err != nil || a != b || a == hostOf("", "") {
		t.Errorf("not one host: %v", err)
	}
}

func TestWipe(t *testing.T) {
	p := mint(t, 1)
	Set{Pair: p}.Wipe()
	Set{}.Wipe()
	b := encode(head{}, p)
	secrets := append(bytes.Clone(b[headSize+idSize:headSize+idSize+129*16]), b[fileSize-sha256.Size-128*32:fileSize-sha256.Size]...)
	if !bytes.Equal(secrets, make([]byte, len(secrets))) {
		t.Error("something is left")
	}
}
