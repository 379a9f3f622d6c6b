package machine

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
)

// An arbitrary guest is bytes that are executed as code, in a mode of the
// processor that wild chooses, with tables in order but for mess.
type arbitrary struct {
	model string
	wild  wild
	code  []byte
	// mess are triples: an offset into the tables, and what to XOR there.
	mess []byte
	// regs are the first values of the general registers, as many as there are.
	regs []byte
}

// wild is the mode of an arbitrary guest, in bits.
type wild uint16

const (
	wildReal wild = iota
	wild16
	wild32
	wildV86
	wildMode wild = 3

	wildUser  wild = 1 << (iota - 3) // privilege level 3
	wildPaged                        // 32-bit paging
	wildPAE                          // or PAE paging
	wildTF
	wildIF
	wildIOPL // level 3 may use ports
	wildCR4  // whatever of CR4 the model has
	wildAC
	wildBreaks // breakpoints in the debug registers
	wildAPIC   // interrupts from the local APIC, too
)

// Where an arbitrary guest has what, in physical memory and, but for mess, in
// linear memory.
const (
	wildTables    = 0x1000
	wildGDT       = 0x1000
	wildLDT       = 0x1800
	wildIDT       = 0x2000
	wildStubs     = 0x3000
	wildTSS       = 0x4000 // with a bitmap of all ports
	wildTSSLimit  = 0x2088
	wildTask      = 0x6800
	wildDirectory = 0x7000
	wildPages     = 0x8000
	wildPDPT      = 0x9000
	wildPAEDir    = 0xa000
	wildPAEPages  = 0xb000
	wildEnd       = 0xc000
	wildCode      = 0x10000
	wildCodeMax   = 0x8000
	wildStacks    = 0x20000 // of four levels, 4 KiB each
)

// Selectors of an arbitrary guest, in the order of its descriptor table.
const (
	wildCode0 = 8 * (1 + iota)
	wildData0
	wildCode3
	wildData3
	wildCode16
	wildData16
	wildCode16u
	wildData16u
	wildTR
	wildTask2
	wildLDTR
	wildCallGate
	wildTaskGate
	wildConforming
	wildDown
)

// wildDescriptors are what the selectors select.
var wildDescriptors = []uint64{
	0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff,
	0x00009b010000ffff, 0x000093010000ffff, 0x0000fb010000ffff, 0x0000f3010000ffff,
	wildTSS<<16 | wildTSSLimit | 0x8b<<40, wildTask<<16 | 0x67 | 0xe9<<40, wildLDT<<16 | 0xff | 0x82<<40,
	wildCode | wildCode0<<16 | 0xec02<<32, wildTask2<<16 | 0xe500<<32,
	0x00cf9f000000ffff, 0x00cf9700000000ff,
}

// Handlers go on a byte behind the instruction that faulted.
var (
	wildHandler     = []byte{0xff, 0x04, 0x24, 0xcf}                                   // INC dword [ESP]; IRET
	wildHandlerCode = []byte{0x83, 0xc4, 0x04, 0xff, 0x04, 0x24, 0xcf}                 // and before, ADD ESP, 4
	wildHandlerIRQ  = []byte{0x50, 0xb0, 0x20, 0xe6, 0x20, 0xe6, 0xa0, 0x58, 0xcf}     // EOI to both controllers
	wildHandlerReal = []byte{0x55, 0x89, 0xe5, 0xff, 0x46, 0x02, 0x5d, 0xcf}           // the first, for 16 bits
	wildVectors     = []uint64{8: 1, 10: 1, 11: 1, 12: 1, 13: 1, 14: 1, 17: 1, 255: 0} // those with an error code
)

const (
	stubPlain = wildStubs + 16*iota
	stubCode
	stubIRQ
	stubReal
)

// load puts the guest into a machine that has not run.
func (a *arbitrary) load(m *Machine) error {
	memory := make([]byte, wildCode+wildCodeMax)
	a.tables(memory)
	for p := a.mess; len(p) >= 3; p = p[3:] {
		at := binary.LittleEndian.Uint16(p)
		memory[wildTables+int(at)%(wildEnd-wildTables)] ^= p[2]
	}
	code := memory[wildCode:]
	n := copy(code[:wildCodeMax-8], a.code)
	back := []byte{0xf4, 0xe9} // HLT, and from the beginning
	back = binary.LittleEndian.AppendUint32(back, uint32(-(n + 6)))
	if a.mode() != wild32 {
		binary.LittleEndian.PutUint16(back[2:], uint16(-(n + 4)))
	}
	copy(code[n:], back)
	if err := m.board.memory.WriteAt(memory, 0); err != nil {
		return err
	}
	a.interrupts(m)
	a.registers(m.board.cpu)
	return nil
}

