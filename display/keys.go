package display

import (
	"slices"
	"strings"
)

// A key is one of the keyboard under all the numbers that front ends know it by.
type key struct {
	usage uint8
	// name is QEMU's, as its QKeyCode has it.
	name string
	// code is the scan code of set 1, with 80h added where E0h comes before it.
	code uint8
	// sym is X's for the key itself, where it is no character.
	sym uint16
	// plain and shifted are the characters of a US keyboard, 0 for none.
	plain, shifted rune
}

// keys are by usage (USB HID Usage Tables, "Keyboard/Keypad Page"; QEMU's
// qapi/ui.json, "QKeyCode"; X11's keysymdef.h).
var keys = []key{
	{0x04, "a", 0x1e, 0, 'a', 'A'}, {0x05, "b", 0x30, 0, 'b', 'B'}, {0x06, "c", 0x2e, 0, 'c', 'C'},
	{0x07, "d", 0x20, 0, 'd', 'D'}, {0x08, "e", 0x12, 0, 'e', 'E'}, {0x09, "f", 0x21, 0, 'f', 'F'},
	{0x0a, "g", 0x22, 0, 'g', 'G'}, {0x0b, "h", 0x23, 0, 'h', 'H'}, {0x0c, "i", 0x17, 0, 'i', 'I'},
	{0x0d, "j", 0x24, 0, 'j', 'J'}, {0x0e, "k", 0x25, 0, 'k', 'K'}, {0x0f, "l", 0x26, 0, 'l', 'L'},
	{0x10, "m", 0x32, 0, 'm', 'M'}, {0x11, "n", 0x31, 0, 'n', 'N'}, {0x12, "o", 0x18, 0, 'o', 'O'},
	{0x13, "p", 0x19, 0, 'p', 'P'}, {0x14, "q", 0x10, 0, 'q', 'Q'}, {0x15, "r", 0x13, 0, 'r', 'R'},
	{0x16, "s", 0x1f, 0, 's', 'S'}, {0x17, "t", 0x14, 0, 't', 'T'}, {0x18, "u", 0x16, 0, 'u', 'U'},
	{0x19, "v", 0x2f, 0, 'v', 'V'}, {0x1a, "w", 0x11, 0, 'w', 'W'}, {0x1b, "x", 0x2d, 0, 'x', 'X'},
	{0x1c, "y", 0x15, 0, 'y', 'Y'}, {0x1d, "z", 0x2c, 0, 'z', 'Z'},
	{0x1e, "1", 0x02, 0, '1', '!'}, {0x1f, "2", 0x03, 0, '2', '@'}, {0x20, "3", 0x04, 0, '3', '#'},
	{0x21, "4", 0x05, 0, '4', '$'}, {0x22, "5", 0x06, 0, '5', '%'}, {0x23, "6", 0x07, 0, '6', '^'},
	{0x24, "7", 0x08, 0, '7', '&'}, {0x25, "8", 0x09, 0, '8', '*'}, {0x26, "9", 0x0a, 0, '9', '('},
	{0x27, "0", 0x0b, 0, '0', ')'},
	{0x28, "ret", 0x1c, 0xff0d, '\n', 0}, {0x29, "esc", 0x01, 0xff1b, '\x1b', 0},
	{0x2a, "backspace", 0x0e, 0xff08, '\b', 0}, {0x2b, "tab", 0x0f, 0xff09, '\t', 0}, {0x2c, "spc", 0x39, 0, ' ', 0},
	{0x2d, "minus", 0x0c, 0, '-', '_'}, {0x2e, "equal", 0x0d, 0, '=', '+'}, {0x2f, "bracket_left", 0x1a, 0, '[', '{'},
	{0x30, "bracket_right", 0x1b, 0, ']', '}'}, {0x31, "backslash", 0x2b, 0, '\\', '|'},
	{0x33, "semicolon", 0x27, 0, ';', ':'}, {0x34, "apostrophe", 0x28, 0, '\'', '"'},
	{0x35, "grave_accent", 0x29, 0, '`', '~'}, {0x36, "comma", 0x33, 0, ',', '<'}, {0x37, "dot", 0x34, 0, '.', '>'},
	{0x38, "slash", 0x35, 0, '/', '?'}, {0x39, "caps_lock", 0x3a, 0xffe5, 0, 0},
	{0x3a, "f1", 0x3b, 0xffbe, 0, 0}, {0x3b, "f2", 0x3c, 0xffbf, 0, 0}, {0x3c, "f3", 0x3d, 0xffc0, 0, 0},
	{0x3d, "f4", 0x3e, 0xffc1, 0, 0}, {0x3e, "f5", 0x3f, 0xffc2, 0, 0}, {0x3f, "f6", 0x40, 0xffc3, 0, 0},
	{0x40, "f7", 0x41, 0xffc4, 0, 0}, {0x41, "f8", 0x42, 0xffc5, 0, 0}, {0x42, "f9", 0x43, 0xffc6, 0, 0},
	{0x43, "f10", 0x44, 0xffc7, 0, 0}, {0x44, "f11", 0x57, 0xffc8, 0, 0}, {0x45, "f12", 0x58, 0xffc9, 0, 0},
	{0x46, "print", 0xb7, 0xff61, 0, 0}, {0x46, "sysrq", 0x54, 0xff15, 0, 0}, {0x47, "scroll_lock", 0x46, 0xff14, 0, 0},
	{0x48, "pause", 0xc6, 0xff13, 0, 0}, {0x49, "insert", 0xd2, 0xff63, 0, 0}, {0x4a, "home", 0xc7, 0xff50, 0, 0},
	{0x4b, "pgup", 0xc9, 0xff55, 0, 0}, {0x4c, "delete", 0xd3, 0xffff, 0, 0}, {0x4d, "end", 0xcf, 0xff57, 0, 0},
	{0x4e, "pgdn", 0xd1, 0xff56, 0, 0}, {0x4f, "right", 0xcd, 0xff53, 0, 0}, {0x50, "left", 0xcb, 0xff51, 0, 0},
	{0x51, "down", 0xd0, 0xff54, 0, 0}, {0x52, "up", 0xc8, 0xff52, 0, 0},
	{0x53, "num_lock", 0x45, 0xff7f, 0, 0}, {0x54, "kp_divide", 0xb5, 0xffaf, 0, 0},
	{0x55, "kp_multiply", 0x37, 0xffaa, 0, 0}, {0x56, "kp_subtract", 0x4a, 0xffad, 0, 0},
	{0x57, "kp_add", 0x4e, 0xffab, 0, 0}, {0x58, "kp_enter", 0x9c, 0xff8d, 0, 0},
	{0x59, "kp_1", 0x4f, 0xffb1, 0, 0}, {0x5a, "kp_2", 0x50, 0xffb2, 0, 0}, {0x5b, "kp_3", 0x51, 0xffb3, 0, 0},
	{0x5c, "kp_4", 0x4b, 0xffb4, 0, 0}, {0x5d, "kp_5", 0x4c, 0xffb5, 0, 0}, {0x5e, "kp_6", 0x4d, 0xffb6, 0, 0},
	{0x5f, "kp_7", 0x47, 0xffb7, 0, 0}, {0x60, "kp_8", 0x48, 0xffb8, 0, 0}, {0x61, "kp_9", 0x49, 0xffb9, 0, 0},
	{0x62, "kp_0", 0x52, 0xffb0, 0, 0}, {0x63, "kp_decimal", 0x53, 0xffae, 0, 0},
	{0x64, "less", 0x56, 0, 0, 0}, {0x65, "menu", 0xdd, 0xff67, 0, 0}, {0x66, "power", 0xde, 0, 0, 0},
	{0x67, "kp_equals", 0x59, 0xffbd, 0, 0}, {0x85, "kp_comma", 0x7e, 0xffac, 0, 0},
	{0x87, "ro", 0x73, 0, 0, 0}, {0x88, "hiragana", 0x70, 0xff27, 0, 0}, {0x89, "yen", 0x7d, 0xa5, 0, 0},
	{0x8a, "henkan", 0x79, 0xff23, 0, 0}, {0x8b, "muhenkan", 0x7b, 0xff22, 0, 0},
	{0x7f, "audiomute", 0xa0, 0, 0, 0}, {0x80, "volumeup", 0xb0, 0, 0, 0}, {0x81, "volumedown", 0xae, 0, 0, 0},
	{LeftControl, "ctrl", 0x1d, 0xffe3, 0, 0}, {LeftShift, "shift", 0x2a, 0xffe1, 0, 0},
	{LeftAlt, "alt", 0x38, 0xffe9, 0, 0}, {LeftGUI, "meta_l", 0xdb, 0xffeb, 0, 0},
	{RightControl, "ctrl_r", 0x9d, 0xffe4, 0, 0}, {RightShift, "shift_r", 0x36, 0xffe2, 0, 0},
	{RightAlt, "alt_r", 0xb8, 0xffea, 0, 0}, {RightGUI, "meta_r", 0xdc, 0xffec, 0, 0},
}

