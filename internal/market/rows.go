package market

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/fxamacker/cbor/v2"
	bolt "go.etcd.io/bbolt"
)

// Rows on disk. Adding a field needs a new schema: decoding is strict. A field
// that is missing, since an earlier schema had none, is zero.

type leaseRow struct {
	SID       [32]byte  `cbor:"1,keyasint"`
	Requester [32]byte  `cbor:"2,keyasint"`
	Offer     string    `cbor:"3,keyasint"`
	Class     Class     `cbor:"4,keyasint"`
	Policy    string    `cbor:"5,keyasint"`
	Quantity  Quantity  `cbor:"6,keyasint"`
	Price     uint32    `cbor:"7,keyasint"`
	State     State     `cbor:"8,keyasint"`
	Duration  int64     `cbor:"9,keyasint"`
	Namespace string    `cbor:"10,keyasint"`
	Manifest  [32]byte  `cbor:"11,keyasint"`
	Grant     []byte    `cbor:"12,keyasint"`
	Receipt   []byte    `cbor:"13,keyasint"`
	Reason    string    `cbor:"14,keyasint"`
	Reserved  momentRow `cbor:"15,keyasint"`
	Started   momentRow `cbor:"16,keyasint"`
	Granted   momentRow `cbor:"17,keyasint"`
	Confirmed momentRow `cbor:"18,keyasint"`
	Ended     momentRow `cbor:"19,keyasint"`
	Expires   int64     `cbor:"20,keyasint"` // Unix nanoseconds, 0: not set

	// Since schema 2.
	Notice    int64      `cbor:"21,keyasint,omitempty"`
	Promise   promiseRow `cbor:"22,keyasint"`
	Reclaimed momentRow  `cbor:"23,keyasint"`
	Told      toldRow    `cbor:"24,keyasint"`
	Further   []Quantity `cbor:"25,keyasint,omitempty"`
}

type promiseRow struct {
	_        struct{} `cbor:",toarray"`
	Duration int64
	Made     momentRow
	Receipt  []byte
}

type toldRow struct {
	_    struct{} `cbor:",toarray"`
	Kind uint8
	Ends int64 // Unix seconds, 0: not set
}

type momentRow struct {
	_     struct{} `cbor:",toarray"`
	Wall  int64    // Unix nanoseconds; 0 with an empty Boot: not set
	Boot  string
	Since int64
}

type matchRow struct {
	Slots []matchSlot `cbor:"1,keyasint"`
}

type matchSlot struct {
	_      struct{} `cbor:",toarray"`
	Minute int64    // since 1970
	Count  uint32
}

var (
	rowEncoding = must(cbor.EncOptions{
		Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden, TextMarshaler: cbor.TextMarshalerTextString,
	}.EncMode())
	rowDecoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		TextUnmarshaler: cbor.TextUnmarshalerTextString,
	}.DecMode())
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}

func rowSum(bucket, key, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli, bucket)
	return crc32.Update(crc32.Update(sum, castagnoli, key), castagnoli, payload)
}

func encodeRow(bucket, key []byte, row any) ([]byte, error) {
	payload, err := rowEncoding.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("encode row: %w", err)
	}
	return append(binary.BigEndian.AppendUint32(nil, rowSum(bucket, key, payload)), payload...), nil
}

func decodeRow(bucket, key, value []byte, row any) error {
	if len(value) < 4 || binary.BigEndian.Uint32(value) != rowSum(bucket, key, value[4:]) {
		return errors.New("checksum of a row")
	}
	if err := rowDecoding.Unmarshal(value[4:], row); err != nil {
		return errors.New("encoding of a row") // the cause might quote it
	}
	return nil
}

func (m Moment) row() momentRow {
	if m.IsZero() {
		return momentRow{}
	}
	return momentRow{Wall: m.Wall.UnixNano(), Boot: m.Boot, Since: int64(m.Since)}
}

func (r momentRow) moment() Moment {
	if r == (momentRow{}) {
		return Moment{}
	}
	return Moment{Wall: time.Unix(0, r.Wall).UTC(), Boot: r.Boot, Since: time.Duration(r.Since)}
}

