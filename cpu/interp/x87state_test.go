package interp

import (
	"bytes"
	le "encoding/binary"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// Control instructions of the tests; the memory operand is at EBX or, in
// 16-bit code, at BX: [BX] is encoded as [EDI].
var (
	codeFNSTENV = []byte{0xd9, 0x33}
	codeFLDENV  = []byte{0xd9, 0x23}
	codeFNSAVE  = []byte{0xdd, 0x33}
	codeFRSTOR  = []byte{0xdd, 0x23}
	codeFXSAVE  = []byte{0x0f, 0xae, 0x03}
	codeFXRSTOR = []byte{0x0f, 0xae, 0x0b}
	codeFWAIT   = []byte{0x9b}
)

// realMode puts p into real-address mode, with the memory operand at [BX].
func (p *machine) realMode() {
	p.CR0 &^= cpu.CR0PE
	for i := range p.Seg {
		p.Seg[i] = cpu.Segment{Access: cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA, Limit: 0xffff, Usable: true}
	}
	p.Seg[isa.CS].Access |= cpu.AccessCode
}

// A format is one of the four of an x87 environment: instructions in it.
type environmentFormat struct {
	name   string
	real   bool
	prefix []byte
	size   int // of a field
}

var environmentFormats = []environmentFormat{
	{"32-bit protected", false, nil, 4}, {"16-bit protected", false, []byte{0x66}, 2},
	{"32-bit real", true, []byte{0x66}, 4}, {"16-bit real", true, nil, 2},
}

// newFormat is a machine in the mode of f, and in for its instructions.
func newFormat(t *testing.T, f environmentFormat) (p *machine, in func(code []byte) []byte) {
	p = newMachine(t)
	p.SetReg32(cpu.EBX, dataAt)
	if f.real {
		p.realMode()
	}
	return p, func(code []byte) []byte {
		code = join(f.prefix, code)
		if f.real {
			code[len(code)-1] |= 7
		}
		return code
	}
}

// anX87 is a state with something different in every field.
func anX87() cpu.FPU {
	f := cpu.FPU{
		Control: 0x0b7f, Status: 5<<topShift | statusC3 | statusC1 | 0x21, Tag: 0xffff,
		Opcode: 0x51e, IP: 0x00012345, CS: 0x1f08, DP: 0x000289ab, DS: 0x2d10,
	}
	for i := range f.ST {
		f.ST[i] = cpu.Float80{Significand: 1<<63 | uint64(i), SignExponent: 0x3fff + uint16(i)}
	}
	f.ST[6] = cpu.Float80{}                                           // a zero
	f.ST[7] = cpu.Float80{Significand: 3, SignExponent: signBit}      // a denormal
	f.Tag &^= 3<<(2*5) | 3<<(2*6) | 3<<(2*7) | 3<<(2*0)               // R5, R6, R7 and R0 are ST(0) to ST(3)
	f.ST[1] = cpu.Float80{Significand: 1 << 63, SignExponent: 0x7fff} // empty, whatever it holds
	return f
}

func TestFNSTENVWritesTheFourFormats(t *testing.T) {
	const tags = 2<<14 | 1<<12 | 0x3fc // special, zero, valid, four empty, valid
	want := map[string][]uint32{
		// SDM Vol. 1, Figures "Protected Mode x87 FPU State Image in Memory,
		// 32-Bit Format" and so on. Reserved halves are ones.
		"32-bit protected": {0xffff0b7f, 0xffff6a21, 0xffff0000 | tags, 0x00012345, 0x051e1f08, 0x000289ab, 0xffff2d10},
		"16-bit protected": {0x0b7f, 0x6a21, tags, 0x2345, 0x1f08, 0x89ab, 0x2d10},
		// The pointers are 12345h + 1F080h = 313C5h and 289ABh + 2D100h = 55AABh.
		"32-bit real": {0xffff0b7f, 0xffff6a21, 0xffff0000 | tags, 0xffff13c5, 0x0000351e, 0xffff5aab, 0x00005000},
		"16-bit real": {0x0b7f, 0x6a21, tags, 0x13c5, 0x351e, 0x5aab, 0x5000},
	}
	for _, f := range environmentFormats {
		p, in := newFormat(t, f)
		p.FPU = anX87()
		p.m.Write64(dataAt+mem.Addr(7*f.size), 0x1122334455667788)
		p.must(in(codeFNSTENV)...)
		for i, w := range want[f.name] {
			if got := p.m.Read(dataAt+mem.Addr(i*f.size), f.size); got != w {
				t.Errorf("%s: field %d = %#x, want %#x", f.name, i, got, w)
			}
		}
		if got := p.m.Read64(dataAt + mem.Addr(7*f.size)); got != 0x1122334455667788 {
			t.Errorf("%s: behind the image is %#x", f.name, got)
		}
		if p.FPU.Control != 0x0b7f|statusExceptions {
			t.Errorf("%s: the control word has become %#x", f.name, p.FPU.Control)
		}
	}
}

func TestFNSTENVMasksAllExceptionsAfterwards(t *testing.T) {
	p := newX87(t, 0)
	p.FPU.Control &^= statusZE
	p.must(join([]byte{0xd9, 0xee}, fldOne, []byte{0xd8, 0xf1}, codeFNSTENV)...) // FLDZ; FLD1; FDIV
	p.statusIs(statusZE|statusES|statusBusy, statusZE)
	if got := p.m.Read(dataAt, 2); got != 0x37b {
		t.Errorf("stored control word %#x, want that before", got)
	}
	if got := p.m.Read(dataAt+4, 2); got&(statusES|statusBusy|statusZE) != statusES|statusBusy|statusZE {
		t.Errorf("stored status word %#x, want that before", got)
	}
}

func TestFRSTORBringsBackWhatFNSAVEWrote(t *testing.T) {
	for _, f := range environmentFormats {
		p, in := newFormat(t, f)
		p.FPU = anX87()
		p.must(in(codeFNSAVE)...)
		if s := p.FPU; s.Control != controlNew || s.Status != 0 || s.Tag != 0xffff || s.IP != 0 || s.Opcode != 0 {
			t.Errorf("%s: FNSAVE leaves %x, want what FNINIT does", f.name, s)
		}
		for i := range mem.Addr(8) {
			at := dataAt + mem.Addr(7*f.size) + 10*i
			r := cpu.Float80{Significand: p.m.Read64(at), SignExponent: uint16(p.m.Read(at+8, 2))}
			if want := anX87().ST[(5+i)&7]; r != want {
				t.Errorf("%s: ST(%d) is stored as %x, want %x", f.name, i, r, want)
			}
		}
		p.FPU.ST = [8]cpu.Float80{}
		p.must(in(codeFRSTOR)...)
		want, got := anX87(), p.FPU
		switch f.name { // what the formats have no room for
		case "16-bit protected":
			want.IP, want.DP, want.Opcode = want.IP&0xffff, want.DP&0xffff, 0
		case "32-bit real", "16-bit real":
			want.IP, want.DP, want.CS, want.DS = 0x313c5, 0x55aab, 0, 0
		}
		got.Tag = p.tags()
		p.FPU = anX87()
		want.Tag = p.tags()
		if got != want {
			t.Errorf("%s: FRSTOR brings\n%x, want\n%x", f.name, got, want)
		}
	}
}

func TestAnImageIsLoadedOrStoredWholeOrNotAtAll(t *testing.T) {
	for _, code := range [][]byte{codeFNSTENV, codeFLDENV, codeFNSAVE, codeFRSTOR, codeFXSAVE, codeFXRSTOR} {
		p := newMachine(t)
		p.FPU = anX87()
		p.Seg[isa.DS].Limit = dataAt + 16
		p.SetReg32(cpu.EBX, dataAt)
		p.m.Write64(dataAt, 0xaaaa)
		p.faults(cpu.VecGP, code...)
		if p.FPU != anX87() || p.m.Read64(dataAt) != 0xaaaa {
			t.Errorf("% x changed something before it faulted", code)
		}
	}
}

func TestLoadedStatusIsAnErrorOnlyWhenAnExceptionIsUnmasked(t *testing.T) {
	for _, c := range []struct{ control, status, want uint16 }{
		{0x37f, 0x3f, 0x3f}, {0x37f, 0xff | statusBusy, 0x7f}, {0x37b, 4, 4 | statusES | statusBusy},
		{0x340, statusES | statusBusy, 0}, {0, 1, 1 | statusES | statusBusy},
	} {
		p := newX87(t, 0)
		p.m.Write(dataAt, 4, uint32(c.control))
		p.m.Write(dataAt+4, 4, uint32(c.status))
		p.must(codeFLDENV...)
		p.statusIs(0xffff, c.want)
		if p.FPU.Control != c.control|0x40 {
			t.Errorf("control word %#x loads as %#x", c.control, p.FPU.Control)
		}
	}
}

func TestFXSAVEWritesItsImageAndNothingElse(t *testing.T) {
	p := newMachine(t)
	p.FPU, p.MXCSR = anX87(), 0x9fc0
	want := bytes.Repeat([]byte{0xcc}, 512)
	if err := p.m.WriteAt(want, dataAt); err != nil {
		t.Fatal(err)
	}
	le.LittleEndian.PutUint16(want, 0x0b7f)
	le.LittleEndian.PutUint16(want[2:], 0x6a21)
	want[4], want[5] = 0b11100001, 0 // abridged: by physical register
	le.LittleEndian.PutUint16(want[6:], 0x51e)
	for i, v := range []uint32{0x12345, 0x1f08, 0x289ab, 0x2d10, 0x9fc0, 0xffff} {
		le.LittleEndian.PutUint32(want[8+4*i:], v)
	}
	for i := range 8 {
		r := anX87().ST[(5+i)&7]
		le.LittleEndian.PutUint64(want[32+16*i:], r.Significand)
		le.LittleEndian.PutUint64(want[40+16*i:], uint64(r.SignExponent))
	}
	for i := range p.XMM {
		p.XMM[i] = [2]uint64{uint64(i) + 100, uint64(i) + 200}
		le.LittleEndian.PutUint64(want[160+16*i:], uint64(i)+100)
		le.LittleEndian.PutUint64(want[168+16*i:], uint64(i)+200)
	}
	p.SetReg32(cpu.EBX, dataAt)
	for _, control := range []uint32{cpu.CR4OSFXSR, 0} {
		if p.CR4 = control; control == 0 { // XMM registers are not saved
			copy(want[160:288], bytes.Repeat([]byte{0xcc}, 128))
			if err := p.m.WriteAt(want[160:288], dataAt+160); err != nil {
				t.Fatal(err)
			}
		}
		p.must(codeFXSAVE...)
		var got [512]byte
		if err := p.m.ReadAt(got[:], dataAt); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("CR4 %#x: byte %d = %#x, want %#x", control, i, got[i], want[i])
			}
		}
	}
	if p.FPU != anX87() {
		t.Error("FXSAVE changed the registers")
	}
}

