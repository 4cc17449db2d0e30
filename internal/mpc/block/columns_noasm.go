//go:build purego || !amd64

package block

func columnSums(rows, chi []Block) [128]Block { return columnSumsGeneric(rows, chi) }
