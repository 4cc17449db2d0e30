package dht

import "testing"

// The vectors were made with sha256sum, from the encoding that ClassKey's
// comment states:
//
//	(printf '\0\0\0\10angler/1'; printf '\0\0\0\3lab'; …) | sha256sum | cut -c1-40
func TestClassKeyVectors(t *testing.T) {
	for _, c := range []struct{ pool, cell, class, want string }{
		{"lab", "u09t", "cpu=1,memory=1Gi", "d8adfcb205be4932fb5e05152dfe4bccd727f24e"},
		{"lab", "", "cpu=1,memory=1Gi", "aea95d2032a284740036c0f79ed90d83a6fc8400"},
		{"", "", "", "988c1729f3dcaa236d927a86631b67e51ad3ee18"},
	} {
		if got := ClassKey(c.pool, c.cell, c.class).String(); got != c.want {
			t.Errorf("ClassKey(%q, %q, %q) = %s, want %s", c.pool, c.cell, c.class, got, c.want)
		}
	}
}

func TestClassKeySeparatesItsParts(t *testing.T) {
	seen := make(map[Key][3]string)
	for _, parts := range [][3]string{
		{"ab", "c", "d"}, {"a", "bc", "d"}, {"a", "b", "cd"}, {"abcd", "", ""}, {"", "abcd", ""}, {"", "", "abcd"},
		{"a\x00\x00\x00\x01b", "", ""}, {"a", "b", ""},
	} {
		key := ClassKey(parts[0], parts[1], parts[2])
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q have the same key", parts, other)
		}
		seen[key] = parts
	}
}