func TestFXRSTORBringsBackWhatFXSAVEWrote(t *testing.T) {
	p := newMachine(t)
	p.FPU, p.MXCSR = anX87(), 0x9fc0
	for i := range p.XMM {
		p.XMM[i] = [2]uint64{uint64(i) + 100, uint64(i) + 200}
	}
	xmm := p.XMM
	p.SetReg32(cpu.EBX, dataAt)
	p.must(codeFXSAVE...)
	p.FPU, p.MXCSR, p.XMM = cpu.FPU{Control: controlNew, Tag: 0xffff}, 0x1f80, [8][2]uint64{}
	p.must(codeFXRSTOR...)
	got := p.FPU
	got.Tag = p.tags()
	p.FPU = anX87()
	want := p.FPU
	want.Tag = p.tags()
	if got != want || p.MXCSR != 0x9fc0 || p.XMM != xmm {
		t.Errorf("FXRSTOR brings\n%x %#x %x, want\n%x", got, p.MXCSR, p.XMM, want)
	}
}

func TestFXRSTORRefusesReservedBitsOfMXCSR(t *testing.T) {
	p := newMachine(t)
	p.SetReg32(cpu.EBX, dataAt)
	p.must(codeFXSAVE...)
	p.m.Write(dataAt+24, 4, 0x10000)
	before := p.FPU
	p.m.Write(dataAt, 2, 0)
	p.faults(cpu.VecGP, codeFXRSTOR...)
	if p.FPU != before {
		t.Error("the registers changed")
	}
	p.CR4 &^= cpu.CR4OSFXSR
	p.must(codeFXRSTOR...) // MXCSR is not loaded
}

