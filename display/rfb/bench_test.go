package rfb

import (
	"testing"

	"github.com/gov86/gov86/display"
)

// BenchmarkScroll is what an update costs when all of a screen of 640 x 480 has
// moved: a sixtieth of a second is 16.7 ms, and 5 % of that 0.83 ms.
func BenchmarkScroll(b *testing.B) {
	for name, e := range map[string]int32{"raw": encodingRaw, "zlib": encodingZlib, "ZRLE": encodingZRLE} {
		b.Run(name, func(b *testing.B) {
			c := newClient(&Server{}, nil)
			c.encoding, c.width, c.height = e, 640, 480
			frames := [2]*display.Frame{{}, {}}
			for i, f := range frames {
				f.Reshape(640, 480)
				for y := range 480 {
					row := f.Row(y)
					for x := range 640 {
						r, g, bl := uint8(0), uint8(0), uint8(0)
						if (x/8*7+(y+16*i)/16*13)%5 != 0 && (x%8*3+y%16*5)%7 < 3 {
							r, g, bl = 0xaa, 0xaa, 0xaa
						}
						row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = r, g, bl, 255
					}
				}
			}
			bytes := 0
			for i := range b.N {
				f := frames[i%2]
				f.Seq = uint64(i + 1)
				for y := range f.Changed {
					f.Changed[y] = f.Seq
				}
				c.server.frame, c.wanted = f, true
				if !c.update() {
					b.Fatal("nothing to send")
				}
				bytes += len(c.out)
			}
			b.ReportMetric(float64(bytes)/float64(b.N), "bytes/update")
		})
	}
}
