package vga

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

// planar puts the card into sequential addressing of all planes.
func planar16(t *testing.T) *rig {
	r := newRig(t)
	r.show(&mode12)
	return r
}

// A cell is given as its planes, plane 0 first.
func (r *rig) setCell(at int, planes [4]uint8) { copy(r.bytes[4*at:], planes[:]) }

func TestWriteModes(t *testing.T) {
	was := [4]uint8{0x0f, 0x33, 0x55, 0xff}
	for _, c := range []struct {
		name string
		gc   map[uint8]uint8
		mask uint8 // map mask
		data uint8
		want [4]uint8
	}{
		{"0: the byte goes to all planes", nil, 15, 0xa6, [4]uint8{0xa6, 0xa6, 0xa6, 0xa6}},
		{"0: the map mask keeps planes", nil, 5, 0xa6, [4]uint8{0xa6, 0x33, 0xa6, 0xff}},
		{"0: rotated to the right", map[uint8]uint8{gcDataRotate: 3}, 15, 0xa6, [4]uint8{0xd4, 0xd4, 0xd4, 0xd4}},
		{"0: set/reset replaces planes", map[uint8]uint8{gcSetReset: 9, gcEnableSetReset: 3}, 15, 0xa6,
			[4]uint8{0xff, 0x00, 0xa6, 0xa6}},
		{"0: the bit mask takes the latches", map[uint8]uint8{gcBitMask: 0xf0}, 15, 0xa6, [4]uint8{0xaf, 0xa3, 0xa5, 0xaf}},
		{"0: AND with the latches", map[uint8]uint8{gcDataRotate: 1 << 3}, 15, 0xa6, [4]uint8{0x06, 0x22, 0x04, 0xa6}},
		{"0: OR with the latches", map[uint8]uint8{gcDataRotate: 2 << 3}, 15, 0xa6, [4]uint8{0xaf, 0xb7, 0xf7, 0xff}},
		{"0: XOR with the latches", map[uint8]uint8{gcDataRotate: 3 << 3}, 15, 0xa6, [4]uint8{0xa9, 0x95, 0xf3, 0x59}},
		{"0: all of it", map[uint8]uint8{gcDataRotate: 3<<3 | 4, gcSetReset: 2, gcEnableSetReset: 2, gcBitMask: 0x3c}, 7, 0xa6,
			[4]uint8{0x27, 0x0f, 0x7d, 0xff}},
		{"1: the latches are written", map[uint8]uint8{gcMode: 1, gcBitMask: 0}, 15, 0xa6, was},
		{"2: a bit a plane", map[uint8]uint8{gcMode: 2}, 15, 0xa6, [4]uint8{0x00, 0xff, 0xff, 0x00}},
		{"2: under the bit mask", map[uint8]uint8{gcMode: 2, gcBitMask: 0x81}, 15, 0x05, [4]uint8{0x8f, 0x32, 0xd5, 0x7e}},
		{"2: XOR with the latches", map[uint8]uint8{gcMode: 2, gcDataRotate: 3 << 3}, 15, 0x0c, [4]uint8{0x0f, 0x33, 0xaa, 0x00}},
		{"3: set/reset where byte and bit mask have ones", map[uint8]uint8{gcMode: 3, gcSetReset: 5, gcBitMask: 0x3c}, 15, 0xa6,
			[4]uint8{0x2f, 0x13, 0x75, 0xdb}},
		{"3: the byte is rotated first", map[uint8]uint8{gcMode: 3, gcSetReset: 0, gcDataRotate: 4}, 15, 0x0f,
			[4]uint8{0x0f, 0x03, 0x05, 0x0f}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := planar16(t)
			r.setCell(0x123, was)
			r.peek(0xa0123) // fills the latches
			r.setCell(0x123, [4]uint8{1, 2, 3, 4})
			if c.mask != 15 {
				r.setCell(0x123, was) // planes that are masked keep what they have
			}
			r.set(0x3c4, seqMapMask, c.mask)
			for i, v := range c.gc {
				r.set(0x3ce, i, v)
			}
			r.poke(0xa0123, c.data)
			if got := [4]uint8(r.bytes[4*0x123:]); got != c.want {
				t.Errorf("planes % x, want % x", got, c.want)
			}
		})
	}
}