func TestFXSAVEIsAlignedTo16(t *testing.T) {
	p := newMachine(t)
	for _, code := range [][]byte{codeFXSAVE, codeFXRSTOR} {
		p.SetReg32(cpu.EBX, dataAt+8)
		p.faults(cpu.VecGP, code...)
	}
}

// waits are instructions that report an earlier error, others do not.
func TestWaitingInstructionsReportTheErrorAndOthersDoNot(t *testing.T) {
	for _, c := range []struct {
		name  string
		waits bool
		code  []byte
	}{
		{"FNSTSW AX", false, []byte{0xdf, 0xe0}}, {"FNSTSW m16", false, []byte{0xdd, 0x3b}}, {"FNSTCW", false, []byte{0xd9, 0x3b}},
		{"FNSTENV", false, codeFNSTENV}, {"FNSAVE", false, codeFNSAVE}, {"FNINIT", false, []byte{0xdb, 0xe3}}, {"FNCLEX", false, []byte{0xdb, 0xe2}},
		{"FXSAVE", false, codeFXSAVE}, {"FXRSTOR", false, codeFXRSTOR}, {"FNENI", false, []byte{0xdb, 0xe0}}, {"MOVAPS", false, []byte{0x0f, 0x28, 0xc1}},
		{"FWAIT", true, codeFWAIT}, {"FLDCW", true, []byte{0xd9, 0x2b}}, {"FLDENV", true, codeFLDENV}, {"FRSTOR", true, codeFRSTOR},
		{"FNOP", true, []byte{0xd9, 0xd0}}, {"FXCH", true, []byte{0xd9, 0xc9}}, {"FINCSTP", true, fincstp}, {"FFREE", true, []byte{0xdd, 0xc0}},
		{"FXAM", true, []byte{0xd9, 0xe5}}, {"FCMOVB", true, []byte{0xda, 0xc1}}, {"FADD", true, []byte{0xd8, 0xc1}}, {"FLD m64", true, fld64},
		{"EMMS", true, []byte{0x0f, 0x77}}, {"PADDB", true, []byte{0x0f, 0xfc, 0xc1}}, {"CVTPI2PS", true, []byte{0x0f, 0x2a, 0xc1}},
	} {
		p := newX87(t, 1)
		p.must(codeFXSAVE...)
		p.FPU.Control, p.FPU.Status = 0x37b, statusZE|statusES|statusBusy
		want := noVector
		if c.waits {
			want = cpu.VecMF
		}
		if got := p.run(c.code...); got != want {
			t.Errorf("%s: exception %d, want %d", c.name, got, want)
		}
	}
}

