package market

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// Any payload with a right checksum either is refused or is a row that reads
// back as itself.
func FuzzDecodeRow(f *testing.F) {
	noon := Moment{Wall: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Boot: "first", Since: time.Hour}
	lease := Lease{
		Class: mustClass(f, small), Policy: DefaultPolicy, Quantity: 3, Price: 4, State: Active, Duration: time.Hour, Grant: []byte("token"),
		Reserved: noon, Started: noon, Granted: noon, Confirmed: noon, Expires: noon.Wall.Add(time.Hour),
		Notice: time.Hour, Promise: Promise{Duration: 2 * time.Hour, Made: noon, Receipt: []byte("receipt")}, Reclaimed: noon,
		Told: Notice{Kind: NoticeReclaim, Ends: noon.Wall},
	}
	for bucket, row := range map[string]any{
		"leases": lease.row(), "offers": Offer{Unit: lease.Class, Ceiling: 1}.Normalize().row(), "matches": matchRow{Slots: []matchSlot{{Minute: 1, Count: 2}}},
	} {
		value, err := encodeRow([]byte(bucket), []byte("key"), row)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bucket, value[4:])
	}
	f.Add("leases", []byte{0xa0})
	f.Add("offers", []byte{0xbf, 0xff})
	f.Fuzz(func(t *testing.T, bucket string, payload []byte) {
		switch bucket {
		case "leases":
			checkRow(t, bucketLeases, payload, func(r leaseRow) (any, error) {
				l, err := r.lease(LeaseID{})
				return l.row(), err
			})
		case "offers":
			checkRow(t, bucketOffers, payload, func(r offerRow) (any, error) {
				o, err := r.offer("name")
				return o.row(), err
			})
		case "matches":
			checkRow(t, bucketMatches, payload, func(r matchRow) (any, error) { return r, nil })
		}
	})
}

func checkRow[R any](t *testing.T, bucket, payload []byte, through func(R) (any, error)) {
	t.Helper()
	key := []byte("key")
	var row R
	value := append(binary.BigEndian.AppendUint32(nil, rowSum(bucket, key, payload)), payload...)
	if decodeRow(bucket, key, value, &row) != nil {
		return
	}
	same, err := through(row)
	if err != nil {
		return
	}
	first, err := encodeRow(bucket, key, same)
	if err != nil {
		t.Fatal(err)
	}
	var again R
	if err = decodeRow(bucket, key, first, &again); err != nil {
		t.Fatal(err)
	}
	second, err := encodeRow(bucket, key, again)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%x reads back as %x, %v", first, second, err)
	}
	value[0]++
	if decodeRow(bucket, key, value, &row) == nil {
		t.Fatal("a wrong checksum was taken")
	}
}
