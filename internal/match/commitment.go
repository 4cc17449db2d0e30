package match

import (
	"encoding/binary"

	"github.com/angler-dex/angler/internal/market"
)

// commitRequest is the salted commitment to a request that enters the sid: it
// ties the secret to the session without telling it (32 bytes of salt hide
// quantity and maximum price in the random-oracle model).
func commitRequest(salt [32]byte, q market.Quantity, ceiling market.Price) [32]byte {
	b := make([]byte, 0, 38)
	b = append(b, salt[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(q))
	b = binary.BigEndian.AppendUint32(b, uint32(ceiling))
	return tagged("angler/1 request", b)
}