func (a *arbitrary) mode() wild { return a.wild & wildMode }

func (a *arbitrary) has(w wild) bool { return a.wild&w != 0 }

// tables fills memory with tables and handlers.
func (a *arbitrary) tables(memory []byte) {
	le := binary.LittleEndian
	for i, d := range wildDescriptors {
		le.PutUint64(memory[wildGDT+8*i:], d)
		le.PutUint64(memory[wildLDT+8*i:], d)
	}
	copy(memory[stubPlain:], wildHandler)
	copy(memory[stubCode:], wildHandlerCode)
	copy(memory[stubIRQ:], wildHandlerIRQ)
	copy(memory[stubReal:], wildHandlerReal)
	for v := range 256 {
		stub, plain := uint64(stubPlain+16*wildVectors[v]), uint32(stubReal)
		if v >= 0x20 && v < 0x30 {
			stub, plain = stubIRQ, stubIRQ
		}
		le.PutUint32(memory[4*v:], plain)
		le.PutUint64(memory[wildIDT+8*v:], stub|wildCode0<<16|0xee00<<32)
	}
	for level := range uint32(3) {
		le.PutUint32(memory[wildTSS+4+8*level:], wildStacks+0x1000*(level+1))
		le.PutUint32(memory[wildTSS+8+8*level:], wildData0)
	}
	le.PutUint16(memory[wildTSS+0x66:], 0x88)
	memory[wildTSS+wildTSSLimit] = 0xff
	copy(memory[wildTask:], memory[wildTSS:wildTSS+0x68])
	for i, v := range []uint32{wildDirectory, wildCode, 2} { // CR3, EIP, EFLAGS
		le.PutUint32(memory[wildTask+0x1c+4*i:], v)
	}
	for i, sel := range []uint32{wildData0, wildCode0, wildData0, wildData0, wildData0, wildData0} {
		le.PutUint32(memory[wildTask+0x48+4*i:], sel)
	}
	const user, large = 7, 0x80 // present and writable, too
	le.PutUint32(memory[wildDirectory:], wildPages|user)
	le.PutUint32(memory[wildDirectory+4:], user|large)
	le.PutUint64(memory[wildPDPT:], wildPAEDir|1)
	le.PutUint64(memory[wildPAEDir:], wildPAEPages|user)
	le.PutUint64(memory[wildPAEDir+8:], user|large)
	for i := range uint32(512) {
		le.PutUint32(memory[wildPages+4*i:], i<<12|user)
		le.PutUint64(memory[wildPAEPages+8*i:], uint64(i)<<12|user)
	}
}

// interrupts makes the timer interrupt at vector 20h every 50 microseconds.
func (a *arbitrary) interrupts(m *Machine) {
	for _, out := range []struct {
		port uint16
		v    uint32
	}{
		{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0xa0, 0x11}, {0xa1, 0x28}, {0xa1, 2}, {0xa1, 1},
		{0x21, 0}, {0xa1, 0}, {0x43, 0x34}, {0x40, 60}, {0x40, 0},
	} {
		m.board.ports.Out(out.port, portio.Byte, out.v)
	}
	if c := m.board.cpu; a.has(wildAPIC) && c.Model.APIC() {
		const spurious, divide, period, timer = 0xfee000f0, 0xfee003e0, 0xfee00380, 0xfee00320
		c.Mem.Write(spurious, 4, 0x1ff) // enabled
		c.Mem.Write(divide, 4, 0xb)
		c.Mem.Write(period, 4, 5000)
		c.Mem.Write(timer, 4, 1<<17|0x2e) // periodic
	}
}

