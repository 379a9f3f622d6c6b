package vga

import "github.com/gov86/gov86/hw"

// Bits of the input status registers.
const (
	status0Switch   = 1 << 4 // the monitor's switch, or the DAC's comparator
	statusNoDisplay = 1 << 0
	statusRetrace   = 1 << 3
)

// A raster is how the beam moves: a frame's time in ns, its lines, and which of
// them, and how much of each, are shown.
type raster struct {
	frame         hw.Time
	lines         hw.Time
	shown         hw.Time // lines
	retrace       hw.Time // its first line
	retraceEnd    hw.Time
	width, across hw.Time // of a line, in characters: all, and shown
}

// The shortest and the longest time of a frame that is believed.
const (
	shortestFrame = 4 * hw.Millisecond
	longestFrame  = 50 * hw.Millisecond
	usualFrame    = hw.Second / 60
)

// raster is how the CRT controller is programmed.
func (v *VGA) raster() raster {
	if v.dispi.enabled() {
		y := hw.Time(v.dispi.yres)
		return raster{frame: usualFrame, lines: y + 40, shown: y, retrace: y + 4, retraceEnd: y + 10, width: 5, across: 4}
	}
	r := &v.crtc.r
	over := hw.Time(r[crtOverflow])
	x := raster{
		lines:   hw.Time(r[crtVerticalTotal]) | over&1<<8 | over>>5&1<<9 + 2,
		shown:   hw.Time(v.displayedLines()),
		retrace: hw.Time(r[crtRetraceStart]) | over>>2&1<<8 | over>>7&1<<9,
		width:   hw.Time(r[crtHorizontalTotal]) + 5,
		across:  hw.Time(r[crtHorizontalDisplayEnd]) + 1,
	}
	// The end is where the four bits compare.
	x.retraceEnd = x.retrace&^15 | hw.Time(r[crtRetraceEnd]&15)
	if x.retraceEnd <= x.retrace {
		x.retraceEnd += 16
	}
	dots := hw.Time(9)
	if v.seq.r[seqClockingMode]&clockEightDots != 0 {
		dots = 8
	}
	hz := hw.Time(25_175_000)
	if v.misc&miscClock == 1<<2 {
		hz = 28_322_000
	}
	if v.seq.r[seqClockingMode]&clockHalfDots != 0 {
		hz /= 2
	}
	x.frame = x.lines * x.width * dots * hw.Second / hz
	if x.frame < shortestFrame || x.frame > longestFrame {
		x.frame = usualFrame
	}
	return x
}

// status1 is Input Status Register 1.
func (v *VGA) status1() uint8 {
	x := v.raster()
	t := v.clock.Now() % x.frame
	line := t * x.lines / x.frame
	across := t * x.lines % x.frame * x.width / x.frame
	var s uint8
	if line >= x.shown || across >= x.across {
		s |= statusNoDisplay
	}
	if line >= x.retrace && line < x.retraceEnd {
		s |= statusRetrace
	}
	return s
}

// Blinking is by the frame (IBM VGA/XGA Technical Reference, "Cursor Start
// Register" and "Attribute Mode Control Register"): the cursor changes every 8
// frames, characters every 16.
const (
	cursorFrames    = 8
	characterFrames = 16
)

// A blink is what of blinking things is seen now, and when that changes.
type blink struct {
	cursor, characters bool
	next               hw.Time
}

func (v *VGA) blink() blink {
	period := v.raster().frame
	n := v.clock.Now() / period
	return blink{
		cursor:     n/cursorFrames%2 == 0,
		characters: n/characterFrames%2 == 0,
		next:       (n/cursorFrames + 1) * cursorFrames * period,
	}
}