func (l Lease) row() leaseRow {
	r := leaseRow{
		SID: l.SID, Requester: l.Requester, Offer: l.Offer, Class: l.Class, Policy: l.Policy, Quantity: l.Quantity,
		Price: uint32(l.Price), State: l.State, Duration: int64(l.Duration), Namespace: l.Namespace, Manifest: l.Manifest,
		Grant: l.Grant, Receipt: l.Receipt, Reason: l.Reason, Reserved: l.Reserved.row(), Started: l.Started.row(),
		Granted: l.Granted.row(), Confirmed: l.Confirmed.row(), Ended: l.Ended.row(),
	}
	if !l.Expires.IsZero() {
		r.Expires = l.Expires.UnixNano()
	}
	r.Further = l.Further
	r.Notice, r.Reclaimed = int64(l.Notice), l.Reclaimed.row()
	r.Promise = promiseRow{Duration: int64(l.Promise.Duration), Made: l.Promise.Made.row(), Receipt: l.Promise.Receipt}
	r.Told.Kind = uint8(l.Told.Kind)
	if !l.Told.Ends.IsZero() {
		r.Told.Ends = l.Told.Ends.Unix()
	}
	return r
}

func (r leaseRow) lease(id LeaseID) (Lease, error) {
	l := Lease{
		ID: id, SID: r.SID, Requester: r.Requester, Offer: r.Offer, Class: r.Class, Policy: r.Policy, Quantity: r.Quantity,
		Price: Price(r.Price), State: r.State, Duration: time.Duration(r.Duration), Namespace: r.Namespace, Manifest: r.Manifest,
		Grant: r.Grant, Receipt: r.Receipt, Reason: r.Reason, Reserved: r.Reserved.moment(), Started: r.Started.moment(),
		Granted: r.Granted.moment(), Confirmed: r.Confirmed.moment(), Ended: r.Ended.moment(),
	}
	if r.Expires != 0 {
		l.Expires = time.Unix(0, r.Expires).UTC()
	}
	l.Further = r.Further
	l.Notice, l.Reclaimed = time.Duration(r.Notice), r.Reclaimed.moment()
	l.Promise = Promise{Duration: time.Duration(r.Promise.Duration), Made: r.Promise.Made.moment(), Receipt: r.Promise.Receipt}
	l.Told.Kind = NoticeKind(r.Told.Kind)
	if r.Told.Ends != 0 {
		l.Told.Ends = time.Unix(r.Told.Ends, 0).UTC()
	}
	if !l.State.Stored() {
		return l, errors.New("state of a lease")
	}
	_, err := l.Resources()
	return l, err
}

// contents is everything that a ledger keeps on disk.
type contents struct {
	offers  map[string]Offer
	leases  map[LeaseID]Lease
	matches map[[32]byte][]matchSlot
	drain   Drain
}

// load reads and verifies every row.
func load(tx *bolt.Tx, provider [32]byte) (contents, error) {
	c := contents{offers: map[string]Offer{}, leases: map[LeaseID]Lease{}, matches: map[[32]byte][]matchSlot{}}
	err := errors.Join(
		loadDrain(tx, &c.drain),
		each(tx, bucketOffers, func(k []byte, row offerRow) error {
			o, err := row.offer(string(k))
			c.offers[o.Name] = o
			return err
		}),
		each(tx, bucketLeases, func(k []byte, row leaseRow) error {
			if len(k) != 32 || NewLeaseID(row.SID, provider) != LeaseID(k) {
				return errors.New("id of a lease")
			}
			l, err := row.lease(LeaseID(k))
			c.leases[l.ID] = l
			return err
		}),
		each(tx, bucketMatches, func(k []byte, row matchRow) error {
			if len(k) != 32 {
				return errors.New("key of a match count")
			}
			c.matches[[32]byte(k)] = row.Slots
			return nil
		}),
	)
	return c, err
}

// each decodes the rows of one bucket.
func each[R any](tx *bolt.Tx, bucket []byte, take func(key []byte, row R) error) error {
	b := tx.Bucket(bucket)
	if b == nil {
		return fmt.Errorf("no bucket %s", bucket)
	}
	return b.ForEach(func(k, v []byte) error {
		var row R
		if err := decodeRow(bucket, k, v, &row); err != nil {
			return err
		}
		return take(k, row)
	})
}