func TestReadModes(t *testing.T) {
	r := planar16(t)
	r.setCell(7, [4]uint8{0x0f, 0x33, 0x55, 0xff})
	for plane, want := range []uint8{0x0f, 0x33, 0x55, 0xff} {
		r.set(0x3ce, gcReadMapSelect, uint8(plane))
		if got := r.peek(0xa0007); got != want {
			t.Errorf("plane %d reads %#x, want %#x", plane, got, want)
		}
	}
	r.set(0x3ce, gcMode, gcReadCompare)
	for _, c := range []struct{ colour, care, want uint8 }{
		{0x0b, 0x0f, 0x02}, // pixels with planes 0, 1 and 3 set and 2 clear
		{0x08, 0x08, 0xff},
		{0x00, 0x08, 0x00},
		{0x01, 0x03, 0x0c},
		{0x00, 0x00, 0xff},
	} {
		r.set(0x3ce, gcColorCompare, c.colour)
		r.set(0x3ce, gcColorDontCare, c.care)
		if got := r.peek(0xa0007); got != c.want {
			t.Errorf("colour %x of planes %x compares %#02x, want %#02x", c.colour, c.care, got, c.want)
		}
	}
}

func TestWindowLiesWhereTheMemoryMapSelectSays(t *testing.T) {
	for sel, c := range [][2]mem.Addr{{0xa0000, 0xbffff}, {0xa0000, 0xaffff}, {0xb0000, 0xb7fff}, {0xb8000, 0xbffff}} {
		r := planar16(t)
		r.set(0x3ce, gcMiscellaneous, uint8(sel)<<2|1)
		for at := mem.Addr(0xa0000); at < 0xc0000; at += 0x1fff {
			r.setCell(int(at-c[0])&(planeSize-1), [4]uint8{0x5a, 0x5a, 0x5a, 0x5a})
			want := uint8(0xff)
			if at >= c[0] && at <= c[1] {
				want = 0x5a
			}
			if got := r.peek(at); got != want {
				t.Errorf("select %d: %#x reads %#x, want %#x", sel, at, got, want)
			}
		}
		r.outb(0x3c2, 0xe1) // without miscRAM nothing answers
		if got := r.peek(c[0]); got != 0xff {
			t.Errorf("memory reads %#x though it is off", got)
		}
	}
}

func TestOddEvenPutsCharactersAndAttributesInTwoPlanes(t *testing.T) {
	r := newRig(t)
	bios.SetTextMode(&r.ports, r.space)
	r.space.Write(0xb8004, 4, 0x1e421f41)
	for i, want := range [][2]uint8{{'A', 0x1f}, {'B', 0x1e}} {
		if got := [2]uint8(r.bytes[4*(4+2*i):]); got != want {
			t.Errorf("cell %d holds % x, want % x", i, got, want)
		}
	}
	if got := r.space.Read(0xb8004, 4); got != 0x1e421f41 {
		t.Errorf("read back as %#x", got)
	}
}

func TestChain4IsARunOfBytes(t *testing.T) {
	r := newRig(t)
	r.show(&mode13)
	r.space.Write(0xa1234, 4, 0x44332211)
	if got := binary.LittleEndian.Uint32(r.bytes[0x1234:]); got != 0x44332211 {
		t.Errorf("memory holds %#x", got)
	}
	r.set(0x3c4, seqMapMask, 5)
	r.space.Write(0xa1234, 4, 0xffffffff)
	if got := r.space.Read(0xa1234, 4); got != 0x44ff22ff {
		t.Errorf("with planes 0 and 2 enabled it reads %#x", got)
	}
}

func TestAttributeFlipFlop(t *testing.T) {
	r := newRig(t)
	bios.SetTextMode(&r.ports, r.space)
	r.inb(0x3da)
	r.outb(0x3c0, 0x03) // an index, that also takes the palette off the screen
	r.outb(0x3c0, 0x2a) // its data
	r.outb(0x3c0, 0x23) // an index again
	if got := r.inb(0x3c1); got != 0x2a {
		t.Errorf("palette register 3 reads %#x, want 0x2a", got)
	}
	r.outb(0x3c0, 0x11) // data, which the palette does not take while it is shown
	if got := r.inb(0x3c1); got != 0x2a {
		t.Errorf("palette register 3 reads %#x after a write while it is shown", got)
	}
	r.outb(0x3c0, 0x33)
	r.inb(0x3da) // makes the next write an index
	r.outb(0x3c0, 0x32)
	if got := r.inb(0x3c0); got != 0x32 {
		t.Errorf("index %#x, want 0x32", got)
	}
}

