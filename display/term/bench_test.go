package term

import (
	"strings"
	"testing"
)

// BenchmarkScroll is what a frame costs in which every character has moved: a
// sixtieth of a second is 16.7 ms, and 5 % of that 0.83 ms.
func BenchmarkScroll(b *testing.B) {
	rows := make([]string, 30)
	for i := range rows {
		rows[i] = strings.Repeat(string(rune('a'+i%26))+"bcdefg ", 10)
	}
	frames := [2][]string{rows, append(rows[1:len(rows):len(rows)], rows[0])}
	var p painter
	one, two := screen(frames[0]...), screen(frames[1]...)
	for i := range b.N {
		f := one
		if i%2 == 1 {
			f = two
		}
		if len(p.paint(f, 30, 80)) == 0 {
			b.Fatal("nothing to paint")
		}
	}
}

// BenchmarkGraphics is the same of a picture of 640 x 480.
func BenchmarkGraphics(b *testing.B) {
	f := screen("x")
	f.Text.Rows = 0
	f.Reshape(640, 480)
	var p painter
	for i := range b.N {
		for j := range f.Pix {
			f.Pix[j] = uint8(i)
		}
		p.paint(f, 30, 80)
	}
}
