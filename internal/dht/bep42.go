package dht

import (
	"hash/crc32"
	"net/netip"
)

// On a public network a node does not choose its place in the key space: the
// first 21 bits of its id follow from its address (BEP 42, "DHT Security
// Extension"). Who wants many nodes near a key needs many addresses.
//
//	id[0:21 bits] = CRC32C((ip & mask) | r<<5 in the first byte),  r = id[19] & 7
var (
	bep42Mask4 = [4]byte{0x03, 0x0f, 0x3f, 0xff}
	bep42Mask6 = [8]byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// bep42Exempt reports whether the address is one that BEP 42 does not bind:
// local ones.
func bep42Exempt(ip netip.Addr) bool {
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
}

func bep42Sum(ip netip.Addr, r byte) uint32 {
	var masked []byte
	if ip.Is4() {
		b := ip.As4()
		for i, m := range bep42Mask4 {
			masked = append(masked, b[i]&m)
		}
	} else {
		b := ip.As16()
		for i, m := range bep42Mask6 {
			masked = append(masked, b[i]&m)
		}
	}
	masked[0] |= r & 7 << 5
	return crc32.Checksum(masked, castagnoli)
}

// fits reports whether a node at this address may have this id.
func fits(id Key, ip netip.Addr) bool {
	if bep42Exempt(ip) {
		return true
	}
	sum := bep42Sum(ip, id[19])
	return id[0] == byte(sum>>24) && id[1] == byte(sum>>16) && id[2]&0xf8 == byte(sum>>8)&0xf8
}

// bound is the id with its first 21 bits made to fit the address.
func bound(id Key, ip netip.Addr) Key {
	if bep42Exempt(ip) {
		return id
	}
	sum := bep42Sum(ip, id[19])
	id[0], id[1] = byte(sum>>24), byte(sum>>16)
	id[2] = byte(sum>>8)&0xf8 | id[2]&7
	return id
}