func TestDACCountsComponentsAndColours(t *testing.T) {
	r := newRig(t)
	r.outb(0x3c8, 0xff)
	for _, v := range []uint8{1, 2, 0xc3, 4, 5, 6} {
		r.outb(0x3c9, v)
	}
	if got := r.inb(0x3c7); got != 0 {
		t.Errorf("DAC state %d after the write index was set", got)
	}
	r.outb(0x3c7, 0xff)
	for i, want := range []uint8{1, 2, 3, 4, 5, 6} { // six bits of each, and round to register 0
		if got := r.inb(0x3c9); got != want {
			t.Errorf("component %d reads %d, want %d", i, got, want)
		}
	}
	if got := r.inb(0x3c7); got != 3 {
		t.Errorf("DAC state %d after the read index was set", got)
	}
	r.dispiSet(dispiEnable, dispi8BitDAC)
	r.colour(9, 0xfe, 0xdc, 0xba)
	r.outb(0x3c7, 9)
	if got := r.inb(0x3c9); got != 0xfe {
		t.Errorf("eight bits read %#x", got)
	}
}

func TestCRTCRegistersAreProtected(t *testing.T) {
	r := newRig(t)
	bios.SetTextMode(&r.ports, r.space) // which protects them
	r.set(0x3d4, 0, 0x12)
	r.set(0x3d4, crtOverflow, 0x00)
	if a, b := r.get(0x3d4, 0), r.get(0x3d4, crtOverflow); a != 0x5f || b != 0x0f {
		t.Errorf("registers 0 and 7 are %#x and %#x, want 0x5f and 0x0f: only line compare changes", a, b)
	}
	r.set(0x3d4, crtRetraceEnd, 0x0e)
	r.set(0x3d4, 0, 0x12)
	if got := r.get(0x3d4, 0); got != 0x12 {
		t.Errorf("register 0 is %#x without protection", got)
	}
}

func TestMiscellaneousOutputMovesTheCRTC(t *testing.T) {
	r := newRig(t)
	bios.SetTextMode(&r.ports, r.space)
	if got := r.get(0x3b4, 1); got != 0xff {
		t.Errorf("3B5h reads %#x in colour", got)
	}
	r.outb(0x3c2, 0x66)
	if got := r.get(0x3b4, 1); got != 0x4f {
		t.Errorf("3B5h reads %#x in monochrome", got)
	}
	if got := r.get(0x3d4, 1); got != 0xff {
		t.Errorf("3D5h reads %#x in monochrome", got)
	}
	if got := r.inb(0x3cc); got != 0x66 {
		t.Errorf("Miscellaneous Output reads %#x", got)
	}
}

func TestRegistersKeepOnlyBitsTheyHave(t *testing.T) {
	r := newRig(t)
	for port, masks := range map[uint16][]uint8{0x3c4: seqMask[:], 0x3ce: gcMask[:]} {
		for i, mask := range masks {
			r.set(port, uint8(i), 0xff)
			if got := r.get(port, uint8(i)); got != mask {
				t.Errorf("port %#x register %d reads %#x, want %#x", port, i, got, mask)
			}
		}
	}
}

func TestRetraceFollowsTheCRTC(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(r *rig)
		hz   int
	}{
		{"text", func(r *rig) { bios.SetTextMode(&r.ports, r.space) }, 70},
		{"mode 12h", func(r *rig) { r.show(&mode12) }, 60},
		{"40 columns", func(r *rig) { r.show(&mode01) }, 70},
		{"Bochs", func(r *rig) { r.show(&mode13); r.extend(800, 600, 32) }, 60},
	} {
		r := newRig(t)
		c.set(r)
		frames, retrace, hidden, n := 0, false, 0, 0
		for ; r.clock.Now() < hw.Second; n++ {
			s := r.inb(0x3da)
			if now := s&statusRetrace != 0; now != retrace {
				if retrace = now; now {
					frames++
				}
			}
			if s&statusNoDisplay != 0 {
				hidden++
			}
			if retrace && s&statusNoDisplay == 0 {
				t.Fatalf("%s: status %#x, shown during the retrace", c.name, s)
			}
			r.clock.Advance(10_007)
		}
		if frames < c.hz-1 || frames > c.hz+1 {
			t.Errorf("%s: %d retraces in a second, want %d", c.name, frames, c.hz)
		}
		if share := 100 * hidden / n; share < 15 || share > 40 {
			t.Errorf("%s: nothing is shown %d %% of the time", c.name, share)
		}
	}
}

