package match

// commitRequest is the salted commitment to what the requester enters; it is part
// of the sid: it ties the secret to the session without telling it (32 bytes of
// salt hide the inputs in the random-oracle model).
func commitRequest(salt [32]byte, inputs []bool) [32]byte {
	b := append(make([]byte, 0, len(salt)+len(inputs)), salt[:]...)
	for _, x := range inputs {
		if x {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	return tagged("angler/1 request", b)
}
