package dht

import "testing"

// What came of a contact counts once, and what was found out last.
func TestWordsCountAContactOnce(t *testing.T) {
	w, liar := newWords(), at(9, 9, 9)
	for range 5 { // by several paths
		w.count(liar, at(1, 1, 1), false)
		w.count(liar, at(1, 1, 2), false)
	}
	if w.worthless(liar) {
		t.Error("two dead contacts are enough")
	}
	w.count(liar, at(1, 1, 3), false)
	if !w.worthless(liar) {
		t.Error("three dead contacts and none alive are not enough")
	}
	w.count(liar, at(1, 1, 1), true) // it was slow, no more
	if w.worthless(liar) {
		t.Error("an answer that came late does not count")
	}
	if got := *w.of[liar]; got != (word{alive: 1, dead: 2}) {
		t.Errorf("counted %+v", got)
	}
	if w.worthless(at(8, 8, 8)) {
		t.Error("somebody who told of nobody is worthless")
	}
}
