package console

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// firstMatch is the length of the shortest prefix of stream that ends with
// text, or -1.
func firstMatch(text, stream string) int {
	m := NewMatcher(text)
	for i := range len(stream) {
		if m.Feed(stream[i]) {
			return i + 1
		}
	}
	return -1
}

func TestMatcherFindsTheFirstOccurrence(t *testing.T) {
	for _, c := range []struct{ text, stream string }{
		{"login: ", "Debian GNU/Linux\r\nhost login: "},
		{"aab", "aaab"},
		{"abab", "abacabab"},
		{"aaa", "aabaaa"},
		{"x", ""},
		{"ready", "rereadreadyready"},
	} {
		want := strings.Index(c.stream, c.text)
		if want >= 0 {
			want += len(c.text)
		}
		if got := firstMatch(c.text, c.stream); got != want {
			t.Errorf("%q in %q ends at %d, want %d", c.text, c.stream, got, want)
		}
	}
}

func TestMatcherAgreesWithStringsIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 6))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab"[r.IntN(2)]
		}
		return string(b)
	}
	for range 20_000 {
		text, stream := word(1+r.IntN(6)), word(r.IntN(40))
		want := strings.Index(stream, text)
		if want >= 0 {
			want += len(text)
		}
		if got := firstMatch(text, stream); got != want {
			t.Fatalf("%q in %q ends at %d, want %d", text, stream, got, want)
		}
	}
}

func TestMatcherFindsOverlappingOccurrences(t *testing.T) {
	m := NewMatcher("aa")
	found := 0
	for range 4 {
		if m.Feed('a') {
			found++
		}
	}
	if found != 3 {
		t.Errorf("%q occurs %d times in %q, want 3", "aa", found, "aaaa")
	}
}
