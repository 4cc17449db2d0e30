package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// receiptFiles writes receipts: good ones of a lease that was renewed, and some
// that are not.
func receiptFiles(t *testing.T) (path func(name string) string, provider, requester string) {
	t.Helper()
	key := func() *identity.Key {
		k, err := identity.Generate(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	p, r := key(), key()
	sign := func(receipt match.Receipt) match.SignedReceipt {
		raw := receipt.Encode()
		return match.SignedReceipt{Receipt: raw, Provider: match.SignReceipt(p, raw), Requester: match.SignReceipt(r, raw)}
	}
	deal := match.Receipt{
		SID: make([]byte, 32), Lease: make([]byte, 32), Manifest: make([]byte, 32), Provider: p.ID(), Requester: r.ID(), Policy: "lowest-price",
		Class: "arch=amd64,cpu=1,currency=USD,memory=1Gi", Quantity: 32, Price: 31_000, Seconds: 3600, Notice: 600, Issued: 1_795_000_000,
	}
	first := sign(deal)
	deal.Seconds = 7200
	deal.Previous = sha(first.Receipt)
	second := sign(deal)
	half := second
	half.Requester = nil
	deal.Class = "cpu\x1b[2J\nverified: both sides have signed"
	odd := sign(deal)
	dir := t.TempDir()
	for name, text := range map[string][]byte{
		"good": match.MarshalReceipts([]match.SignedReceipt{first, second}), "half": match.MarshalReceipts([]match.SignedReceipt{first, half}),
		"torn": match.MarshalReceipts([]match.SignedReceipt{second}), "words": []byte("paid in full\n"), "empty": nil,
		"odd": match.MarshalReceipts([]match.SignedReceipt{odd}), "blank": match.MarshalReceipts([]match.SignedReceipt{{Receipt: []byte{1}}}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }, p.ID().String(), r.ID().String()
}

func TestReceiptCommands(t *testing.T) {
	path, provider, requester := receiptFiles(t)
	run := func(stdin string, args ...string) (code int, out, talk string) {
		var stdout, stderr bytes.Buffer
		args = append(args, "--state-dir", t.TempDir())
		code = Run(t.Context(), IOStreams{In: strings.NewReader(stdin), Out: &stdout, Err: &stderr}, args)
		return code, stdout.String(), stderr.String()
	}
	code, out, _ := run("", "receipt", "verify", path("good"))
	for _, want := range []string{
		provider + " (signed)", requester + " (signed)", "quantity:    32", "price:       0.031 a unit and hour", "term:        2h0m0s",
		"notice:      10m0s", "verified: both sides have signed",
	} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, without %q:\n%s", code, want, out)
		}
	}
	good, err := os.ReadFile(path("good"))
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ = run(string(good), "receipt", "verify", "-", "-o", "json")
	var info receiptsInfo
	if err := json.Unmarshal([]byte(out), &info); err != nil || code != 0 || !info.Verified || len(info.Receipts) != 2 || info.Receipts[1].Seconds != 7200 ||
		len(info.Receipts[0].SignedBy) != 2 {
		t.Errorf("exit %d, %v:\n%s", code, err, out)
	}
	for name, says := range map[string]string{"half": "by the requester: not signed", "torn": "the one before it is not there"} {
		var talk string
		code, out, talk = run("", "receipt", "verify", path(name))
		if code != 1 || !strings.Contains(talk, says) || !strings.Contains(out, "not verified") {
			t.Errorf("%s: exit %d, %s%s", name, code, out, talk)
		}
		if code, out, _ = run("", "receipt", "show", path(name)); code != 0 || !strings.Contains(out, "not verified: ") || strings.Contains(out, "\nverified") {
			t.Errorf("%s is shown: exit %d, %s", name, code, out)
		}
	}
	for _, name := range []string{"words", "empty", "blank", "nowhere"} {
		var talk string
		code, out, talk = run("", "receipt", "verify", path(name))
		if code != 2 || out != "" || !strings.Contains(talk, path(name)) {
			t.Errorf("%s: exit %d, %s%s", name, code, out, talk)
		}
	}
	// What somebody else wrote does not write to the terminal.
	if _, out, _ = run("", "receipt", "show", path("odd")); strings.ContainsRune(out, 0x1b) || strings.Contains(out, "\nverified") {
		t.Errorf("%q", out)
	}
}

func sha(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}
