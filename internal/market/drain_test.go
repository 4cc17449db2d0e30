package market

import (
	"errors"
	"os"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// How far a provider withdraws is kept, whatever becomes of its process.
func TestDrainIsKept(t *testing.T) {
	b := termBench(t)
	if d := b.Drain(); d != NotDraining {
		t.Fatalf("a new ledger drains: %d", d)
	}
	for _, d := range []Drain{Draining, Leaving, Leaving, NotDraining, Draining} {
		must1(t, b.SetDrain(d))
		b.reopen()
		if got := b.Drain(); got != d {
			t.Errorf("%d, and after a restart %d", d, got)
		}
	}
}

// A damaged state of draining is a damaged ledger: nobody guesses.
func TestDamagedDrain(t *testing.T) {
	b := termBench(t)
	must1(t, b.SetDrain(Leaving))
	path := b.cfg.Path
	must1(t, b.Close())
	whole, err := os.ReadFile(path)
	must1(t, err)
	for name, value := range map[string]func() ([]byte, error){
		"short":   func() ([]byte, error) { return []byte{1}, nil },
		"no sum":  func() ([]byte, error) { return []byte{0, 0, 0, 0, 0xa1, 1, 2}, nil },
		"unknown": func() ([]byte, error) { return encodeRow(bucketLedger, keyDrain, drainRow{Leaving + 1}) },
	} {
		must1(t, os.WriteFile(path, whole, 0o600))
		db, err := bolt.Open(path, 0o600, nil)
		must1(t, err)
		must1(t, db.Update(func(tx *bolt.Tx) error {
			raw, err := value()
			return errors.Join(err, tx.Bucket(bucketLedger).Put(keyDrain, raw))
		}))
		must1(t, db.Close())
		if _, err := Open(b.cfg); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
