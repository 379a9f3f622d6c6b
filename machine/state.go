package machine

import (
	"encoding/hex"
	"fmt"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// The state of a machine as a document, for programs that compare it with what
// they expect. docs/debugging.md has the schema; a name stays what it means.

// A Hex is a number of a fixed width, in hexadecimal: a register's width is
// part of what it is, and JSON's numbers do not hold 64 bits.
type Hex string

func hex16(v uint16) Hex { return Hex(fmt.Sprintf("0x%04x", v)) }
func hex32(v uint32) Hex { return Hex(fmt.Sprintf("0x%08x", v)) }
func hex64(v uint64) Hex { return Hex(fmt.Sprintf("0x%016x", v)) }

// A State is a machine's processor and parts of its memory.
type State struct {
	Processor Processor `json:"processor"`
	Memory    []Memory  `json:"memory"`
	History   []Event   `json:"history"`
}

// A Processor is everything a program can observe of a processor.
type Processor struct {
	EAX      Hex      `json:"eax"`
	ECX      Hex      `json:"ecx"`
	EDX      Hex      `json:"edx"`
	EBX      Hex      `json:"ebx"`
	ESP      Hex      `json:"esp"`
	EBP      Hex      `json:"ebp"`
	ESI      Hex      `json:"esi"`
	EDI      Hex      `json:"edi"`
	EIP      Hex      `json:"eip"`
	EFLAGS   Hex      `json:"eflags"`
	CPL      uint8    `json:"cpl"`
	Halted   bool     `json:"halted"`
	Shutdown bool     `json:"shutdown"`
	Code     Location `json:"code"`
	Segments Segments `json:"segments"`
	GDTR     Pseudo   `json:"gdtr"`
	IDTR     Pseudo   `json:"idtr"`
	Control  struct {
		CR0 Hex `json:"cr0"`
		CR2 Hex `json:"cr2"`
		CR3 Hex `json:"cr3"`
		CR4 Hex `json:"cr4"`
	} `json:"control"`
	Debug struct {
		DR0 Hex `json:"dr0"`
		DR1 Hex `json:"dr1"`
		DR2 Hex `json:"dr2"`
		DR3 Hex `json:"dr3"`
		DR6 Hex `json:"dr6"`
		DR7 Hex `json:"dr7"`
	} `json:"debug"`
	MSRs map[string]Hex `json:"msrs"`
	X87  X87            `json:"x87"`
	SSE  SSE            `json:"sse"`
}

// A Location is where the next instruction lies.
type Location struct {
	Linear Hex    `json:"linear"`
	Symbol string `json:"symbol,omitempty"`
}

// Segments are the segment registers.
type Segments struct {
	ES   Segment `json:"es"`
	CS   Segment `json:"cs"`
	SS   Segment `json:"ss"`
	DS   Segment `json:"ds"`
	FS   Segment `json:"fs"`
	GS   Segment `json:"gs"`
	LDTR Segment `json:"ldtr"`
	TR   Segment `json:"tr"`
}

// A Segment is a segment register with its hidden part.
type Segment struct {
	Selector Hex  `json:"selector"`
	Base     Hex  `json:"base"`
	Limit    Hex  `json:"limit"`
	Access   Hex  `json:"access"`
	Usable   bool `json:"usable"`
}

// A Pseudo is a descriptor-table register.
type Pseudo struct {
	Base  Hex `json:"base"`
	Limit Hex `json:"limit"`
}

// X87 is the x87 FPU. ST are the registers from the top of the stack on, 80
// bits each.
type X87 struct {
	Control     Hex    `json:"control"`
	Status      Hex    `json:"status"`
	Tag         Hex    `json:"tag"`
	Opcode      Hex    `json:"opcode"`
	Instruction Hex    `json:"instruction"`
	CS          Hex    `json:"instruction_selector"`
	Operand     Hex    `json:"operand"`
	DS          Hex    `json:"operand_selector"`
	Top         uint8  `json:"top"`
	ST          [8]Hex `json:"st"`
}

// SSE are the XMM registers, 128 bits each.
type SSE struct {
	MXCSR Hex    `json:"mxcsr"`
	XMM   [8]Hex `json:"xmm"`
}

// A Range is memory to put into a State.
type Range struct {
	Physical bool
	At, Len  uint32
}

// Memory is the bytes of a Range. Those from the first on that is no memory,
// or not mapped, are left out.
type Memory struct {
	Space  string `json:"space"`
	At     Hex    `json:"address"`
	Length uint32 `json:"length"`
	Bytes  string `json:"bytes"`
}

// State is the state of the machine with the memory in ranges.
func (m *Machine) State(ranges []Range) *State {
	s := &State{Processor: m.processor(), Memory: []Memory{}, History: m.events()}
	for _, r := range ranges {
		s.Memory = append(s.Memory, m.rangeOf(r))
	}
	return s
}

func (m *Machine) rangeOf(r Range) Memory {
	p := make([]byte, r.Len)
	space, n := "linear", 0
	if r.Physical {
		space, n = "physical", m.ReadPhysical(p, mem.Addr(r.At))
	} else {
		n = m.ReadLinear(p, cpu.Linear(r.At))
	}
	return Memory{space, hex32(r.At), r.Len, hex.EncodeToString(p[:n])}
}

func (m *Machine) processor() (p Processor) {
	c := m.board.cpu
	for i, r := range []*Hex{&p.EAX, &p.ECX, &p.EDX, &p.EBX, &p.ESP, &p.EBP, &p.ESI, &p.EDI} {
		*r = hex32(c.Reg32(uint8(i)))
	}
	p.EIP, p.EFLAGS = hex32(c.EIP), hex32(c.EFLAGS)
	p.CPL, p.Halted, p.Shutdown = c.CPL, c.Halted, c.Shutdown
	at := cpu.Linear(c.Seg[isa.CS].Base + c.EIP)
	p.Code = Location{hex32(uint32(at)), m.name(at)}
	g := &p.Segments
	for i, s := range []*Segment{&g.ES, &g.CS, &g.SS, &g.DS, &g.FS, &g.GS} {
		*s = segment(&c.Seg[i])
	}
	g.LDTR, g.TR = segment(&c.LDTR), segment(&c.TR)
	p.GDTR = Pseudo{hex32(c.GDTR.Base), hex16(uint16(c.GDTR.Limit))}
	p.IDTR = Pseudo{hex32(c.IDTR.Base), hex16(uint16(c.IDTR.Limit))}
	p.Control.CR0, p.Control.CR2, p.Control.CR3, p.Control.CR4 = hex32(c.CR0), hex32(c.CR2), hex32(c.CR3), hex32(c.CR4)
	for i, r := range []*Hex{&p.Debug.DR0, &p.Debug.DR1, &p.Debug.DR2, &p.Debug.DR3} {
		*r = hex32(c.DR[i])
	}
	p.Debug.DR6, p.Debug.DR7 = hex32(c.DR[6]), hex32(c.DR[7])
	p.MSRs = msrs(c)
	p.X87 = x87(&c.FPU)
	p.SSE.MXCSR = hex32(c.MXCSR)
	for i, x := range c.XMM {
		p.SSE.XMM[i] = Hex(fmt.Sprintf("0x%016x%016x", x[1], x[0]))
	}
	return p
}

func segment(g *cpu.Segment) Segment {
	return Segment{hex16(g.Selector), hex32(g.Base), hex32(g.Limit), hex16(g.Access), g.Usable}
}

func x87(f *cpu.FPU) X87 {
	x := X87{
		Control: hex16(f.Control), Status: hex16(f.Status), Tag: hex16(f.Tag), Opcode: hex16(f.Opcode),
		Instruction: hex32(f.IP), CS: hex16(f.CS), Operand: hex32(f.DP), DS: hex16(f.DS),
		Top: uint8(f.Status >> 11 & 7),
	}
	for i := range x.ST {
		r := f.ST[(int(x.Top)+i)%8]
		x.ST[i] = Hex(fmt.Sprintf("0x%04x%016x", r.SignExponent, r.Significand))
	}
	return x
}

// msrs are the model-specific registers under the names of the Intel SDM
// Vol. 4, "Model-Specific Registers".
func msrs(c *cpu.CPU) map[string]Hex {
	r := &c.MSR
	all := map[string]Hex{
		"IA32_TIME_STAMP_COUNTER": hex64(c.TSC()),
		"IA32_SYSENTER_CS":        hex64(uint64(r.SysenterCS)),
		"IA32_SYSENTER_ESP":       hex64(uint64(r.SysenterESP)),
		"IA32_SYSENTER_EIP":       hex64(uint64(r.SysenterEIP)),
		"IA32_APIC_BASE":          hex64(r.APICBase),
		"IA32_PAT":                hex64(r.PAT),
		"IA32_EFER":               hex64(r.EFER),
		"IA32_MISC_ENABLE":        hex64(r.MiscEnable),
		"IA32_MTRR_DEF_TYPE":      hex64(r.MTRRDefType),
	}
	for i, name := range []string{"64K_00000", "16K_80000", "16K_A0000", "4K_C0000", "4K_C8000", "4K_D0000",
		"4K_D8000", "4K_E0000", "4K_E8000", "4K_F0000", "4K_F8000"} {
		all["IA32_MTRR_FIX"+name] = hex64(r.MTRRFix[i])
	}
	for i := range r.MTRRBase {
		all[fmt.Sprintf("IA32_MTRR_PHYSBASE%d", i)] = hex64(r.MTRRBase[i])
		all[fmt.Sprintf("IA32_MTRR_PHYSMASK%d", i)] = hex64(r.MTRRMask[i])
	}
	return all
}
