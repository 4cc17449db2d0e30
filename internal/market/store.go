package market

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/angler-dex/angler/internal/durable"
)

// Errors of Open. Each leaves the file as it was.
var (
	// ErrLocked: another process owns the ledger.
	ErrLocked = errors.New("another angler daemon has the ledger open")
	// ErrCorrupt: the file is damaged, or is no ledger.
	ErrCorrupt = errors.New("the ledger is damaged or not a ledger; nothing was changed in it")
	// ErrSchema: a newer version of angler wrote it.
	ErrSchema = errors.New("the ledger was written by a newer version of angler; nothing was changed in it")
	// ErrProvider: it belongs to another identity.
	ErrProvider = errors.New("the ledger belongs to another identity")
)

// schema is the version of the layout below.
//
//	ledger   "schema" → uint32 big-endian, "provider" → 32 bytes, "drain" → row, while it drains
//	offers   name → row
//	leases   lease id, 32 bytes → row
//	matches  peer, 32 bytes → row
//
// A row is 4 bytes CRC-32C, big-endian, of bucket ‖ key ‖ rest, then
// deterministic CBOR (rows.go). Files of schema 1 are read and upgraded
// (upgrade.go).
const schema = 2

var (
	bucketLedger  = []byte("ledger")
	bucketOffers  = []byte("offers")
	bucketLeases  = []byte("leases")
	bucketMatches = []byte("matches")
	keySchema     = []byte("schema")
	keyProvider   = []byte("provider")
)

// lockWait covers a predecessor that is just closing.
const lockWait = 500 * time.Millisecond

// store is the file. Its transactions are durable (fsync) when they return.
type store struct{ db *bolt.DB }

// openStore opens or creates the file and checks all of it: bbolt's structure,
// schema, owner, rows. The rows are returned.
func openStore(path string, provider [32]byte) (*store, contents, error) {
	refuse := func(err error) (*store, contents, error) {
		return nil, contents{}, fmt.Errorf("ledger %s: %w", path, err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err = createStore(path, provider); err != nil {
			return refuse(err)
		}
	case err == nil && info.Size() == 0: // bbolt would take it for a new one
		return refuse(fmt.Errorf("%w (empty)", ErrCorrupt))
	}
	db, err := openBolt(path)
	if err != nil {
		return refuse(err)
	}
	s := &store{db: db}
	rows, err := s.check(path, provider)
	if err == nil {
		err = s.upgrade(rows)
	}
	if err != nil {
		return refuse(errors.Join(err, s.close()))
	}
	return s, rows, nil
}

// createStore makes an empty ledger under another name and links it into place,
// so that there never is half a ledger. If somebody was faster, theirs stays.
func createStore(path string, provider [32]byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	fresh := f.Name()
	err = errors.Join(f.Close(), fillStore(fresh, provider))
	if err == nil {
		if err = durable.Place(fresh, path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, durable.Remove(fresh), durable.SyncFolder(dir))
}

// fillStore writes the head and the empty buckets.
func fillStore(path string, provider [32]byte) error {
	db, err := openBolt(path)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketLedger, bucketOffers, bucketLeases, bucketMatches} {
			if _, bucketErr := tx.CreateBucket(name); bucketErr != nil {
				return bucketErr
			}
		}
		b := tx.Bucket(bucketLedger)
		return errors.Join(b.Put(keySchema, binary.BigEndian.AppendUint32(nil, schema)), b.Put(keyProvider, provider[:]))
	})
	return errors.Join(err, db.Close())
}

// openBolt opens and locks the file. bbolt trusts what it maps: a damaged page
// panics and a short file faults, so both become ErrCorrupt here.
func openBolt(path string) (db *bolt.DB, err error) {
	var file *os.File
	err = guarded(func() error {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: lockWait,
			OpenFile: func(name string, flag int, mode fs.FileMode) (*os.File, error) {
				var openErr error
				file, openErr = os.OpenFile(name, flag, mode)
				return file, openErr
			},
		})
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrLocked
	case errors.Is(err, fs.ErrPermission) || errors.As(err, new(*fs.PathError)):
		return nil, err
	}
	if file != nil {
		_ = file.Close() // a panic leaves it open; if bbolt closed it, nothing happens
	}
	return nil, fmt.Errorf("%w (%w)", ErrCorrupt, err)
}

// guarded runs f and turns a panic or a memory fault in it into an error.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("unreadable: %v", r)
		}
	}()
	return f()
}

// check verifies the file before a byte of it is written, and returns its rows.
func (s *store) check(path string, provider [32]byte) (contents, error) {
	var rows contents
	err := s.db.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w (truncated)", ErrCorrupt)
		}
		if err = s.checkHead(tx, provider); err != nil {
			return err
		}
		// Every page that counts is read under guard before bbolt's own check,
		// which runs unguarded on a goroutine of its own.
		err = guarded(func() (loadErr error) {
			rows, loadErr = load(tx, provider)
			return loadErr
		})
		if err != nil {
			return fmt.Errorf("%w (%w)", ErrCorrupt, err)
		}
		var first error
		for damage := range tx.Check() {
			if first == nil {
				first = damage
			}
		}
		if first != nil {
			return fmt.Errorf("%w (%w)", ErrCorrupt, first)
		}
		if info.Mode().Perm()&0o077 != 0 {
			return os.Chmod(path, 0o600)
		}
		return nil
	})
	return rows, err
}

func (s *store) checkHead(tx *bolt.Tx, provider [32]byte) error {
	var version, owner []byte
	err := guarded(func() error {
		if b := tx.Bucket(bucketLedger); b != nil {
			version, owner = b.Get(keySchema), b.Get(keyProvider)
		}
		if len(version) != 4 || len(owner) != len(provider) {
			return errors.New("no head")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	if v := binary.BigEndian.Uint32(version); v < oldestSchema || v > schema {
		return fmt.Errorf("%w (schema %d, this version knows %d)", ErrSchema, v, schema)
	}
	if [32]byte(owner) != provider {
		return ErrProvider
	}
	return nil
}

func (s *store) close() error { return s.db.Close() }

// writer is the writing half of one transaction.
type writer struct{ tx *bolt.Tx }

func (w writer) put(bucket, key []byte, row any) error {
	value, err := encodeRow(bucket, key, row)
	if err != nil {
		return err
	}
	return w.tx.Bucket(bucket).Put(key, value)
}

func (w writer) remove(bucket, key []byte) error { return w.tx.Bucket(bucket).Delete(key) }

func (w writer) removeLeases(ids []LeaseID) error {
	for _, id := range ids {
		if err := w.remove(bucketLeases, id[:]); err != nil {
			return err
		}
	}
	return nil
}

// update runs one durable transaction. The caller holds the lock and changes
// its memory only if the result is nil; any error breaks the ledger.
func (l *Ledger) update(f func(writer) error) error {
	if l.broken != nil {
		return l.brokenErr()
	}
	if err := l.store.db.Update(func(tx *bolt.Tx) error { return f(writer{tx}) }); err != nil {
		l.broken = err
		return l.brokenErr()
	}
	return nil
}
