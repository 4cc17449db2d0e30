package requester

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPredictionsGrow(t *testing.T) {
	p, err := OpenPace("")
	if err != nil {
		t.Fatal(err)
	}
	base := Shape{Parties: 5, ANDs: 400, RTT: 10 * time.Millisecond}
	for name, more := range map[string]Shape{
		"parties":   {Parties: 9, ANDs: 400, RTT: base.RTT},
		"gates":     {Parties: 5, ANDs: 800, RTT: base.RTT},
		"distance":  {Parties: 5, ANDs: 400, RTT: 2 * base.RTT},
		"strangers": {Parties: 5, ANDs: 400, RTT: base.RTT, Strange: 4},
	} {
		if p.Predict(more) <= p.Predict(base) {
			t.Errorf("more %s are not slower: %v and %v", name, p.Predict(more), p.Predict(base))
		}
	}
	if none := (*Pace)(nil); none.Predict(base) != p.Predict(base) || none.Learn(base, 1) != nil {
		t.Error("without a file to learn from the model is another")
	}
}

// A machine that is three times as slow is known after a few matches, also by
// the next process, and one odd match does not undo it.
func TestPaceLearns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pace.json")
	p, err := OpenPace(path)
	if err != nil {
		t.Fatal(err)
	}
	s := Shape{Parties: 9, ANDs: 790, RTT: 5 * time.Millisecond}
	truth := s.waiting() + 3*s.computing()
	for range 4 {
		if err = p.Learn(s, truth); err != nil {
			t.Fatal(err)
		}
	}
	p, err = OpenPace(path)
	if err != nil {
		t.Fatal(err)
	}
	off := func() float64 { return math.Abs(float64(p.Predict(s))/float64(truth) - 1) }
	if off() > 0.05 {
		t.Errorf("predicts %v, took %v", p.Predict(s), truth)
	}
	larger := Shape{Parties: 17, ANDs: 1582, RTT: 40 * time.Millisecond}
	if got, want := p.Predict(larger), larger.waiting()+3*larger.computing(); math.Abs(float64(got)/float64(want)-1) > 0.05 {
		t.Errorf("of another shape it predicts %v, want %v", got, want)
	}
	if err := p.Learn(s, time.Hour); err != nil {
		t.Fatal(err)
	}
	if off() > 3 {
		t.Errorf("after one match of an hour it predicts %v", p.Predict(s))
	}
	if err := p.Learn(s, 0); err != nil || p.Predict(s) < s.waiting() {
		t.Errorf("after a match in no time it predicts %v: %v", p.Predict(s), err)
	}
}

func TestDamagedPaceBeginsAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pace.json")
	for _, text := range []string{"", "{", `{"factor":0}`, `{"factor":1e9}`, `{"factor":1,"matches":-1}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := OpenPace(path)
		if err == nil || p.Predict(Shape{Parties: 2}) != (*Pace)(nil).Predict(Shape{Parties: 2}) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
