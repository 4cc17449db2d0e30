package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
)

// lines reads the stream of a lookup: one JSON object a line, each of at most maxLine bytes.
type lines struct{ s *bufio.Scanner }

func newLines(r io.Reader) *lines {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 512), maxLine)
	return &lines{s}
}

// next returns the next line; io.ErrUnexpectedEOF when the stream ends without its closing line.
func (l *lines) next() (line, error) {
	if !l.s.Scan() {
		if err := l.s.Err(); err != nil {
			return line{}, err
		}
		return line{}, io.ErrUnexpectedEOF
	}
	var out line
	if err := json.Unmarshal(l.s.Bytes(), &out); err != nil {
		return line{}, err
	}
	if out.Found == nil && out.Error == nil && !out.Done {
		return line{}, errors.New("empty line")
	}
	return out, nil
}
