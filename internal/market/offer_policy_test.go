package market

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// What an offer enters, by what it lists.
func TestOfferEnters(t *testing.T) {
	for _, tc := range []struct {
		lists string // separated by spaces
		yes   string
		no    string
	}{
		{"", "lowest-price fit split;cap;tiers;winners=4;with=storage second-price", "lowest-price;handicap second-price;handicap;tiers fit;cap;handicap"},
		{"lowest-price", "lowest-price lowest-price;tiers lowest-price;tiers;with=storage", "lowest-price;handicap fit second-price"},
		{"lowest-price;handicap", "lowest-price lowest-price;handicap lowest-price;handicap;tiers", "fit;handicap second-price"},
		{"split;-cap", "split split;tiers split;winners=3", "split;cap split;cap;tiers split;handicap"},
		{"split;-cap;handicap", "split;handicap split;handicap;winners=2", "split;cap split;cap;handicap"},
		{"split;winners=4", "split;winners=4 split;cap;winners=2", "split split;winners=5 split;winners=8;tiers split;handicap;winners=2"},
		{"fit split;winners=2", "fit split;winners=2 fit;winners=8", "split split;winners=3"},
		{"lowest-price lowest-price;-tiers;handicap", "lowest-price;tiers lowest-price;handicap", "lowest-price;handicap;tiers"},
		{"lowest-price;luck fit;=3", "", "lowest-price lowest-price;luck fit"}, // of a later version
	} {
		o := Offer{Policies: strings.Fields(tc.lists)}
		for _, policy := range strings.Fields(tc.yes) {
			if !o.enters(policy) {
				t.Errorf("[%s] does not enter %s", tc.lists, policy)
			}
		}
		for _, policy := range strings.Fields(tc.no) {
			if o.enters(policy) {
				t.Errorf("[%s] enters %s", tc.lists, policy)
			}
		}
	}
}

// Entries are kept in one spelling, and what cannot be read is refused by name.
func TestPolicyEntries(t *testing.T) {
	for text, want := range map[string]string{
		"fit":                               "fit",
		"fit;-handicap":                     "fit",
		"split;winners=4;handicap;-cap":     "split;-cap;handicap;winners=4",
		"lowest-price;-with;handicap":       "lowest-price;handicap;-with",
		"split;winners=04":                  "",
		"split;winners=":                    "",
		"split;winners=-1":                  "",
		"split;-winners=4":                  "",
		"split;tiers":                       "", // is allowed anyway
		"split;cap;-cap":                    "",
		"split;-cap;-cap":                   "",
		"split;handicap;-handicap":          "",
		"split;--cap":                       "",
		"split;":                            "",
		";split":                            "",
		"Split":                             "",
		"":                                  "",
		"split;-" + strings.Repeat("a", 64): "",
	} {
		o := Offer{Unit: mustClass(t, "cpu=1,memory=1Gi"), Ceiling: 1, Price: 1, Policies: []string{text}}.Normalize()
		err := o.Validate()
		var f *FieldError
		switch {
		case want == "" && (!errors.As(err, &f) || f.Field != "policy"):
			t.Errorf("%q: %v", text, err)
		case want != "" && (err != nil || !slices.Equal(o.Policies, []string{want})):
			t.Errorf("%q: %q, %v", text, o.Policies, err)
		}
	}
}

// FuzzPolicyEntry: what can be read is written and read alike, enters nothing more
// than its text did, and never what needs consent and has not got it.
func FuzzPolicyEntry(f *testing.F) {
	for _, seed := range [][2]string{{"fit", "fit;cap"}, {"split;-cap;handicap;winners=4", "split;winners=3"}, {"lowest-price;-tiers", "lowest-price;handicap"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, policy string) {
		e, err := readPolicyEntry(text)
		if err != nil {
			return
		}
		again, err := readPolicyEntry(e.String())
		if err != nil || again.String() != e.String() {
			t.Fatalf("%q is written %q, which is %q: %v", text, e, again, err)
		}
		covers := e.covers(policy)
		if covers != again.covers(policy) {
			t.Errorf("%q and %q do not cover alike", text, e)
		}
		_, keys := PolicyParts(policy)
		if covers && slices.Contains(keys, "handicap") && !strings.Contains(text, ";handicap") {
			t.Errorf("%q enters %q", text, policy)
		}
	})
}