// registers puts the processor into its mode.
func (a *arbitrary) registers(c *cpu.CPU) {
	if a.has(wildCR4) {
		for v := uint32(1); v <= cpu.CR4OSXMMEXCPT; v <<= 1 { // those that the model lacks stay clear
			if v != cpu.CR4PAE {
				c.SetCR4(c.CR4 | v)
			}
		}
	} else {
		c.SetCR4(c.CR4 | cpu.CR4OSFXSR | cpu.CR4OSXMMEXCPT)
	}
	c.SetCR3(wildDirectory)
	if a.has(wildPAE) && c.SetCR4(c.CR4|cpu.CR4PAE) == cpu.NoTrap {
		c.SetCR3(wildPDPT)
	}
	c.GDTR = cpu.Segment{Base: wildGDT, Limit: uint32(8*len(wildDescriptors)) - 1}
	c.IDTR = cpu.Segment{Base: wildIDT, Limit: 8*256 - 1}
	c.LDTR = wildSegment(wildLDTR)
	c.TR = wildSegment(wildTR)
	cr0 := uint32(cpu.CR0ET | cpu.CR0NE | cpu.CR0PE)
	code, data := uint16(wildCode0), uint16(wildData0)
	switch {
	case a.mode() == wildReal:
		cr0 &^= cpu.CR0PE
		c.IDTR = cpu.Segment{Limit: 0x3ff}
	case a.mode() == wild16 && a.has(wildUser):
		code, data = wildCode16u|3, wildData16u|3
	case a.mode() == wild16:
		code, data = wildCode16, wildData16
	case a.has(wildUser):
		code, data = wildCode3|3, wildData3|3
	}
	if cr0&cpu.CR0PE != 0 && a.has(wildPaged) {
		cr0 |= cpu.CR0PG | cpu.CR0WP
	}
	c.EFLAGS = cpu.FlagOne
	for _, f := range []struct {
		when wild
		flag uint32
	}{{wildTF, cpu.FlagTF}, {wildIF, cpu.FlagIF}, {wildIOPL, cpu.FlagIOPL}, {wildAC, cpu.FlagAC}} {
		if a.has(f.when) {
			c.EFLAGS |= f.flag
		}
	}
	if a.has(wildAC) {
		cr0 |= cpu.CR0AM
	}
	c.SetCR0(cr0)
	for i := range c.Seg {
		switch sel := data; {
		case a.mode() == wildReal || a.mode() == wildV86:
			access := uint16(cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA)
			if a.mode() == wildV86 {
				access |= cpu.AccessDPL
			}
			c.Seg[i] = cpu.Segment{Access: access, Limit: 0xffff, Usable: true}
			if i := isa.Seg(i); i == isa.CS || i == isa.SS {
				c.Seg[i].Selector, c.Seg[i].Base = wildCode>>4, wildCode
			}
		default:
			if isa.Seg(i) == isa.CS {
				sel = code
			}
			c.Seg[i] = wildSegment(sel)
		}
	}
	c.CPL = c.Seg[isa.SS].DPL()
	c.EIP = wildCode - c.Seg[isa.CS].Base
	if a.mode() == wildV86 {
		c.EFLAGS |= cpu.FlagVM
	}
	a.general(c)
	if a.has(wildBreaks) {
		c.DR[0], c.DR[1], c.DR[2] = wildCode+4, wildCode+0x100, 0x20
		c.DR[7] = 0x400 | 0x15 | 0xf<<20 | 2<<24 // execution, accesses, and with CR4.DE a port
	}
}

// general sets the general registers.
func (a *arbitrary) general(c *cpu.CPU) {
	for r := range uint8(8) {
		v := uint32(r) * 0x1357
		if len(a.regs) >= 4*int(r+1) {
			v = binary.LittleEndian.Uint32(a.regs[4*r:])
		}
		if r == cpu.ESP {
			v = wildStacks + 0x4000
			if a.mode() != wild32 {
				v = 0xf000
			}
		}
		c.SetReg32(r, v)
	}
}

// wildSegment is what loading a selector puts into the hidden part.
func wildSegment(sel uint16) cpu.Segment {
	d := wildDescriptors[sel>>3]
	limit := uint32(d)&0xffff | uint32(d>>32)&0xf0000
	if d>>55&1 != 0 {
		limit = limit<<12 | 0xfff
	}
	base := uint32(d>>16) & 0xffffff
	return cpu.Segment{Selector: sel, Access: uint16(d>>40) & 0xf0ff, Limit: limit, Base: base, Usable: true}
}

