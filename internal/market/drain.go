package market

import (
	"errors"

	bolt "go.etcd.io/bbolt"
)

// Drain is how far a provider withdraws from new matches. It outlives the
// process, as what it is for may: maintenance of the machine, for one.
type Drain uint8

// The states of draining.
const (
	NotDraining Drain = iota
	Draining          // no new matches and no renewals
	Leaving           // and the daemon ends when no lease is left
)

// keyDrain is where the ledger's head has it; without a row there, nothing
// drains.
var keyDrain = []byte("drain")

type drainRow struct {
	Drain Drain `cbor:"1,keyasint"`
}

// Drain is what SetDrain has set last.
func (l *Ledger) Drain() Drain {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drain
}

// SetDrain withdraws from new matches, or not any more; it is on disk when
// SetDrain returns. The error is ErrBroken.
func (l *Ledger) SetDrain(d Drain) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d == l.drain {
		return nil
	}
	err := l.update(func(w writer) error {
		if d == NotDraining {
			return w.remove(bucketLedger, keyDrain)
		}
		return w.put(bucketLedger, keyDrain, drainRow{d})
	})
	if err == nil {
		l.drain = d
	}
	return err
}

func loadDrain(tx *bolt.Tx, d *Drain) error {
	raw := tx.Bucket(bucketLedger).Get(keyDrain)
	if raw == nil {
		return nil
	}
	var row drainRow
	if err := decodeRow(bucketLedger, keyDrain, raw, &row); err != nil {
		return err
	}
	if row.Drain > Leaving {
		return errors.New("state of draining")
	}
	*d = row.Drain
	return nil
}
