package rfb

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// A viewer is the other end, written from RFC 6143: what it decodes is checked
// against what was drawn.
type viewer struct {
	t             *testing.T
	conn          net.Conn
	in            *bufio.Reader
	format        pixelFormat
	width, height int
	pixels        []uint32 // in the viewer's format
	streams       map[int32]*inflater
	rects         []rect
}

// An inflater is a stream of zlib that comes in pieces.
type inflater struct {
	bytes.Buffer
	z io.Reader
}

func (i *inflater) Read(p []byte) (int, error) { return i.z.Read(p) }

// dial connects as a viewer of version 3.minor.
func dial(t *testing.T, address string, minor int) *viewer {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	v := &viewer{t: t, conn: conn, in: bufio.NewReader(conn), format: usual, streams: map[int32]*inflater{}}
	if got := string(v.take(12)); got != "RFB 003.008\n" {
		t.Fatalf("the server is %q", got)
	}
	fmt.Fprintf(conn, "RFB 003.%03d\n", minor)
	if minor < 7 {
		if got := v.u32(); got != securityNone {
			t.Fatalf("security type %d", got)
		}
	} else {
		if got := v.take(2); got[0] != 1 || got[1] != securityNone {
			t.Fatalf("security types % x", got)
		}
		v.send(securityNone)
		if minor >= 8 && v.u32() != 0 {
			t.Fatal("not let in")
		}
	}
	v.send(1)
	v.width, v.height = int(v.u16()), int(v.u16())
	if got := v.take(16); !bytes.Equal(got, usual.append(nil)) {
		t.Errorf("the server's format is % x", got)
	}
	if name := v.take(int(v.u32())); string(name) != "a guest" {
		t.Errorf("the name is %q", name)
	}
	v.pixels = make([]uint32, v.width*v.height)
	return v
}

func (v *viewer) send(b ...byte) { v.conn.Write(b) }

func (v *viewer) take(n int) []byte {
	v.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(v.in, b); err != nil {
		v.t.Fatal(err)
	}
	return b
}

func (v *viewer) u16() uint16 { v.t.Helper(); return binary.BigEndian.Uint16(v.take(2)) }
func (v *viewer) u32() uint32 { v.t.Helper(); return binary.BigEndian.Uint32(v.take(4)) }

// choose sets the format and the encodings.
func (v *viewer) choose(f pixelFormat, encodings ...int32) {
	v.format = f
	v.send(append([]byte{setPixelFormat, 0, 0, 0}, f.append(nil)...)...)
	b := []byte{setEncodings, 0, 0, byte(len(encodings))}
	for _, e := range encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(e))
	}
	v.send(b...)
}

func (v *viewer) request(incremental bool) {
	b := []byte{updateRequest, 0, 0, 0, 0, 0, byte(v.width >> 8), byte(v.width), byte(v.height >> 8), byte(v.height)}
	if incremental {
		b[1] = 1
	}
	v.send(b...)
}

func (v *viewer) update(incremental bool) {
	v.t.Helper()
	v.request(incremental)
	v.receive()
}

// follow asks for updates until the viewer shows what g does.
func (v *viewer) follow(g *guest) {
	v.t.Helper()
	for range 20 {
		bad := v.compare(g)
		if bad == "" {
			return
		}
		v.update(true)
	}
	v.t.Fatal(v.compare(g))
}

func (v *viewer) compare(g *guest) string {
	if v.width != g.frame.Width || v.height != g.frame.Height {
		return fmt.Sprintf("the viewer is %d x %d, want %d x %d", v.width, v.height, g.frame.Width, g.frame.Height)
	}
	var mask uint32
	for c := range 3 {
		mask |= uint32(v.format.max[c]) << v.format.shift[c]
	}
	for i, got := range v.pixels {
		got &= mask
		x := binary.LittleEndian.Uint32(g.frame.Pix[4*i:])
		var want uint32
		for c := range 3 { // RFC 6143: scaled to the format's maximum
			s := (x >> (8 * c) & 0xff) * uint32(v.format.max[c])
			want |= (s + 127) / 255 << v.format.shift[c]
		}
		if got != want {
			return fmt.Sprintf("pixel %d, %d is %#x, want %#x", i%v.width, i/v.width, got, want)
		}
	}
	return ""
}

