package dht

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	tokenLife = 5 * time.Minute // one is good for this long, and at most for twice as long
	tokenSize = 8
)

// tokens prove that whoever announces has received packets at its source
// address lately: a token is a MAC over the address and the time, so nothing
// is remembered for it.
type tokens struct {
	secret [32]byte
	now    func() time.Time
}

func (t *tokens) of(ip netip.Addr) []byte { return t.at(ip, t.period()) }

func (t *tokens) valid(token []byte, ip netip.Addr) bool {
	p := t.period()
	return hmac.Equal(token, t.at(ip, p)) || hmac.Equal(token, t.at(ip, p-1))
}

func (t *tokens) period() int64 { return t.now().Unix() / int64(tokenLife/time.Second) }

func (t *tokens) at(ip netip.Addr, period int64) []byte {
	mac := hmac.New(sha256.New, t.secret[:])
	addr := ip.As16()
	mac.Write(addr[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(period)))
	return mac.Sum(nil)[:tokenSize]
}
