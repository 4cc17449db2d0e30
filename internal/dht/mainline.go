package dht

import "slices"

// mainline are well-known nodes of the public DHT, for Config.Bootstrap of a
// Public node: those that its clients have built in.
var mainline = []string{
	"router.bittorrent.com:6881",
	"dht.transmissionbt.com:6881",
	"router.utorrent.com:6881",
	"dht.libtorrent.org:25401",
}

// Mainline lists well-known nodes of the public DHT, for a Public node to join
// by.
func Mainline() []string { return slices.Clone(mainline) }
