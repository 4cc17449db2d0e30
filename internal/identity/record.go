package identity

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/wire"
)

// domainRecord separates these signatures from all others.
const domainRecord = "angler/1 record"

// Caps of a record.
const (
	// MaxRecord is the largest size in bytes of a signed record.
	MaxRecord = 4 << 10
	// MaxRecordLife is the longest time from Issued to Expires.
	MaxRecordLife = 24 * time.Hour
	// MaxAddrs is how many addresses a record may name.
	MaxAddrs = 8

	maxClasses  = 64
	maxClass    = 256
	maxPolicies = 16
	maxPolicy   = 64
	maxVersions = 16
	maxCell     = 12
	maxPlace    = 64
)

// Record is what a provider says of itself, signed: others dial only addresses
// that stand in it. It proves who wrote it and nothing more; above all, its
// Membership is to be checked against one's own pool ([Pool.Verify]).
type Record struct {
	ID PeerID
	// Addrs are where the peer's QUIC port can be reached, 1 to 8, the ones to
	// be tried first first: unicast, no zone, no IPv4-mapped IPv6 address.
	Addrs []netip.AddrPort
	// Classes are the resource classes in their canonical text, at most 64.
	Classes []string
	// Policies are the placement functions that the peer takes part in, at
	// most 16.
	Policies []string
	// Versions are the protocol versions that the peer speaks, 1 to 16.
	Versions []uint
	// Cell is the geohash prefix of where the capacity is, up to 12
	// characters, or empty.
	Cell string
	// Coordinate is where the peer is in the space of round-trip times, as
	// package coord encodes it, at most 64 bytes, or empty.
	Coordinate []byte
	// Membership is the peer's admission to its pool, or nil.
	Membership *Membership
	// Issued and Expires bound the validity, in whole seconds of UTC, at most
	// MaxRecordLife apart.
	Issued, Expires time.Time
}

// recordBody is the signed part as it travels.
type recordBody struct {
	ID         PeerID   `cbor:"1,keyasint"`
	Addrs      [][]byte `cbor:"2,keyasint"`
	Classes    []string `cbor:"3,keyasint"`
	Policies   []string `cbor:"4,keyasint"`
	Versions   []uint   `cbor:"5,keyasint"`
	Cell       string   `cbor:"6,keyasint"`
	Membership []byte   `cbor:"7,keyasint"`
	Issued     int64    `cbor:"8,keyasint"`
	Expires    int64    `cbor:"9,keyasint"`
	Coordinate []byte   `cbor:"10,keyasint,omitempty"`
}

// SignRecord returns the record as it travels (see the package's Formats),
// signed by key, which must be that of r.ID (the zero ID stands for it). Times
// are cut to whole seconds of UTC. It fails if a field is out of its range.
func SignRecord(key *Key, r Record) ([]byte, error) {
	if r.ID.IsZero() {
		r.ID = key.ID()
	}
	if r.ID != key.ID() {
		return nil, fmt.Errorf("sign record of %s: %w: the key is that of %s", r.ID.Short(), ErrNotSigned, key.ID().Short())
	}
	r.Issued = wireTime(r.Issued.Unix())
	r.Expires = wireTime(r.Expires.Unix())
	if err := r.validate(); err != nil {
		return nil, err
	}
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	raw := wire.Encode(sealed{Body: body, Signature: key.Sign(domainRecord, body)})
	if len(raw) > MaxRecord {
		return nil, fmt.Errorf("sign record: %w: %d bytes, at most %d are allowed: announce fewer classes", ErrMalformed, len(raw), MaxRecord)
	}
	return raw, nil
}

// body returns the bytes that are signed; an empty list is written as such,
// never as null.
func (r Record) body() ([]byte, error) {
	b := recordBody{
		ID:       r.ID,
		Addrs:    make([][]byte, 0, len(r.Addrs)),
		Classes:  append([]string{}, r.Classes...),
		Policies: append([]string{}, r.Policies...),
		Versions: append([]uint{}, r.Versions...),
		Cell:     r.Cell,
		Issued:   r.Issued.Unix(),
		Expires:  r.Expires.Unix(),

		Coordinate: r.Coordinate,
	}
	for _, a := range r.Addrs {
		b.Addrs = append(b.Addrs, appendAddr(nil, a))
	}
	if r.Membership != nil {
		m, err := r.Membership.Encode()
		if err != nil {
			return nil, fmt.Errorf("record of %s: %w", r.ID.Short(), err)
		}
		b.Membership = m
	}
	return wire.Encode(b), nil
}

// OpenRecord reads what SignRecord writes and checks the signature and the
// validity at the time now (give or take Skew), and that a membership in it is
// the writer's. The errors wrap ErrMalformed, ErrNotSigned, ErrWrongMember,
// ErrNotYetValid or ErrExpired.
func OpenRecord(raw []byte, now time.Time) (Record, error) {
	r, err := parseRecord(raw)
	if err != nil {
		return Record{}, fmt.Errorf("record: %w", err)
	}
	if err := checkNow(r.Issued, r.Expires, now); err != nil {
		return Record{}, fmt.Errorf("record of %s: %w: ask the peer for a fresh one, and compare the clocks", r.ID.Short(), err)
	}
	return r, nil
}

