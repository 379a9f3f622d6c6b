package vga

// Bits of the Miscellaneous Output register (IBM VGA/XGA Technical Reference,
// "General Registers").
const (
	miscColor = 1 << 0 // CRT controller at 3D4h, not at 3B4h
	miscRAM   = 1 << 1 // memory answers
	miscClock = 3 << 2
)

// Sequencer registers ("Sequencer Registers").
const (
	seqReset = iota
	seqClockingMode
	seqMapMask
	seqCharacterMap
	seqMemoryMode
)

// Bits of sequencer registers.
const (
	seqRunning     = 3 // in Reset: neither reset is held
	clockEightDots = 1 << 0
	clockHalfDots  = 1 << 3
	clockScreenOff = 1 << 5
	memSequential  = 1 << 2 // not odd/even
	memChain4      = 1 << 3
)

// CRT controller registers ("CRT Controller Registers").
const (
	crtHorizontalTotal      = 0x00
	crtHorizontalDisplayEnd = 0x01
	crtVerticalTotal        = 0x06
	crtOverflow             = 0x07
	crtPresetRowScan        = 0x08
	crtMaximumScanLine      = 0x09
	crtCursorStart          = 0x0a
	crtCursorEnd            = 0x0b
	crtStartHigh            = 0x0c
	crtStartLow             = 0x0d
	crtCursorHigh           = 0x0e
	crtCursorLow            = 0x0f
	crtRetraceStart         = 0x10
	crtRetraceEnd           = 0x11
	crtVerticalDisplayEnd   = 0x12
	crtOffset               = 0x13
	crtUnderline            = 0x14
	crtMode                 = 0x17
	crtLineCompare          = 0x18
)

// Bits of CRT controller registers.
const (
	overflowLineCompare = 1 << 4
	scanDouble          = 1 << 7
	cursorOff           = 1 << 5
	crtProtect          = 1 << 7 // in Vertical Retrace End: registers 0 to 7
	underlineCountBy4   = 1 << 5
	underlineDoubleword = 1 << 6
	modeRowScan13       = 1 << 0 // address bit 13 is not row scan bit 0
	modeRowScan14       = 1 << 1
	modeCountBy2        = 1 << 3
	modeWrap            = 1 << 5 // word addresses take bit 15 round, not bit 13
	modeByte            = 1 << 6
)

// Graphics controller registers ("Graphics Controller Registers").
const (
	gcSetReset = iota
	gcEnableSetReset
	gcColorCompare
	gcDataRotate
	gcReadMapSelect
	gcMode
	gcMiscellaneous
	gcColorDontCare
	gcBitMask
)

// Bits of graphics controller registers.
const (
	gcWriteMode     = 3
	gcReadCompare   = 1 << 3
	gcOddEven       = 1 << 4
	gcShiftCGA      = 1 << 5
	gcShift256      = 1 << 6
	miscGraphics    = 1 << 0
	rotateCount     = 7
	functionSelect  = 3 << 3
	memoryMapSelect = 3 << 2
)

// Attribute controller registers ("Attribute Controller Registers").
const (
	attrMode        = 0x10
	attrPlaneEnable = 0x12
	attrPanning     = 0x13
	attrColorSelect = 0x14
)

// Bits of attribute controller registers and of their index.
const (
	attrPaletteSource = 1 << 5 // in the index: the screen is shown
	attrMono          = 1 << 1
	attrLineGraphics  = 1 << 2
	attrBlink         = 1 << 3
	attrPanCompatible = 1 << 5
	attrColor256      = 1 << 6
	attrP54           = 1 << 7
)

// What can be written of each register.
var (
	seqMask  = [5]uint8{0x03, 0x3d, 0x0f, 0x3f, 0x0e}
	gcMask   = [9]uint8{0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff}
	attrMask = [21]uint8{
		0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
		0xef, 0xff, 0x3f, 0x0f, 0x0f,
	}
	crtcMask = [25]uint8{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f, 0x7f, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff,
	}
)