func TestDispiRegisters(t *testing.T) {
	r := newRig(t)
	if got := r.dispiGet(dispiID); got != 0xb0c5 {
		t.Errorf("identity %#x", got)
	}
	r.dispiSet(dispiID, 0xb0c2)
	if got := r.dispiGet(dispiID); got != 0xb0c2 {
		t.Errorf("identity %#x after an older one was asked for", got)
	}
	if got := r.dispiGet(dispiMemory); got != 256 {
		t.Errorf("%d x 64 KiB of memory, want 256", got)
	}
	r.dispiSet(dispiEnable, dispiGetCaps)
	for i, want := range map[uint16]uint16{dispiXRes: 2560, dispiYRes: 1600, dispiBPP: 32} {
		if got := r.dispiGet(i); got != want {
			t.Errorf("capability %d is %d, want %d", i, got, want)
		}
	}
	r.extend(2560, 1600, 32)
	if got := r.dispiGet(dispiEnable); got&dispiEnabled == 0 {
		t.Error("2560 x 1600 x 32 was not taken")
	}
	r.extend(1024, 768, 16)
	r.dispiSet(dispiXRes, 640)
	r.dispiSet(dispiVirtWidth, 1500)
	for i, want := range map[uint16]uint16{dispiXRes: 1024, dispiVirtWidth: 1500, dispiVirtHeight: 5592} {
		if got := r.dispiGet(i); got != want {
			t.Errorf("register %d is %d, want %d", i, got, want)
		}
	}
	r.dispiSet(dispiVirtWidth, 1000) // less than is seen
	r.dispiSet(dispiVirtWidth, 30000)
	if got := r.dispiGet(dispiVirtWidth); got != 1500 {
		t.Errorf("a virtual width of %d was taken", got)
	}
	r.extend(3000, 768, 16)
	if got := r.dispiGet(dispiXRes); got != 1024 {
		t.Errorf("a width of %d was taken", got)
	}
}

func TestEnablingClearsUnlessToldNotTo(t *testing.T) {
	r := newRig(t)
	r.extend(640, 480, 8)
	for _, c := range []struct {
		extra uint16
		want  uint8
	}{{dispiNoClear, 0x77}, {0, 0}} {
		r.dispiSet(dispiEnable, 0)
		r.bytes[1000] = 0x77
		r.dispiSet(dispiEnable, dispiEnabled|c.extra)
		if got := r.bytes[1000]; got != c.want {
			t.Errorf("memory holds %#x after enabling with %#x", got, c.extra)
		}
	}
}

func TestBanksShowMemoryAtA0000(t *testing.T) {
	r := newRig(t)
	r.extend(640, 480, 8)
	r.dispiSet(dispiBank, 4)
	r.poke(0xa0010, 0x42)
	if got := r.bytes[4<<16+0x10]; got != 0x42 {
		t.Errorf("bank 4 holds %#x", got)
	}
	r.dispiSet(dispiBank, 999)
	if got := r.peek(0xa0010); got != 0x42 {
		t.Errorf("a bank beyond memory was taken: %#x", got)
	}
}

func TestRegistersInMemory(t *testing.T) {
	r := newRig(t)
	bios.SetTextMode(&r.ports, r.space)
	m := r.MMIO()
	if got := m.Read(0, 4); got != 0xffffff00 {
		t.Errorf("EDID begins with %#x", got)
	}
	var sum uint8
	for i := range uint32(edidSize) {
		sum += uint8(m.Read(i, 1))
	}
	if sum != 0 {
		t.Errorf("EDID's bytes add up to %#x", sum)
	}
	if got := m.Read(mmioDispi, 2); got != 0xb0c5 {
		t.Errorf("DISPI identity %#x", got)
	}
	m.Write(mmioDispi+2*dispiXRes, 2, 800)
	if got := r.dispiGet(dispiXRes); got != 800 {
		t.Errorf("width %d", got)
	}
	m.Write(mmioPorts+0x14, 2, 0x4f01) // port 3D4h
	if got := m.Read(mmioPorts+0x15, 1); got != 0x4f {
		t.Errorf("3D5h reads %#x", got)
	}
	for _, order := range []uint32{bigEndian, littleEndian} {
		m.Write(mmioEndian, 4, order)
		if got := m.Read(mmioEndian, 4); got != order {
			t.Errorf("byte order %#x, want %#x", got, order)
		}
	}
	if got := m.Read(mmioExtended, 4); got != 8 {
		t.Errorf("%d bytes of extended registers", got)
	}
}

