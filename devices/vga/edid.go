package vga

// edidSize is that of the block without extensions.
const edidSize = 128

// makeEDID is what the monitor says of itself (VESA E-EDID Standard, "EDID
// Format"): it likes 1024 x 768 best.
func makeEDID() (e [edidSize]uint8) {
	copy(e[:], []uint8{
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		0x1d, 0xf6, 0x86, 0x00, 0x00, 0x00, 0x00, 0x00, // manufacturer GOV, product 86h
		1, 30, // made in the first week of 2020
		1, 4, // EDID 1.4
		0xa5, 26, 20, 120, 0x06, // digital, 8 bits a colour; 26 x 20 cm; gamma 2.2; sRGB, the first mode is preferred
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, // the colours of sRGB
		0x21, 0x08, 0x00, // 640 x 480, 800 x 600, 1024 x 768 at 60 Hz
	})
	standard := []uint8{
		0x81, 0x80, // 1280 x 1024 at 60 Hz
		0x81, 0x00, // 1280 x 800
		0xa9, 0x40, // 1600 x 1200
		0xd1, 0xc0, // 1920 x 1080
		0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
	}
	copy(e[38:], standard)
	// 1024 x 768 at 60 Hz (VESA Monitor Timing Standard).
	copy(e[54:], []uint8{
		0x64, 0x19, // 65 MHz
		0x00, 0x40, 0x41, 0x00, 0x26, 0x30, // 1024 + 320 dots, 768 + 38 lines
		24, 136, 3<<4 | 6, 0x00, // front porches and sync pulses
		0x04, 0xcb, 0x10, // 260 x 203 mm
		0, 0, 0x18, // separate syncs, both negative
	})
	copy(e[72:], "\x00\x00\x00\xfc\x00gov86\n       ")
	copy(e[90:], "\x00\x00\x00\xfd\x00\x32\x7d\x1e\xa0\x1e\x01\n      ") // 50-125 Hz, 30-160 kHz, to 300 MHz
	e[111] = 0x10                                                        // the last descriptor is empty
	var sum uint8
	for _, b := range e {
		sum += b
	}
	e[edidSize-1] = -sum
	return e
}
