package node

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/angler-dex/angler/internal/market"
)

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	d := &daemon{cfg: Config{LedgerPath: filepath.Join(dir, "ledger.db")}}
	for _, text := range []string{"one", "one and two"} {
		if err := d.archive(market.LeaseID{1}, []byte(text)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "receipts", market.LeaseID{1}.String()+".receipt")
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	d.cfg.LedgerPath = filepath.Join(dir, "receipts", market.LeaseID{1}.String()+".receipt", "ledger.db")
	if err := d.archive(market.LeaseID{2}, nil); err == nil {
		t.Error("kept where nothing can be kept")
	}
}