// receive takes one update and returns its parts that are pixels.
func (v *viewer) receive() []rect {
	v.t.Helper()
	if kind := v.take(2)[0]; kind != 0 {
		v.t.Fatalf("a message of type %d", kind)
	}
	v.rects = nil
	for range v.u16() {
		r := rect{int(v.u16()), int(v.u16()), int(v.u16()), int(v.u16())}
		switch e := int32(v.u32()); e {
		case encodingRaw:
			v.raw(r, v.in)
		case encodingZlib:
			v.raw(r, v.inflate(e))
		case encodingZRLE:
			v.zrle(r, v.inflate(e))
		case pseudoDesktopSize:
			v.width, v.height = r.width, r.height
			v.pixels = make([]uint32, r.width*r.height)
			continue
		case pseudoQEMUKeys:
			continue
		default:
			v.t.Fatalf("encoding %d, which was not asked for", e)
		}
		v.rects = append(v.rects, r)
	}
	return v.rects
}

// inflate is the rest of a stream, with the next piece.
func (v *viewer) inflate(e int32) io.Reader {
	v.t.Helper()
	piece := v.take(int(v.u32()))
	s := v.streams[e]
	if s == nil {
		s = &inflater{}
		v.streams[e] = s
	}
	s.Buffer.Write(piece)
	if s.z == nil {
		z, err := zlib.NewReader(&s.Buffer)
		if err != nil {
			v.t.Fatal(err)
		}
		s.z = z
	}
	return s
}

// pixel reads one, of fewer bytes if compact.
func (v *viewer) pixel(from io.Reader, compact bool) uint32 {
	v.t.Helper()
	n := int(v.format.bits / 8)
	low := v.format.shift != [3]uint8{24, 16, 8}
	three := compact && n == 4
	if three {
		n = 3
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(from, b); err != nil {
		v.t.Fatal(err)
	}
	var x uint32
	for i := range b {
		if v.format.bigEndian != 0 {
			x = x<<8 | uint32(b[i])
		} else {
			x |= uint32(b[i]) << (8 * i)
		}
	}
	if three && !low {
		x <<= 8
	}
	return x
}

func (v *viewer) raw(r rect, from io.Reader) {
	v.t.Helper()
	for y := range r.height {
		for x := range r.width {
			v.pixels[(r.y+y)*v.width+r.x+x] = v.pixel(from, false)
		}
	}
}

func (v *viewer) zrle(r rect, from io.Reader) {
	v.t.Helper()
	one := make([]byte, 1)
	next := func() int { io.ReadFull(from, one); return int(one[0]) }
	for ty := 0; ty < r.height; ty += 64 {
		for tx := 0; tx < r.width; tx += 64 {
			w, h := min(64, r.width-tx), min(64, r.height-ty)
			kind := next()
			if kind > 16 {
				v.t.Fatalf("subencoding %d", kind)
			}
			var colours []uint32
			for range kind {
				colours = append(colours, v.pixel(from, true))
			}
			size := 1
			switch {
			case kind > 4:
				size = 4
			case kind > 2:
				size = 2
			}
			for y := range h {
				b, left := 0, 0
				for x := range w {
					at := &v.pixels[(r.y+ty+y)*v.width+r.x+tx+x]
					switch {
					case kind == 0:
						*at = v.pixel(from, true)
						continue
					case kind == 1:
						*at = colours[0]
						continue
					case left == 0:
						b, left = next(), 8
					}
					left -= size
					*at = colours[b>>left&(1<<size-1)]
				}
			}
		}
	}
}