// Usages of the keys that others are pressed with, and of some without a
// character.
const (
	F1           = 0x3a // F2 to F12 follow
	Insert       = 0x49
	Home         = 0x4a
	PageUp       = 0x4b
	Delete       = 0x4c
	End          = 0x4d
	PageDown     = 0x4e
	Right        = 0x4f
	Left         = 0x50
	Down         = 0x51
	Up           = 0x52
	LeftControl  = 0xe0
	LeftShift    = 0xe1
	LeftAlt      = 0xe2
	LeftGUI      = 0xe3
	RightControl = 0xe4
	RightShift   = 0xe5
	RightAlt     = 0xe6
	RightGUI     = 0xe7
)

// symbols are what else X calls keys: the keypad without Num Lock, and variants.
var symbols = map[uint32]uint16{
	0xfe20: 0x2b, 0xff9c: 0x59, 0xff99: 0x5a, 0xff9b: 0x5b, 0xff96: 0x5c, 0xff9d: 0x5d, 0xff98: 0x5e, 0xff95: 0x5f,
	0xff97: 0x60, 0xff9a: 0x61, 0xff9e: 0x62, 0xff9f: 0x63, 0xff0a: 0x28, 0xfe03: RightAlt, 0xff6b: 0x48,
	0xffe7: LeftAlt, 0xffe8: RightAlt,
}