// machine is a machine of the guest's model with the guest in it. What it resets
// to is a kernel that halts.
func (a *arbitrary) machine(t *testing.T) *Machine {
	t.Helper()
	fs := memfs.New(1<<20, func() (int64, uint32) { return 1e9, 0 })
	m, err := New(Config{
		Model: a.model, Memory: 4 << 20, Kernel: image(halt, nil), Exports: []v86fs.Export{{Name: "host", Backend: fs}},
		Counted: true, HaltEnds: true, DebugExit: 0xf4,
	}, Host{Time: time.Unix(1e9, 0), Debug: func(byte) {}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.load(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// end runs the guest to its end, or for a budget of guest time. Whatever the
// bytes are, no more than about the budget may be executed, nothing may panic,
// and the host must not be kept busy for long.
func (a *arbitrary) end(t *testing.T) {
	t.Helper()
	const budget = 10_000       // instructions' worth of time
	const surplus = 2 * longest // what a run of the engine may exceed it by
	m := a.machine(t)
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	m.clock.NewTimer("budget", func(hw.Time) { m.end(PoweredOff) }).Set(budget * countedNs)
	hung := time.AfterFunc(30*time.Second, func() { panic(fmt.Sprintf("%#v hangs", a)) })
	defer hung.Stop()
	if _, err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m.Retired() > budget+surplus {
		t.Errorf("%d instructions retired of a budget of %d", m.Retired(), budget)
	}
	for i, v := range m.board.cpu.GPR {
		if v>>32 != 0 || i >= 8 && v != 0 {
			t.Errorf("%#x in general register %d", v, i)
		}
	}
	m.Dump(io.Discard)
	m.DumpDevices(io.Discard)
	m.State(nil)
}

// FuzzGuest runs arbitrary bytes as guests of every model, in every mode, with
// the board's devices.
func FuzzGuest(f *testing.F) {
	for i, code := range wildSeeds {
		f.Add(code, uint16(i), uint8(i), []byte{}, []byte{})
		f.Add(code, uint16(wild32|wildPaged|wildIF), uint8(4), []byte{}, []byte{})
	}
	f.Fuzz(func(t *testing.T, code []byte, w uint16, model uint8, mess, regs []byte) {
		models := Models()
		a := arbitrary{models[int(model)%len(models)], wild(w), code, mess, regs}
		a.end(t)
	})
}

// wildSeeds have something of everything that is not arithmetic.
var wildSeeds = [][]byte{
	{0xe4, 0x60, 0xe6, 0x64, 0xec, 0xee, 0xed, 0xef, 0x6c, 0x6d, 0x6e, 0x6f, 0xf3, 0x6d, 0xf3, 0x6f},
	{0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0, 0x0f, 0x22, 0xd8, 0x0f, 0x22, 0xe0, 0x0f, 0x21, 0xf8, 0x0f, 0x23, 0xf8},
	{0x9c, 0x9d, 0xcf, 0xcc, 0xcd, 0x30, 0xce, 0xf1, 0xfa, 0xfb, 0xf4},
	{0xea, 0, 0, 1, 0, 0x48, 0, 0x9a, 0, 0, 1, 0, 0x60, 0, 0xcb, 0xca, 4, 0, 0xff, 0x2b, 0xff, 0x1b},
	{0x8e, 0xd0, 0x8e, 0xd8, 0x8e, 0xc0, 0x17, 0x1f, 0x07, 0x0f, 0xa1, 0x0f, 0xb2, 0x23, 0xc4, 0x03},
	{0x0f, 0x00, 0xd8, 0x0f, 0x00, 0xd0, 0x0f, 0x01, 0x13, 0x0f, 0x01, 0x1b, 0x0f, 0x01, 0xf0, 0x0f, 0x01, 0x3b},
	{0x0f, 0x30, 0x0f, 0x32, 0x0f, 0x31, 0x0f, 0xa2, 0x0f, 0x34, 0x0f, 0x35, 0x0f, 0x09, 0x0f, 0x08},
	{0xf3, 0xa4, 0xf3, 0xa5, 0xf3, 0xab, 0xf2, 0xae, 0xf3, 0xa7, 0xfd, 0xf3, 0x66, 0xa5, 0x67, 0xf3, 0xa4},
	{0xdb, 0xe3, 0xd9, 0xee, 0xd9, 0xe8, 0xde, 0xf9, 0x9b, 0xdd, 0x33, 0xdd, 0x23, 0x0f, 0xae, 0x03, 0x0f, 0xae, 0x0b},
	{0x0f, 0x58, 0xc1, 0x66, 0x0f, 0x38, 0x17, 0xc1, 0x0f, 0xae, 0x13, 0xf2, 0x0f, 0x58, 0x03, 0x0f, 0x77},
	{0xc8, 0x10, 0, 0x1f, 0xc9, 0x60, 0x61, 0x62, 0x03, 0x0f, 0xc7, 0x0b, 0xf0, 0x0f, 0xb1, 0x0b, 0xeb, 0xe0},
	{0xb0, 0xfe, 0xe6, 0x64, 0xba, 0xf9, 0x0c, 0, 0, 0xb0, 6, 0xee, 0xba, 0x04, 0x06, 0, 0, 0xb8, 0, 0x20, 0, 0, 0xef},
}

// TestArbitraryGuestsEnd runs some in every mode of every model, always the
// same: pieces of the seeds between random bytes.
func TestArbitraryGuestsEnd(t *testing.T) {
	const each = 12
	for i, model := range Models() {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for n := range each * int(wildMode+1) {
				a := arbitrary{model: model, wild: wild(r.Uint32())&^wildMode | wild(n)&wildMode}
				for range 1 + r.IntN(6) {
					a.code = append(a.code, wildSeeds[r.IntN(len(wildSeeds))]...)
					a.code = append(a.code, random(r, r.IntN(40))...)
				}
				a.mess = random(r, 3*r.IntN(3))
				a.regs = random(r, 4*r.IntN(9))
				a.end(t)
				if t.Failed() {
					t.Fatalf("%#v", a)
				}
			}
		})
	}
}

func random(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}