func TestWAITTrapsForTSOnlyTogetherWithMP(t *testing.T) {
	for _, c := range []struct {
		cr0       uint32
		wait, fld int
	}{
		{0, noVector, noVector}, {cpu.CR0MP, noVector, noVector}, {cpu.CR0TS, noVector, cpu.VecNM}, {cpu.CR0EM, noVector, cpu.VecNM},
		{cpu.CR0MP | cpu.CR0TS, cpu.VecNM, cpu.VecNM}, {cpu.CR0MP | cpu.CR0EM, noVector, cpu.VecNM},
		{cpu.CR0EM | cpu.CR0TS, noVector, cpu.VecNM},
	} {
		p := newX87(t, 1)
		p.CR0 |= c.cr0
		if got := p.run(codeFWAIT...); got != c.wait {
			t.Errorf("CR0 %#x: WAIT raises %d, want %d", c.cr0, got, c.wait)
		}
		if got := p.run(fldOne...); got != c.fld {
			t.Errorf("CR0 %#x: FLD1 raises %d, want %d", c.cr0, got, c.fld)
		}
		p.FPU.Status |= statusES // #NM comes before #MF
		if got := p.run(fldOne...); c.fld == cpu.VecNM && got != cpu.VecNM {
			t.Errorf("CR0 %#x: FLD1 raises %d with an error pending", c.cr0, got)
		}
	}
}
