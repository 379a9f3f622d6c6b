package isa

// u8 reads the next byte.
func (d *decoder) u8() uint8 {
	if d.pos >= len(d.code) {
		d.short = true
		return 0
	}
	b := d.code[d.pos]
	d.pos++
	return b
}

// number reads a little-endian number of 1, 2 or 4 bytes.
func (d *decoder) number(size uint8) uint32 {
	p := d.code[d.pos:]
	if len(p) < int(size) {
		d.short = true
		return 0
	}
	d.pos += int(size)
	switch size {
	case 1:
		return uint32(p[0])
	case 2:
		return uint32(p[0]) | uint32(p[1])<<8
	}
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// displacement reads a number and sign-extends it.
func (d *decoder) displacement(size uint8) uint32 {
	v := d.number(size)
	switch size {
	case 1:
		return uint32(int32(int8(v)))
	case 2:
		return uint32(int32(int16(v)))
	}
	return v
}

// fetch is the ModR/M byte.
func (d *decoder) fetch() uint8 {
	if !d.fetched {
		d.fetched = true
		d.modrm = d.u8()
		d.in.Reg = d.modrm >> 3 & 7
	}
	return d.modrm
}

// address reads what follows ModR/M when it means memory.
func (d *decoder) address() {
	if d.in.AddrSize == 2 {
		d.address16()
		return
	}
	d.address32()
}

// modes16 are base and index of the addressing forms of Intel SDM Vol. 2,
// "16-Bit Addressing Forms with the ModR/M Byte".
var modes16 = [8][2]uint8{
	{bx, si}, {bx, di}, {bp, si}, {bp, di}, {si, NoReg}, {di, NoReg}, {bp, NoReg}, {bx, NoReg},
}

// Numbers of the registers that address memory in a way of their own.
const (
	bx = 3
	sp = 4
	bp = 5
	si = 6
	di = 7
)

func (d *decoder) address16() {
	in := &d.in
	mod, rm := d.modrm>>6, d.modrm&7
	if mod == 0 && rm == 6 {
		in.Disp = d.number(2)
		return
	}
	in.Base, in.Index = modes16[rm][0], modes16[rm][1]
	d.stackDefault()
	switch mod {
	case 1:
		in.Disp = d.displacement(1)
	case 2:
		in.Disp = d.displacement(2)
	}
}

// address32 follows Intel SDM Vol. 2, "32-Bit Addressing Forms with the
// ModR/M Byte" and "... with the SIB Byte".
func (d *decoder) address32() {
	in := &d.in
	mod, base := d.modrm>>6, d.modrm&7
	if base == sp {
		sib := d.u8()
		base = sib & 7
		if index := sib >> 3 & 7; index != sp {
			in.Index, in.Scale = index, sib>>6
		}
	}
	if mod == 0 && base == bp {
		in.Disp = d.number(4)
		return
	}
	in.Base = base
	d.stackDefault()
	switch mod {
	case 1:
		in.Disp = d.displacement(1)
	case 2:
		in.Disp = d.number(4)
	}
}

// stackDefault makes SS the segment of addresses based on BP, EBP or ESP.
func (d *decoder) stackDefault() {
	if d.in.Prefix&SegOverride == 0 && (d.in.Base == bp || d.in.Base == sp) {
		d.in.Seg = SS
	}
}
