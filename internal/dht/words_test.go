package dht

import "testing"

// What came of a contact counts once, and what was found out last.
func TestWordsCountAContactOnce(t *testing.T) {
	w, liar := newWords(), at(9, 9, 9)
	for range 5 { // by several paths
		w.count(liar, at(1, 1, 1), silent)
		w.count(liar, at(1, 1, 2), gone)
	}
	if w.worthless(liar) {
		t.Error("two dead contacts are enough")
	}
	w.count(liar, at(1, 1, 3), silent)
	if !w.worthless(liar) {
		t.Error("three dead contacts and none alive are not enough")
	}
	w.count(liar, at(1, 1, 1), alive) // it was slow, no more
	if w.worthless(liar) {
		t.Error("an answer that came late does not count")
	}
	if got := *w.of[liar]; got != (word{alive: 1, silent: 1, gone: 1}) {
		t.Errorf("counted %+v", got)
	}
	if w.worthless(at(8, 8, 8)) {
		t.Error("somebody who told of nobody is worthless")
	}
}

// Where everybody is slow, contacts that have not answered yet make nobody a
// liar whose word counts nothing in later walks as well.
func TestSlownessMakesNoLiars(t *testing.T) {
	w, teller := newWords(), at(9, 9, 9)
	for i := range byte(5) {
		w.count(teller, at(1, i, 1), silent)
	}
	if !w.worthless(teller) || len(w.liars()) != 0 {
		t.Errorf("five silent contacts: worthless %v, liars %v", w.worthless(teller), w.liars())
	}
	for i := range byte(3) {
		w.count(teller, at(1, i, 1), gone)
	}
	if got := w.liars(); len(got) != 1 || got[0] != teller {
		t.Errorf("three of them are gone: liars %v", got)
	}
}