// KeyNamed is the usage of a key by QEMU's name for it.
func KeyNamed(name string) (usage uint16, ok bool) {
	return find(func(k *key) bool { return k.name == name })
}

// KeyNames are the names that KeyNamed knows.
func KeyNames() []string {
	var all []string
	for i := range keys {
		all = append(all, keys[i].name)
	}
	return all
}

// KeyOfCode is the usage of a key by its scan code of set 1, which has 80h added
// where E0h comes before it.
func KeyOfCode(code uint8) (usage uint16, ok bool) {
	if code == 0xc5 { // what some send for Pause
		code = 0xc6
	}
	return find(func(k *key) bool { return k.code == code })
}

// KeyOfSymbol is the usage of the key of a US keyboard that has X's symbol sym.
func KeyOfSymbol(sym uint32) (usage uint16, ok bool) {
	if usage, ok = symbols[sym]; ok {
		return usage, ok
	}
	if sym >= 0x20 && sym < 0x7f {
		return find(func(k *key) bool { return k.plain == rune(sym) || k.shifted == rune(sym) })
	}
	return find(func(k *key) bool { return k.sym != 0 && uint32(k.sym) == sym })
}

func find(is func(k *key) bool) (usage uint16, ok bool) {
	for i := range keys {
		if is(&keys[i]) {
			return uint16(keys[i].usage), true
		}
	}
	return 0, false
}

// Chord is the events of keys that are pressed in order and let go in reverse.
func Chord(usages ...uint16) []Event {
	var events []Event
	for _, u := range usages {
		events = append(events, Key{u, true})
	}
	for _, u := range slices.Backward(usages) {
		events = append(events, Key{u, false})
	}
	return events
}

// Typed is the events that type a character on a US keyboard, none if it has no
// key. A character below 20h that has none is its letter with Ctrl.
func Typed(r rune) []Event {
	if r == '\r' {
		r = '\n'
	}
	for i := range keys {
		switch k := &keys[i]; {
		case r == 0:
		case k.plain == r:
			return Chord(uint16(k.usage))
		case k.shifted == r:
			return Chord(LeftShift, uint16(k.usage))
		}
	}
	switch {
	case r == 0x7f:
		return Typed('\b')
	case r == 0:
		return Chord(LeftControl, 0x1f) // Ctrl-@
	case r < 0x20:
		u, _ := KeyOfSymbol(uint32(r) + 0x40)
		return Chord(LeftControl, u)
	}
	return nil
}

// ParseChord reads the names of keys that are pressed together, such as
// ctrl-alt-delete. It returns the name that is none, if there is one.
func ParseChord(text string) (usages []uint16, unknown string) {
	for _, name := range strings.Split(text, "-") {
		u, ok := KeyNamed(strings.ToLower(name))
		if !ok {
			return nil, name
		}
		usages = append(usages, u)
	}
	return usages, ""
}
