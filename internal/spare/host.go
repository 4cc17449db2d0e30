package spare

import "crypto/sha256"

// Host names one boot of one machine. It is no secret.
type Host [32]byte

// hostOf hashes what the machine and its kernel say of themselves.
func hostOf(machine, boot string) Host {
	h := sha256.New()
	h.Write([]byte("angler/1 host"))
	for _, s := range []string{machine, boot} {
		sum := sha256.Sum256([]byte(s))
		h.Write(sum[:])
	}
	return Host(h.Sum(nil))
}
