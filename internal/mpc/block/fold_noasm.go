//go:build purego || !amd64

package block

func foldStreams(v []byte, stride int, u []byte, seeds []Block, nonce Block) {
	foldGeneric(v, stride, u, seeds, nonce)
}
