package vga

import (
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/mem"
)

// A screen is what is remembered of the frames that were drawn, to draw no more
// of the next than what changed. None of it is state.
type screen struct {
	sink  display.Sink
	timer hw.Timer
	// soon is set when the timer is for the next frame and not only for blinking.
	soon bool
	last hw.Time // when the last frame was drawn
	// version numbers what was on the screen; presented is what the sink got last.
	version, presented uint64
	spare              *display.Frame
	changed            []uint64 // by row, the version of its last change
	pic                picture
	rows               []line
	dirty              mem.PageSet
	characters         []uint32 // as they were last compared
	colours            [256]uint32
	sixteen            [16]uint32
	scratch            []uint32
	// recolour and refont are set when the DAC or plane 2 or 3 was written.
	recolour, refont bool
}

// forget has everything drawn anew.
func (v *VGA) forget() { v.pic = picture{} }

// wake has the next frame drawn soon, if someone wants it.
func (v *VGA) wake() {
	if v.sink == nil || v.soon {
		return
	}
	v.soon = true
	v.timer.Set(max(v.clock.Now(), v.last+usualFrame))
}

// refresh draws a frame for the sink, if it would be another.
func (v *VGA) refresh() {
	v.soon = false
	if v.sink == nil {
		return
	}
	v.last = v.clock.Now()
	blinking, b := v.look()
	if v.version != v.presented {
		f := v.draw(v.spare)
		v.presented = v.version
		v.spare = v.sink.Present(f)
	}
	if blinking {
		v.timer.Set(max(b.next, v.last+usualFrame))
	}
}

// Size is that of the screen in the monitor's dots and lines.
func (v *VGA) Size() (width, height int) {
	p := v.picture()
	return p.width * p.scaleX, p.height * p.scaleY
}

// Frame is what is on the screen now.
func (v *VGA) Frame() *display.Frame {
	v.look()
	return v.draw(nil)
}

// look finds out what changed since it last did. It reports whether something
// is blinking, and how.
func (v *VGA) look() (blinking bool, b blink) {
	v.dirty = v.bank.Harvest(v.dirty)
	p := v.picture()
	all := p != v.pic
	if all {
		v.pic = p
		v.rows = v.rows[:0]
		if p.kind >= text && p.kind != extended {
			v.rows = p.lines(v.rows)
		}
	}
	if v.recolour || all {
		v.recolour = false
		all = v.recalculate() || all
	}
	next := v.version + 1
	switch {
	case p.kind == text:
		b = v.blink()
		all = all || v.refont
		blinking = v.compareText(b, all, next)
	case !all:
		v.compareLines(next)
	}
	v.refont = false
	if all {
		v.version = next
		v.changed = v.changed[:0]
		for range p.height {
			v.changed = append(v.changed, next)
		}
	}
	return blinking, b
}

// recalculate works out the colours and reports whether that can be seen.
func (v *VGA) recalculate() bool {
	for i := range v.colours {
		v.colours[i] = v.dac.colour(uint8(i), v.dispi.wideDAC())
	}
	was := v.sixteen
	for i, c := range v.pic.colours {
		v.sixteen[i] = v.colours[c]
	}
	switch v.pic.kind {
	case packed:
		return true
	case extended:
		return v.pic.bpp <= 8
	}
	return v.sixteen != was
}

// compareLines notes the rows of a picture of pixels whose memory was written.
func (v *VGA) compareLines(next uint64) {
	if v.pic.kind == blank {
		return
	}
	for y := range v.pic.height {
		if from, n := v.extent(y); v.dirty.Overlaps(from, n) {
			v.changed[y] = next
			v.version = next
		}
	}
}

// extent is which bytes of memory row y shows: all, where they are no run.
func (v *VGA) extent(y int) (from, n int) {
	p := &v.pic
	if p.kind == extended {
		n = (p.width+p.pan)*bytesPerPixel(p.bpp) + 4
		if from = p.start + y*p.pitch; from+n > MemorySize {
			return 0, MemorySize
		}
		return from, n
	}
	r := v.rows[y]
	from = p.crt.address(r.counter, r.row)
	last := p.crt.address(r.counter+p.cells/int(p.crt.everyCell), r.row)
	if last < from {
		return 0, 4 * planeSize
	}
	return 4 * from, 4*(last-from) + 4
}

// draw brings a frame up to date, or makes one if f is nil.
func (v *VGA) draw(f *display.Frame) *display.Frame {
	if f == nil {
		f = &display.Frame{}
	}
	p := &v.pic
	f.Reshape(p.width, p.height)
	f.ScaleX, f.ScaleY = p.scaleX, p.scaleY
	b := v.blink()
	for y := range p.height {
		if v.changed[y] > f.Seq {
			v.drawRow(f.Row(y), y, b)
		}
	}
	copy(f.Changed, v.changed)
	v.describeText(&f.Text)
	f.Seq = v.version
	return f
}

func (v *VGA) drawRow(to []byte, y int, b blink) {
	switch v.pic.kind {
	case blank:
		for i := range to {
			to[i] = uint8(uint32(opaque) >> (8 * (i & 3)))
		}
	case text:
		v.drawText(to, v.rows[y], b)
	case extended:
		v.drawExtended(to, y)
	default:
		v.drawCells(to, v.rows[y])
	}
}
