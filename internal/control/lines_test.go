package control

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	in := newLines(strings.NewReader("{\"found\":{\"addr\":\"[::1]:1\"}}\n{\"done\":true}\n"))
	if l, err := in.next(); err != nil || l.Found == nil || l.Found.Addr.String() != "[::1]:1" {
		t.Fatalf("%+v, %v", l, err)
	}
	if l, err := in.next(); err != nil || !l.Done {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := in.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("after the end: %v", err)
	}
	for _, bad := range []string{"", "{}\n", "{\"found\":{\"addr\":\"nowhere\"}}\n", strings.Repeat("x", maxLine+1), "null\n", "[]\n"} {
		if l, err := newLines(strings.NewReader(bad)).next(); err == nil {
			t.Errorf("%.20q: %+v", bad, l)
		}
	}
}

// FuzzLines: whatever a daemon sends, a line that is accepted says something, and reading ends.
func FuzzLines(f *testing.F) {
	f.Add("{\"found\":{\"addr\":\"127.0.0.1:1\",\"id\":\"x\"}}\n{\"done\":true}\n")
	f.Add("{\"error\":{\"code\":\"invalid\",\"message\":\"m\"}}\n")
	f.Add("{\"done\":false}\n\n{")
	f.Fuzz(func(t *testing.T, s string) {
		in := newLines(strings.NewReader(s))
		for n := 0; ; n++ {
			l, err := in.next()
			if err != nil {
				return
			}
			if l.Found == nil && l.Error == nil && !l.Done {
				t.Fatal("accepted an empty line")
			}
			if n > len(s) {
				t.Fatal("more lines than bytes")
			}
		}
	})
}

// FuzzOfferBody: a body that the server accepts is one JSON object, and what it read survives being written again.
func FuzzOfferBody(f *testing.F) {
	f.Add(`{"name":"a","class":"cpu=1,memory=1Gi","ceiling":40,"price":"0.031","maxDuration":"1h","policies":["lowest-price"],"paused":true}`)
	f.Add(`{"ceiling":-1}`)
	f.Add(`{"a":1}{"b":2}`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, body string) {
		read := func(body string) (Offer, error) {
			var o Offer
			r := httptest.NewRequest(http.MethodPut, "/", strings.NewReader(body))
			return o, readJSON(httptest.NewRecorder(), r, &o)
		}
		o, err := read(body)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("not a fault of the request: %v", err)
			}
			return
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := read(string(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if text2, err := json.Marshal(again); err != nil || string(text2) != string(text) {
			t.Fatalf("%s became %s, %v", text, text2, err)
		}
	})
}
