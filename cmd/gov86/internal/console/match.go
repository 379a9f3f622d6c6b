package console

// A Matcher finds a text in a stream that arrives in pieces
// (Knuth, Morris and Pratt, "Fast Pattern Matching in Strings").
type Matcher struct {
	text    string
	borders []int // borders[i]: the longest proper border of text[:i]
	matched int   // how much of text the stream ends with
}

// NewMatcher returns a matcher for text, which is not empty.
func NewMatcher(text string) *Matcher {
	m := &Matcher{text: text, borders: make([]int, len(text)+1)}
	for i := 1; i < len(text); i++ {
		m.borders[i+1] = m.extend(m.borders[i], text[i])
	}
	return m
}

// Feed takes the stream's next byte and reports whether it completes the text.
func (m *Matcher) Feed(b byte) bool {
	m.matched = m.extend(m.matched, b)
	if m.matched < len(m.text) {
		return false
	}
	m.matched = m.borders[m.matched]
	return true
}

// extend is how much of the text matches once b follows a match of n bytes.
func (m *Matcher) extend(n int, b byte) int {
	for n > 0 && m.text[n] != b {
		n = m.borders[n]
	}
	if m.text[n] == b {
		n++
	}
	return n
}
