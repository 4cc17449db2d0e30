package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestGenerateIsAFunctionOfItsRandomness(t *testing.T) {
	one, again, two := testKey(t, 1).ID(), testKey(t, 1).ID(), testKey(t, 2).ID()
	if one != again || one == two {
		t.Fatal("not a function of the randomness alone")
	}
	if _, err := Generate(strings.NewReader("too short")); err == nil {
		t.Fatal("a key out of 9 bytes")
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	k := testKey(t, 1)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", k)
	for _, text := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s", k, k, k), log.String()} {
		if !strings.Contains(text, k.ID().String()) || strings.Contains(text, fmt.Sprint(k.private[0], k.private[1])) {
			t.Errorf("a key prints as %s", text)
		}
	}
}

func TestDerive(t *testing.T) {
	k := testKey(t, 1)
	one, again := k.Derive("a"), k.Derive("a")
	if one != again || one == k.Derive("b") || one == testKey(t, 2).Derive("a") {
		t.Fatal("not a function of key and label")
	}
}

func TestLoadOrCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "angler", "identity.pem")
	made, err := LoadOrCreate(path, rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadOrCreate(path, strings.NewReader(""))
	if err != nil || loaded.ID() != made.ID() {
		t.Fatalf("read back %v, %v", loaded, err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, failed := os.Stat(name)
		if failed != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), failed)
		}
	}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("files left: %v, %v", names, err)
	}
}

func TestCreateOnceAmongMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.pem")
	var ids [8]PeerID
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			k, err := LoadOrCreate(path, rand.NewChaCha8([32]byte{byte(i)}))
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = k.ID()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatal("two identities out of one file")
		}
	}
}

func TestLoadRefusesOpenFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "identity.pem")
	if err := testKey(t, 1).store(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		wantError(t, err, ErrKeyMode)
		if !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("the message does not say what to do: %v", err)
		}
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	wantError(t, err, ErrKeyMode)
	_, err = LoadOrCreate(filepath.Join(dir, "other.pem"), rand.NewChaCha8([32]byte{1}))
	wantError(t, err, ErrKeyMode)
}

func TestLoadOfBrokenFilesKeepsThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.pem")
	whole := testKey(t, 1).MarshalPEM()
	for _, content := range [][]byte{nil, whole[:60], append(bytes.Clone(whole), '\n'), bytes.Repeat([]byte("x"), 1<<20)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadOrCreate(path, rand.NewChaCha8([32]byte{1}))
		wantError(t, err, ErrMalformed)
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, content) {
			t.Fatalf("the file was touched: %v", err)
		}
	}
	_, err := Load(filepath.Dir(path))
	wantError(t, err, ErrMalformed)
}

// The form is the one that OpenSSL writes, so that it can be read back with it:
// this key is from RFC 8410, section 10.3.
func TestKeyFileOfRFC8410(t *testing.T) {
	const file = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
	k, err := ParseKey([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	const public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
	id := k.ID()
	if got := fmt.Sprintf("%x", id[:]); got != public {
		t.Fatalf("public key %s", got)
	}
}

func FuzzParseKey(f *testing.F) {
	whole := testKey(f, 1).MarshalPEM()
	f.Add(whole)
	f.Add(append([]byte("comment\n"), whole...))
	f.Add(append(bytes.Clone(whole), whole...))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if k, err := ParseKey(file); err == nil && !bytes.Equal(k.MarshalPEM(), file) {
			t.Fatalf("%q is accepted and written otherwise", file)
		}
	})
}

func TestCertificate(t *testing.T) {
	k := testKey(t, 1)
	one, err := k.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	two, err := k.Certificate()
	if err != nil || !bytes.Equal(one.Certificate[0], two.Certificate[0]) {
		t.Fatalf("certificates of one key differ: %v", err)
	}
	parsed, err := x509.ParseCertificate(one.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err = parsed.CheckSignature(parsed.SignatureAlgorithm, parsed.RawTBSCertificate, parsed.Signature); err != nil {
		t.Fatal(err)
	}
	id, err := FromCertificates([]*x509.Certificate{parsed})
	if err != nil || id != k.ID() {
		t.Fatalf("identity %v, %v", id, err)
	}
	for name, certs := range map[string][]*x509.Certificate{
		"none":        nil,
		"two":         {parsed, parsed},
		"another key": {{PublicKey: "rsa"}},
		"short key":   {{PublicKey: ed25519.PublicKey{1, 2, 3}}},
		"small order": {{PublicKey: ed25519.PublicKey(make([]byte, 32))}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := FromCertificates(certs)
			wantError(t, err, ErrMalformed)
		})
	}
}

func BenchmarkSign(b *testing.B) {
	k := testKey(b, 1)
	msg := make([]byte, 256)
	for b.Loop() {
		_, _ = io.Discard.Write(k.Sign("bench", msg))
	}
}

func BenchmarkVerify(b *testing.B) {
	k := testKey(b, 1)
	msg := make([]byte, 256)
	sig := k.Sign("bench", msg)
	for b.Loop() {
		if !k.ID().Verify("bench", msg, sig) {
			b.Fatal("refused")
		}
	}
}