func TestBigEndianPixels(t *testing.T) {
	for bpp, c := range map[uint16]struct {
		bytes []byte
		want  [4]byte
	}{
		15: {[]byte{0x7c, 0x01}, [4]byte{0xff, 0, 8, 0xff}},
		16: {[]byte{0x07, 0xe0}, [4]byte{0, 0xff, 0, 0xff}},
		24: {[]byte{0x12, 0x34, 0x56}, [4]byte{0x12, 0x34, 0x56, 0xff}},
		32: {[]byte{0, 0x12, 0x34, 0x56}, [4]byte{0x12, 0x34, 0x56, 0xff}},
	} {
		r := newRig(t)
		r.show(&mode13)
		r.extend(64, 4, bpp)
		r.MMIO().Write(mmioEndian, 4, bigEndian)
		copy(r.bytes, c.bytes)
		r.bank.Touch(0, 4)
		if got := [4]byte(r.Frame().Row(0)); got != c.want {
			t.Errorf("%d bits: pixel % x, want % x", bpp, got, c.want)
		}
	}
}

func TestCursorIsWhereItsRegistersSay(t *testing.T) {
	for _, c := range []struct {
		start, end, low uint8
		first, last, at int // its lines, -1 for none, and its cell
	}{
		{13, 14, 5, 13, 14, 5},
		{0, 15, 0, 0, 15, 0},
		{13, 0x40 | 14, 5, 13, 14, 7}, // skewed by two
		{0x20 | 13, 14, 5, -1, -1, 0}, // off
		{14, 13, 5, -1, -1, 0},        // it would end before it begins
	} {
		r := newRig(t)
		bios.SetTextMode(&r.ports, r.space)
		r.set(0x3d4, crtCursorStart, c.start)
		r.set(0x3d4, crtCursorEnd, c.end)
		r.set(0x3d4, crtCursorLow, c.low)
		for _, visible := range []bool{true, false, true} {
			f := r.Frame()
			for y := range 16 {
				for x := range 20 {
					lit := f.Row(y)[4*9*x] != 0
					if want := visible && c.first >= 0 && y >= c.first && y <= c.last && x == c.at; lit != want {
						t.Fatalf("cursor %#x-%#x at %d, seen %t: line %d of cell %d is lit: %t", c.start, c.end, c.low, visible, y, x, lit)
					}
				}
			}
			r.clock.Advance(cursorFrames * r.raster().frame)
		}
	}
}

func TestNothingIsPresentedWhileNothingChanges(t *testing.T) {
	r, j := newRig(t), &juggler{}
	r.SetSink(j)
	r.show(&mode13)
	r.clock.Advance(hw.Second)
	before := j.presented
	r.clock.Advance(10 * hw.Second)
	if j.presented != before {
		t.Errorf("%d frames of a screen that stood still", j.presented-before)
	}
	if _, armed := r.timer.When(); armed {
		t.Error("the timer runs")
	}
	r.poke(0xa0000+320*77, 9)
	r.clock.Advance(hw.Second)
	if j.presented != before+1 {
		t.Fatalf("%d frames for one change", j.presented-before)
	}
	// A page is 4096 bytes: a row in twelve.
	for y, seq := range j.newest.Changed {
		if near := y >= 64 && y <= 90; seq == j.newest.Seq && !near || y == 77 && seq != j.newest.Seq {
			t.Errorf("row %d last changed in frame %d of %d", y, seq, j.newest.Seq)
		}
	}
	bios.SetTextMode(&r.ports, r.space)
	r.clock.Advance(hw.Second)
	before = j.presented
	r.clock.Advance(hw.Second)
	if n := j.presented - before; n < 8 || n > 9 {
		t.Errorf("%d frames in a second of a blinking cursor, which changes every 8 of 70", n)
	}
}