// parseRecord checks everything that does not depend on the time.
func parseRecord(raw []byte) (Record, error) {
	var s sealed
	if err := wire.Decode(raw, MaxRecord, &s); err != nil {
		return Record{}, err
	}
	var b recordBody
	if err := wire.Decode(s.Body, MaxRecord, &b); err != nil {
		return Record{}, err
	}
	if !b.ID.Verify(domainRecord, s.Body, s.Signature) {
		return Record{}, fmt.Errorf("%w: the signature is not that of %s", ErrNotSigned, b.ID.Short())
	}
	r := Record{
		ID:       b.ID,
		Addrs:    make([]netip.AddrPort, 0, len(b.Addrs)),
		Classes:  b.Classes,
		Policies: b.Policies,
		Versions: b.Versions,
		Cell:     b.Cell,
		Issued:   wireTime(b.Issued),
		Expires:  wireTime(b.Expires),

		Coordinate: b.Coordinate,
	}
	for _, a := range b.Addrs {
		addr, err := parseAddr(a)
		if err != nil {
			return Record{}, err
		}
		r.Addrs = append(r.Addrs, addr)
	}
	if b.Membership != nil {
		m, err := ParseMembership(b.Membership)
		if err != nil {
			return Record{}, err
		}
		r.Membership = &m
	}
	if err := r.validate(); err != nil {
		return Record{}, err
	}
	if body, err := r.body(); err != nil || !bytes.Equal(body, s.Body) {
		return Record{}, fmt.Errorf("%w: not the canonical encoding", ErrMalformed)
	}
	return r, nil
}

// validate checks each field's range.
func (r Record) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("record of %s: %w: %s", r.ID.Short(), ErrMalformed, fmt.Sprintf(format, args...))
	}
	if len(r.Addrs) == 0 || len(r.Addrs) > MaxAddrs {
		return bad("%d addresses, 1 to %d are allowed", len(r.Addrs), MaxAddrs)
	}
	for _, a := range r.Addrs {
		if !Dialable(a) {
			return bad("address %s is not a unicast address and port", a)
		}
	}
	if !texts(r.Classes, maxClasses, maxClass) {
		return bad("at most %d classes of printable ASCII, none twice or over %d characters", maxClasses, maxClass)
	}
	if !texts(r.Policies, maxPolicies, maxPolicy) {
		return bad("at most %d policies of printable ASCII, none twice or over %d characters", maxPolicies, maxPolicy)
	}
	if len(r.Versions) == 0 || len(r.Versions) > maxVersions {
		return bad("%d versions, 1 to %d are allowed", len(r.Versions), maxVersions)
	}
	if r.Cell != "" && !printable(r.Cell, maxCell) {
		return bad("the cell has at most %d characters", maxCell)
	}
	if len(r.Coordinate) > maxPlace {
		return bad("a coordinate of %d bytes, at most %d are allowed", len(r.Coordinate), maxPlace)
	}
	if r.Membership != nil && r.Membership.Member != r.ID {
		return fmt.Errorf("record of %s: %w: it was issued to %s", r.ID.Short(), ErrWrongMember, r.Membership.Member.Short())
	}
	if err := checkPeriod(r.Issued, r.Expires); err != nil {
		return fmt.Errorf("record of %s: %w", r.ID.Short(), err)
	}
	if r.Expires.Sub(r.Issued) > MaxRecordLife {
		return bad("valid for over %s", MaxRecordLife)
	}
	return nil
}

// texts tells whether list has at most count printable texts of at most size
// characters, none twice.
func texts(list []string, count, size int) bool {
	if len(list) > count {
		return false
	}
	for i, text := range list {
		if !printable(text, size) || slices.Contains(list[:i], text) {
			return false
		}
	}
	return true
}

// Dialable tells whether a may stand in a record: whether it can be dialled from
// another host, or from this one, for loopback and private addresses have their
// uses.
func Dialable(a netip.AddrPort) bool {
	ip := a.Addr()
	return a.Port() != 0 && ip.IsValid() && ip.Zone() == "" && !ip.Is4In6() &&
		!ip.IsUnspecified() && !ip.IsMulticast() && ip != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// appendAddr appends the 4 or 16 bytes of the address and the port, big-endian.
func appendAddr(dst []byte, a netip.AddrPort) []byte {
	dst = append(dst, a.Addr().AsSlice()...)
	return append(dst, byte(a.Port()>>8), byte(a.Port()))
}

// parseAddr reads what appendAddr writes.
func parseAddr(raw []byte) (netip.AddrPort, error) {
	if len(raw) != 6 && len(raw) != 18 {
		return netip.AddrPort{}, fmt.Errorf("%w: an address of %d bytes", ErrMalformed, len(raw))
	}
	end := len(raw) - 2
	ip, _ := netip.AddrFromSlice(raw[:end])
	return netip.AddrPortFrom(ip, uint16(raw[end])<<8|uint16(raw[end+1])), nil
}
