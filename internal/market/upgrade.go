package market

import (
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// oldestSchema is the earliest layout that this version reads.
const oldestSchema = 1

// upgrade makes a checked file one of the present schema, in one transaction,
// and changes rows in step. An earlier version of angler refuses it from then
// on, instead of taking its new fields for damage.
//
// In schema 1 an offer without policies stood there with the one that there
// was. It is again one that names none, so that it takes part in all.
func (s *store) upgrade(rows contents) error {
	var version uint32
	err := s.db.View(func(tx *bolt.Tx) error {
		version = binary.BigEndian.Uint32(tx.Bucket(bucketLedger).Get(keySchema))
		return nil
	})
	if err != nil || version == schema {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for name, o := range rows.offers {
			if slices.Equal(o.Policies, []string{DefaultPolicy}) {
				o.Policies = nil
				if err := (writer{tx}).put(bucketOffers, []byte(name), o.row()); err != nil {
					return err
				}
				rows.offers[name] = o
			}
		}
		return tx.Bucket(bucketLedger).Put(keySchema, binary.BigEndian.AppendUint32(nil, schema))
	})
}
