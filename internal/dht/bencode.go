package dht

import (
	"bytes"
	"strconv"
)

// maxDepth bounds the nesting of a packet; KRPC needs 3.
const maxDepth = 8

// scanner walks over bencoded bytes. Every method reports false on malformed
// or truncated input, after which the scanner is not used any more. Strings
// are slices of the input: nothing is allocated on a length's word.
type scanner struct {
	b   []byte
	pos int
}

func (s *scanner) peek() byte {
	if s.pos >= len(s.b) {
		return 0
	}
	return s.b[s.pos]
}

// str reads "<length>:<bytes>".
func (s *scanner) str() ([]byte, bool) {
	rest := s.b[s.pos:]
	colon := bytes.IndexByte(rest[:min(len(rest), 6)], ':')
	if colon < 1 || colon > 1 && rest[0] == '0' {
		return nil, false
	}
	n := 0
	for _, c := range rest[:colon] {
		if c < '0' || c > '9' {
			return nil, false
		}
		n = 10*n + int(c-'0')
	}
	rest = rest[colon+1:]
	if n > len(rest) {
		return nil, false
	}
	s.pos += colon + 1 + n
	return rest[:n:n], true
}

// integer reads "i<decimal>e" of at most 64 bits.
func (s *scanner) integer() (int64, bool) {
	rest := s.b[s.pos:]
	end := bytes.IndexByte(rest[:min(len(rest), 22)], 'e')
	if end < 2 || rest[0] != 'i' || rest[1] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(rest[1:end]), 10, 64)
	if err != nil {
		return 0, false
	}
	s.pos += end + 1
	return n, true
}

// list calls element at each element, which must consume it.
func (s *scanner) list(element func() bool) bool {
	if s.peek() != 'l' {
		return false
	}
	s.pos++
	for s.peek() != 'e' {
		if !element() {
			return false
		}
	}
	s.pos++
	return true
}

// dict calls value after each key; value must consume what follows. Keys out
// of order are tolerated, of equal keys the last one counts.
func (s *scanner) dict(value func(key string) bool) bool {
	if s.peek() != 'd' {
		return false
	}
	s.pos++
	for s.peek() != 'e' {
		key, ok := s.str()
		if !ok || !value(string(key)) {
			return false
		}
	}
	s.pos++
	return true
}

// skip consumes any one value of at most depth levels.
func (s *scanner) skip(depth int) bool {
	if depth == 0 {
		return false
	}
	switch c := s.peek(); {
	case c == 'i':
		_, ok := s.integer()
		return ok
	case c == 'l':
		return s.list(func() bool { return s.skip(depth - 1) })
	case c == 'd':
		return s.dict(func(string) bool { return s.skip(depth - 1) })
	default:
		_, ok := s.str()
		return ok
	}
}

func appendString[T string | []byte](dst []byte, v T) []byte {
	dst = strconv.AppendInt(dst, int64(len(v)), 10)
	dst = append(dst, ':')
	return append(dst, v...)
}

func appendInteger(dst []byte, v int64) []byte {
	dst = append(dst, 'i')
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, 'e')
}