func TestStateListIsComplete(t *testing.T) {
	snapshottest.Complete(t, (*regs).sync, nil)
}

func FuzzLoad(f *testing.F) {
	r := newRig(f)
	r.show(&mode13)
	s := snapshot.NewSaver()
	r.Save(s)
	b, err := s.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newRig(t)
		if r.Load(snapshot.NewLoader(b)) == nil {
			r.Frame()
			r.inb(0x3da)
			r.poke(0xa0000, 1)
		}
	})
}

// A juggler is a sink with three frames, which compares what it is given.
type juggler struct {
	idle      []*display.Frame
	presented int
	newest    *display.Frame
}

func (j *juggler) Present(f *display.Frame) (spare *display.Frame) {
	j.presented++
	if j.newest != nil {
		j.idle = append(j.idle, j.newest)
	}
	j.newest = f
	if len(j.idle) > 1 {
		spare, j.idle = j.idle[0], j.idle[1:]
	}
	return spare
}

// act does something at random, as bytes have it.
func (r *rig) act(op, a, b, c uint8) {
	switch op % 10 {
	case 0, 1:
		r.poke(0xa0000+mem.Addr(op>>4&1)<<16|mem.Addr(a)<<8|mem.Addr(b), c)
	case 2:
		r.space.Write(0xb8000|mem.Addr(a&15)<<8|mem.Addr(b), 2, uint32(c)<<8|uint32(a))
	case 3:
		r.set([]uint16{0x3c4, 0x3ce, 0x3d4}[a%3], b&31, c)
	case 4:
		r.setAttr(a&0x1f, b)
	case 5:
		r.colour(a, b, c, op)
	case 6:
		r.dispiSet(uint16(a&15), uint16(b)<<uint(c&3))
	case 7:
		r.space.Read(0xa0000|mem.Addr(a)<<8|mem.Addr(b), 4)
	case 8:
		r.MMIO().Write(uint32(a&7)<<8|uint32(b), 1<<(c&1), uint32(c))
	case 9:
		r.ports.Out(0x3b0+uint16(a&0x2f), portio.Byte, uint32(b))
	}
}

// check lets the sink see a frame, and compares it with one drawn from nothing.
func (r *rig) check(j *juggler, what string) {
	r.Helper()
	r.clock.Advance(50 * hw.Millisecond)
	r.refresh()
	old := *j.newest
	r.forget()
	r.same(&old, r.Frame(), what)
}

func TestWhatChangedIsDrawn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, set := range map[string]func(r *rig){
		"text":     func(r *rig) { bios.SetTextMode(&r.ports, r.space) },
		"40":       func(r *rig) { r.show(&mode01) },
		"mode 4":   func(r *rig) { r.show(&mode04) },
		"mode 12h": func(r *rig) { r.show(&mode12) },
		"mode 13h": func(r *rig) { r.show(&mode13) },
		"mode X":   func(r *rig) { r.modeX() },
		"Bochs 8":  func(r *rig) { r.extend(320, 200, 8) },
		"Bochs 32": func(r *rig) { r.extend(320, 200, 32) },
		"Bochs 4":  func(r *rig) { r.extend(320, 200, 4) },
	} {
		r, j := newRig(t), &juggler{}
		r.SetSink(j)
		set(r)
		for round := range 60 {
			for range random.IntN(4) {
				b := random.Uint64()
				op := uint8(b)
				if round < 40 && op%10 > 2 { // at first only memory
					op = op / 10 * 10
				}
				r.act(op, uint8(b>>8), uint8(b>>16), uint8(b>>24))
			}
			if r.check(j, fmt.Sprint(name, ", round ", round)); t.Failed() {
				break
			}
		}
	}
}

func FuzzRegisters(f *testing.F) {
	f.Add([]byte{3, 2, 9, 0xff, 6, 4, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, j := newRig(t), &juggler{}
		r.SetSink(j)
		bios.SetTextMode(&r.ports, r.space)
		for i := 0; len(b) >= 4 && i < 64; b, i = b[4:], i+1 {
			r.act(b[0], b[1], b[2], b[3])
		}
		r.check(j, "at the end")
		r.Text()
		s := snapshot.NewSaver()
		r.Save(s)
		saved, _ := s.Close()
		if err := newRig(t).Load(snapshot.NewLoader(saved)); err != nil {
			t.Errorf("what was saved is refused: %v", err)
		}
	})
}
