package dht

import "slices"

// Mainline in the place of a bootstrap node's address joins the public DHT of
// BitTorrent by its routers, as a Public node. Everybody there can see which
// keys are announced and looked up, and from where.
const Mainline = "mainline"

// routers are the entrances of the public DHT that its large clients ship.
var routers = []string{
	"router.bittorrent.com:6881",
	"dht.transmissionbt.com:6881",
	"router.utorrent.com:6881",
	"dht.libtorrent.org:25401",
}

// CheckBootstrap refuses an entry of Config.Bootstrap that could never be used.
func CheckBootstrap(entry string) error {
	if entry == Mainline {
		return nil
	}
	return checkHostPort(entry)
}

// mainline puts the routers in the place of the word.
func (c *Config) mainline() {
	i := slices.Index(c.Bootstrap, Mainline)
	if i < 0 {
		return
	}
	c.Public = true
	c.Bootstrap = slices.Concat(c.Bootstrap[:i], routers, c.Bootstrap[i+1:])
}
