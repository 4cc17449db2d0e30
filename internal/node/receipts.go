package node

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/market"
)

// receiptsFolder, beside the ledger, has a file of receipts for each lease that
// was confirmed, as 'angler receipt verify' reads it. Nothing deletes them: how
// long they are needed is the operator's to know.
const receiptsFolder = "receipts"

// archive keeps the receipts of a lease.
func (d *daemon) archive(id market.LeaseID, receipts []byte) error {
	folder := filepath.Join(filepath.Dir(d.cfg.LedgerPath), receiptsFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	if err := durable.Replace(filepath.Join(folder, id.String()+".receipt"), receipts); err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	return nil
}
