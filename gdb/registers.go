package gdb

import (
	"encoding/binary"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// A register is one as GDB numbers and describes it: its place in the table is
// its number.
type register struct {
	name  string
	bits  int
	typ   string // as the target description names it
	group string // empty for what GDB makes of the type
	get   func(c *cpu.CPU) [2]uint64
	// set reports whether v is one that the register can hold; then it does. A
	// nil set can only keep what is there.
	set func(c *cpu.CPU, v [2]uint64) bool
}

// The first registers of what the target description calls a feature.
const (
	firstSSE    = 32
	firstSystem = 41
)

// registers begins as GDB's org.gnu.gdb.i386.core and org.gnu.gdb.i386.sse
// require (Debugging with GDB, "i386 Features").
var registers = table()

func table() []register {
	var t []register
	for i, name := range []string{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"} {
		typ := "int32"
		if i == cpu.ESP || i == cpu.EBP {
			typ = "data_ptr"
		}
		t = append(t, register{name: name, bits: 32, typ: typ,
			get: func(c *cpu.CPU) [2]uint64 { return [2]uint64{uint64(c.Reg32(uint8(i)))} },
			set: func(c *cpu.CPU, v [2]uint64) bool { c.SetReg32(uint8(i), uint32(v[0])); return true }})
	}
	t = append(t, word32("eip", "code_ptr", "", func(c *cpu.CPU) *uint32 { return &c.EIP }),
		word32("eflags", "i386_eflags", "", func(c *cpu.CPU) *uint32 { return &c.EFLAGS }))
	t[8].set, t[9].set = setEIP, setEFLAGS
	for i, s := range []isa.Seg{isa.CS, isa.SS, isa.DS, isa.ES, isa.FS, isa.GS} {
		name := []string{"cs", "ss", "ds", "es", "fs", "gs"}[i]
		t = append(t, register{name: name, bits: 32, typ: "int32",
			get: func(c *cpu.CPU) [2]uint64 { return [2]uint64{uint64(c.Seg[s].Selector)} },
			set: func(c *cpu.CPU, v [2]uint64) bool { return setSegment(c, s, v[0]) }})
	}
	return append(append(append(t, x87Registers()...), sseRegisters()...), systemRegisters()...)
}

// word32 and word16 are registers that hold whatever they are given; GDB sees
// both as 32 bits wide.
func word32(name, typ, group string, at func(c *cpu.CPU) *uint32) register {
	return register{name: name, bits: 32, typ: typ, group: group,
		get: func(c *cpu.CPU) [2]uint64 { return [2]uint64{uint64(*at(c))} },
		set: func(c *cpu.CPU, v [2]uint64) bool { *at(c) = uint32(v[0]); return true }}
}

func word16(name, group string, valid uint16, at func(c *cpu.CPU) *uint16) register {
	return register{name: name, bits: 32, typ: "int", group: group,
		get: func(c *cpu.CPU) [2]uint64 { return [2]uint64{uint64(*at(c))} },
		set: func(c *cpu.CPU, v [2]uint64) bool { *at(c) = uint16(v[0]) & valid; return true }}
}

// setEIP also ends a HLT: whoever moves the instruction pointer wants to go on
// from there.
func setEIP(c *cpu.CPU, v [2]uint64) bool {
	c.EIP = uint32(v[0])
	c.Halted, c.Shadow = false, false
	return true
}

// setEFLAGS leaves VM alone: segment registers mean something else with it.
func setEFLAGS(c *cpu.CPU, v [2]uint64) bool {
	const loadable = cpu.FlagsStatus | cpu.FlagTF | cpu.FlagIF | cpu.FlagDF | cpu.FlagIOPL | cpu.FlagNT |
		cpu.FlagRF | cpu.FlagAC | cpu.FlagVIF | cpu.FlagVIP | cpu.FlagID
	f := uint32(v[0])
	if (f^c.EFLAGS)&cpu.FlagVM != 0 {
		return false
	}
	c.EFLAGS = f&loadable | f&cpu.FlagVM | cpu.FlagOne
	return true
}

// setSegment is MOV to a segment register. In protected mode CS can only be
// loaded together with EIP, by a far jump.
func setSegment(c *cpu.CPU, s isa.Seg, v uint64) bool {
	switch {
	case v == uint64(c.Seg[s].Selector):
		return true
	case v > 0xffff:
		return false
	case !c.Protected():
		c.SetRealSegment(s, uint16(v))
		return true
	}
	return s != isa.CS && c.LoadSegment(s, uint16(v)) == cpu.NoTrap
}

func x87Registers() []register {
	var t []register
	for i := range uint16(8) {
		st := func(c *cpu.CPU) *cpu.Float80 { return &c.FPU.ST[(c.FPU.Status>>11+i)&7] }
		t = append(t, register{name: "st" + string(rune('0'+i)), bits: 80, typ: "i387_ext",
			get: func(c *cpu.CPU) [2]uint64 {
				return [2]uint64{st(c).Significand, uint64(st(c).SignExponent)}
			},
			set: func(c *cpu.CPU, v [2]uint64) bool {
				*st(c) = cpu.Float80{Significand: v[0], SignExponent: uint16(v[1])}
				return true
			}})
	}
	// Bit 6 of the control word reads as one; bits 7 and 13 to 15 as zero.
	control := word16("fctrl", "float", 0, func(c *cpu.CPU) *uint16 { return &c.FPU.Control })
	control.set = func(c *cpu.CPU, v [2]uint64) bool {
		c.FPU.Control = uint16(v[0])&0x1f3f | 0x40
		return true
	}
	instruction := word32("fioff", "int", "float", func(c *cpu.CPU) *uint32 { return &c.FPU.IP })
	operand := word32("fooff", "int", "float", func(c *cpu.CPU) *uint32 { return &c.FPU.DP })
	return append(t, control,
		word16("fstat", "float", 0xffff, func(c *cpu.CPU) *uint16 { return &c.FPU.Status }),
		word16("ftag", "float", 0xffff, func(c *cpu.CPU) *uint16 { return &c.FPU.Tag }),
		word16("fiseg", "float", 0xffff, func(c *cpu.CPU) *uint16 { return &c.FPU.CS }), instruction,
		word16("foseg", "float", 0xffff, func(c *cpu.CPU) *uint16 { return &c.FPU.DS }), operand,
		word16("fop", "float", 0x7ff, func(c *cpu.CPU) *uint16 { return &c.FPU.Opcode }))
}

func sseRegisters() []register {
	var t []register
	for i := range 8 {
		t = append(t, register{name: "xmm" + string(rune('0'+i)), bits: 128, typ: "vec128",
			get: func(c *cpu.CPU) [2]uint64 { return c.XMM[i] },
			set: func(c *cpu.CPU, v [2]uint64) bool { c.XMM[i] = v; return true }})
	}
	mxcsr := word32("mxcsr", "i386_mxcsr", "vector", func(c *cpu.CPU) *uint32 { return &c.MXCSR })
	mxcsr.set = func(c *cpu.CPU, v [2]uint64) bool {
		if v[0]>>16 != 0 {
			return false
		}
		c.MXCSR = uint32(v[0])
		return true
	}
	return append(t, mxcsr)
}

// systemRegisters are those that GDB knows nothing of.
func systemRegisters() []register {
	const group = "system"
	control := func(name, typ string, at func(c *cpu.CPU) *uint32, set func(c *cpu.CPU, v uint32) cpu.Trap) register {
		r := word32(name, typ, group, at)
		r.set = func(c *cpu.CPU, v [2]uint64) bool { return set(c, uint32(v[0])) == cpu.NoTrap }
		return r
	}
	t := []register{
		control("cr0", "gov86_cr0", func(c *cpu.CPU) *uint32 { return &c.CR0 }, setCR0),
		word32("cr2", "data_ptr", group, func(c *cpu.CPU) *uint32 { return &c.CR2 }),
		control("cr3", "int32", func(c *cpu.CPU) *uint32 { return &c.CR3 }, (*cpu.CPU).SetCR3),
		control("cr4", "gov86_cr4", func(c *cpu.CPU) *uint32 { return &c.CR4 }, (*cpu.CPU).SetCR4),
		{name: "efer", bits: 64, typ: "int64", group: group,
			get: func(c *cpu.CPU) [2]uint64 { return [2]uint64{c.MSR.EFER} }},
	}
	for i, name := range []string{"es_base", "cs_base", "ss_base", "ds_base", "fs_base", "gs_base"} {
		t = append(t, shown(name, func(c *cpu.CPU) uint32 { return c.Seg[i].Base }))
	}
	return append(t,
		shown("gdtr_base", func(c *cpu.CPU) uint32 { return c.GDTR.Base }),
		shown("gdtr_limit", func(c *cpu.CPU) uint32 { return c.GDTR.Limit }),
		shown("idtr_base", func(c *cpu.CPU) uint32 { return c.IDTR.Base }),
		shown("idtr_limit", func(c *cpu.CPU) uint32 { return c.IDTR.Limit }),
		shown("ldtr", func(c *cpu.CPU) uint32 { return uint32(c.LDTR.Selector) }),
		shown("tr", func(c *cpu.CPU) uint32 { return uint32(c.TR.Selector) }),
		shown("tr_base", func(c *cpu.CPU) uint32 { return c.TR.Base }),
		shown("cpl", func(c *cpu.CPU) uint32 { return uint32(c.CPL) }))
}

// shown is a system register that GDB cannot change.
func shown(name string, get func(c *cpu.CPU) uint32) register {
	return register{name: name, bits: 32, typ: "int32", group: "system",
		get: func(c *cpu.CPU) [2]uint64 { return [2]uint64{uint64(get(c))} }}
}

// setCR0 leaves PE alone: segment registers mean something else with it.
func setCR0(c *cpu.CPU, v uint32) cpu.Trap {
	if (v^c.CR0)&cpu.CR0PE != 0 {
		return cpu.GP(0)
	}
	return c.SetCR0(v)
}

// size is the width of r in bytes.
func (r *register) size() int { return r.bits / 8 }

// bytes is the value of r, as GDB's g packet has it.
func (r *register) bytes(c *cpu.CPU) []byte {
	v := r.get(c)
	p := binary.LittleEndian.AppendUint64(nil, v[0])
	return binary.LittleEndian.AppendUint64(p, v[1])[:r.size()]
}

// setBytes is the reverse of bytes. A value that is there already is not
// loaded anew.
func (r *register) setBytes(c *cpu.CPU, p []byte) bool {
	var wide [16]byte
	copy(wide[:], p)
	v := [2]uint64{binary.LittleEndian.Uint64(wide[:]), binary.LittleEndian.Uint64(wide[8:])}
	if v == r.get(c) {
		return true
	}
	return r.set != nil && r.set(c, v)
}
