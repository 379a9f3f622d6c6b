package acpi

// AML as bytes (ACPI 6.4, "ACPI Machine Language Specification"): functions
// that nest as the language does.

// pkgLength is the length of a package of n bytes, the encoding of the
// length included.
func pkgLength(n int) []byte {
	switch {
	case n+1 <= 0x3f:
		return []byte{byte(n + 1)}
	case n+2 <= 0xfff:
		n += 2
		return []byte{0x40 | byte(n&15), byte(n >> 4)}
	}
	n += 3
	return []byte{0x80 | byte(n&15), byte(n >> 4), byte(n >> 12)}
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// block is an operator whose package length covers what follows it.
func block(op []byte, parts ...[]byte) []byte {
	body := join(parts...)
	return join(op, pkgLength(len(body)), body)
}

func name(s string) []byte { return []byte(s) }

// define is Name (s, value).
func define(s string, value []byte) []byte { return join([]byte{0x08}, name(s), value) }

func scope(s string, terms ...[]byte) []byte {
	return block([]byte{0x10}, append([][]byte{name(s)}, terms...)...)
}

func device(s string, terms ...[]byte) []byte {
	return block([]byte{0x5b, 0x82}, append([][]byte{name(s)}, terms...)...)
}

// pack is Package () {elements}.
func pack(elements ...[]byte) []byte {
	return block([]byte{0x12}, append([][]byte{{byte(len(elements))}}, elements...)...)
}

func integer(v uint32) []byte {
	switch {
	case v == 0:
		return []byte{0x00}
	case v == 1:
		return []byte{0x01}
	case v <= 0xff:
		return []byte{0x0a, byte(v)}
	case v <= 0xffff:
		return []byte{0x0b, byte(v), byte(v >> 8)}
	}
	return []byte{0x0c, byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}
}

// eisaID is a seven-character identifier such as PNP0501.
func eisaID(s string) []byte {
	digit := func(c byte) uint32 {
		if c <= '9' {
			return uint32(c - '0')
		}
		return uint32(c-'A') + 10
	}
	letters := uint32(s[0]-'@')<<10 | uint32(s[1]-'@')<<5 | uint32(s[2]-'@')
	number := digit(s[3])<<12 | digit(s[4])<<8 | digit(s[5])<<4 | digit(s[6])
	v := letters<<16 | number
	// The identifier is big-endian.
	return []byte{0x0c, byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

// resources is a resource template: its descriptors and the end tag.
func resources(descriptors ...[]byte) []byte {
	body := append(join(descriptors...), 0x79, 0)
	return block([]byte{0x11}, integer(uint32(len(body))), body)
}

// ports is an I/O descriptor of n ports from first on.
func ports(first uint16, n uint8) []byte {
	return []byte{0x47, 1, byte(first), byte(first >> 8), byte(first), byte(first >> 8), 1, n}
}

// irq is an edge-triggered, active-high interrupt.
func irq(n uint) []byte {
	m := uint16(1) << n
	return []byte{0x22, byte(m), byte(m >> 8)}
}

// dma is a channel of an 8237A for bytes.
func dma(n uint) []byte { return []byte{0x2a, 1 << n, 0} }

// busNumbers, ioWindow and memoryWindow are what the host bridge produces.
func busNumbers(first, last uint16) []byte {
	return wordSpace(2, 0, first, last)
}

func ioWindow(first, last uint16) []byte { return wordSpace(1, 3, first, last) }

func wordSpace(kind, flags byte, first, last uint16) []byte {
	n := last - first + 1
	return []byte{0x88, 13, 0, kind, 0x0c, flags, 0, 0, byte(first), byte(first >> 8),
		byte(last), byte(last >> 8), 0, 0, byte(n), byte(n >> 8)}
}

func memoryWindow(first, last uint32) []byte {
	out := []byte{0x87, 23, 0, 0, 0x0c, 1}
	for _, v := range []uint32{0, first, last, 0, last - first + 1} {
		out = append(out, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return out
}
