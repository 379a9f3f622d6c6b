package interp

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu"
)

// Instructions of the tests; the memory operand is at EBX.
var (
	fld64   = []byte{0xdd, 0x03}
	fld32   = []byte{0xd9, 0x03}
	fld80   = []byte{0xdb, 0x2b}
	fstp64  = []byte{0xdd, 0x1b}
	fldOne  = []byte{0xd9, 0xe8}
	fldNull = []byte{0xd9, 0xee}
	fldPi   = []byte{0xd9, 0xeb}
	fincstp = []byte{0xd9, 0xf7}
)

func join(parts ...[]byte) (code []byte) {
	for _, p := range parts {
		code = append(code, p...)
	}
	return code
}

// newX87 is a machine with x at EBX.
func newX87(t *testing.T, x float64) *machine {
	p := newMachine(t)
	p.SetReg32(cpu.EBX, dataAt)
	p.m.Write64(dataAt, math.Float64bits(x))
	return p
}

func (p *machine) top64() float64 {
	p.t.Helper()
	p.SetReg32(cpu.EBX, dataAt)
	p.must(0xdd, 0x13) // FST m64
	return math.Float64frombits(p.m.Read64(dataAt))
}

func (p *machine) statusIs(mask, want uint16) {
	p.t.Helper()
	if got := p.FPU.Status & mask; got != want {
		p.t.Errorf("status %#x within %#x, want %#x", got, mask, want)
	}
}

func TestFLDPushesAndFSTPPops(t *testing.T) {
	p := newX87(t, -1.5)
	p.must(join(fld64, fldOne)...)
	p.statusIs(statusTop, 6<<topShift)
	if p.FPU.Tag != 0x0fff {
		t.Errorf("tags %#x after two loads, want 0xfff", p.FPU.Tag)
	}
	p.must(0xde, 0xc1) // FADDP
	if got := p.top64(); got != -0.5 {
		t.Errorf("-1.5 + 1 = %v", got)
	}
	p.must(fstp64...)
	if p.FPU.Tag != 0xffff {
		t.Errorf("tags %#x when empty again", p.FPU.Tag)
	}
}

func TestX87SubtractionFormsDifferInOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want float64 // of ST(0) = 8, ST(1) = 2, memory = 4
	}{
		{"FSUB ST0, ST1", []byte{0xd8, 0xe1}, 6}, {"FSUBR ST0, ST1", []byte{0xd8, 0xe9}, -6},
		{"FSUBP ST1, ST0", []byte{0xde, 0xe9}, -6}, {"FSUBRP ST1, ST0", []byte{0xde, 0xe1}, 6},
		{"FDIVP ST1, ST0", []byte{0xde, 0xf9}, 0.25}, {"FDIVRP ST1, ST0", []byte{0xde, 0xf1}, 4},
		{"FDIV m64", []byte{0xdc, 0x33}, 2}, {"FDIVR m64", []byte{0xdc, 0x3b}, 0.5},
		{"FISUB m32", []byte{0xda, 0x63, 0x10}, 5}, {"FISUBR m32", []byte{0xda, 0x6b, 0x10}, -5},
		{"FIMUL m16", []byte{0xde, 0x4b, 0x10}, 24},
		{"FSCALE", []byte{0xd9, 0xfd}, 32}, {"FPREM", []byte{0xd9, 0xf8}, 0},
		{"FYL2X", []byte{0xd9, 0xf1}, 6}, {"FCHS", []byte{0xd9, 0xe0}, -8},
	} {
		p := newX87(t, 2)
		p.m.Write64(dataAt+8, math.Float64bits(8))
		p.m.Write64(dataAt+16, 3)
		p.must(join(fld64, []byte{0xdd, 0x43, 8})...)
		p.m.Write64(dataAt, math.Float64bits(4))
		p.must(c.code...)
		if got := p.top64(); got != c.want {
			t.Errorf("%s = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLoadIntoAFullStackIsAnOverflowWithC1(t *testing.T) {
	p := newX87(t, 1)
	for range 8 {
		p.must(fldOne...)
	}
	p.must(fldNull...)
	p.statusIs(statusIE|statusSF|statusC1|statusES, statusIE|statusSF|statusC1)
	if r := *p.stackTop(); r != indefinite {
		t.Errorf("ST0 = %x, want the indefinite", r)
	}
	p.statusIs(statusTop, 7<<topShift)
}

func TestUseOfAnEmptyRegisterIsAnUnderflowWithoutC1(t *testing.T) {
	p := newX87(t, 1)
	p.FPU.Status = statusC1
	p.must(0xd9, 0xfa) // FSQRT
	p.statusIs(statusIE|statusSF|statusC1|statusES, statusIE|statusSF)
	if r := *p.stackTop(); r != indefinite || p.empty(0) {
		t.Errorf("ST0 = %x, want the indefinite", r)
	}
	p = newX87(t, 1)
	p.must(0xdf, 0x3b) // FISTP m64
	if got := p.m.Read64(dataAt); got != 1<<63 {
		t.Errorf("an empty register stores integer %#x", got)
	}
	p.statusIs(statusTop, 1<<topShift)
}

func TestUnmaskedStackFaultChangesNothingAndTheNextInstructionReportsIt(t *testing.T) {
	p := newX87(t, 1)
	p.FPU.Control &^= statusIE
	p.must(0xde, 0xc1) // FADDP: no exception yet
	p.statusIs(statusIE|statusSF|statusES|statusBusy|statusTop, statusIE|statusSF|statusES|statusBusy)
	if p.FPU.Tag != 0xffff {
		t.Errorf("tags %#x, want all empty", p.FPU.Tag)
	}
	p.faults(cpu.VecMF, fldOne...)
	p.faults(cpu.VecMF, 0x9b)
	p.must(0xdb, 0xe2) // FNCLEX
	p.must(fldOne...)
}

func TestUnmaskedZeroDivideLeavesTheOperands(t *testing.T) {
	p := newX87(t, 3)
	p.FPU.Control &^= statusZE
	p.must(join(fld64, fldNull, []byte{0xd8, 0xf9})...) // FDIVR ST0, ST1 = 3/0
	p.statusIs(statusZE|statusES, statusZE|statusES)
	if *p.stackTop() != x87Zero {
		t.Errorf("ST0 = %x, want 0", *p.stackTop())
	}
}

func TestUnmaskedOverflowDeliversTheResultWithItsExponentLess24576(t *testing.T) {
	p := newX87(t, 0)
	p.FPU.Control &^= statusOE
	p.FPU.ST[0] = cpu.Float80{Significand: 1 << 63, SignExponent: 0x7ffe}
	p.FPU.Tag = 0xfffc
	p.must(0xd8, 0xc8) // FMUL ST0, ST0
	p.statusIs(statusOE|statusES, statusOE|statusES)
	if got, want := p.FPU.ST[0].SignExponent, uint16(2*0x7ffe-0x3fff-24576); got != want {
		t.Errorf("exponent %#x, want %#x", got, want)
	}
}

func TestUnmaskedExceptionOfAStoreStoresNothing(t *testing.T) {
	p := newX87(t, 7)
	p.FPU.Control &^= statusOE
	p.FPU.ST[0] = cpu.Float80{Significand: 1 << 63, SignExponent: 0x7000}
	p.FPU.Tag = 0xfffc
	p.must(fstp64...)
	p.statusIs(statusOE|statusES|statusTop, statusOE|statusES)
	if got := math.Float64frombits(p.m.Read64(dataAt)); got != 7 {
		t.Errorf("memory has become %v", got)
	}
}

func TestPrecisionControlRoundsTheSignificand(t *testing.T) {
	for control, want := range map[uint16]uint64{0x37f: 0xaaaaaaaaaaaaaaab, 0x27f: 0xaaaaaaaaaaaaa800, 0x07f: 0xaaaaab0000000000} {
		p := newX87(t, 3)
		p.FPU.Control = control
		p.must(join(fldOne, []byte{0xdc, 0x33})...) // FDIV m64
		if got := p.stackTop().Significand; got != want {
			t.Errorf("control %#x: 1/3 has significand %#x, want %#x", control, got, want)
		}
		p.statusIs(1<<5, 1<<5)
	}
}

func TestComparisonsSetTheConditionCodes(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		x      float64 // against ST(0) = 1
		codes  uint16
		eflags uint32
	}{
		{"ST0 > source", 0, 0, 0},
		{"ST0 < source", 2, statusC0, cpu.FlagCF},
		{"equal", 1, statusC3, cpu.FlagZF},
		{"unordered", nan, statusC3 | statusC2 | statusC0, cpu.FlagZF | cpu.FlagPF | cpu.FlagCF},
	} {
		p := newX87(t, c.x)
		p.must(join(fld64, fldOne, []byte{0xdd, 0xe1})...) // FUCOM
		p.statusIs(statusCodes|statusIE, c.codes)
		p.EFLAGS |= cpu.FlagsStatus
		p.must(0xdb, 0xe9) // FUCOMI
		p.flagsAre(cpu.FlagsStatus, c.eflags)
		p.statusIs(statusIE, 0)
		p.must(0xd8, 0xd1) // FCOM: any NaN is invalid
		invalid := uint16(0)
		if c.x != c.x {
			invalid = statusIE
		}
		p.statusIs(statusCodes|statusIE, c.codes|invalid)
		p.must(0xde, 0xd9) // FCOMPP
		p.statusIs(statusTop, 0)
	}
}

func TestFXAMClassifies(t *testing.T) {
	for _, c := range []struct {
		name string
		r    cpu.Float80
		want uint16
	}{
		{"+unsupported", cpu.Float80{Significand: 1, SignExponent: 0x3fff}, 0},
		{"-NaN", cpu.Float80{Significand: 3 << 62, SignExponent: 0xffff}, statusC0 | statusC1},
		{"+normal", x87One, statusC2},
		{"+infinity", cpu.Float80{Significand: 1 << 63, SignExponent: 0x7fff}, statusC2 | statusC0},
		{"-0", cpu.Float80{SignExponent: 0x8000}, statusC3 | statusC1},
		{"+denormal", cpu.Float80{Significand: 1}, statusC3 | statusC2},
	} {
		p := newX87(t, 0)
		p.FPU.ST[0], p.FPU.Tag = c.r, 0xfffc
		p.must(0xd9, 0xe5)
		p.statusIs(statusCodes, c.want)
	}
	p := newX87(t, 0)
	p.must(0xd9, 0xe5)
	p.statusIs(statusCodes, statusC3|statusC0)
}

func TestLoadingShortRealsRaisesInvalidAndDenormal(t *testing.T) {
	p := newX87(t, 0)
	p.m.Write(dataAt, 4, 0x7f800001)
	p.must(fld32...)
	p.statusIs(statusIE, statusIE)
	if got := *p.stackTop(); got != (cpu.Float80{Significand: 0xc000010000000000, SignExponent: 0x7fff}) {
		t.Errorf("a signaling NaN loads as %x", got)
	}
	p = newX87(t, math.SmallestNonzeroFloat64)
	p.must(fld64...)
	p.statusIs(statusDE|statusIE, statusDE)
	if got := *p.stackTop(); got != (cpu.Float80{Significand: 1 << 63, SignExponent: 0x3fff - 1074}) {
		t.Errorf("2^-1074 loads as %x", got)
	}
	p = newX87(t, math.SmallestNonzeroFloat64)
	p.must(join(fldOne, []byte{0xdc, 0x0b})...) // FMUL m64
	p.statusIs(statusDE|statusIE, statusDE)
	p = newX87(t, 0)
	p.m.Write64(dataAt, 1)
	p.m.Write(dataAt+8, 2, 0x7fff) // no exception even for an unsupported value
	p.must(fld80...)
	p.statusIs(statusExceptions, 0)
}

func TestBCDGoesThereAndBack(t *testing.T) {
	p := newX87(t, 0)
	p.m.Write64(dataAt, 0x0123456789012345)
	p.m.Write(dataAt+8, 2, 0x8098)
	p.must(0xdf, 0x23, 0xdf, 0x73, 0x10) // FBLD; FBSTP [EBX+16]
	if lo, hi := p.m.Read64(dataAt+16), p.m.Read(dataAt+24, 2); lo != 0x0123456789012345 || hi != 0x8098 {
		t.Errorf("FBSTP stored %#x %#x", hi, lo)
	}
	p.must(0xdf, 0x73, 0x10)
	if lo, hi := p.m.Read64(dataAt+16), p.m.Read(dataAt+24, 2); lo != 0xc0<<56 || hi != 0xffff {
		t.Errorf("an empty register stores decimal %#x %#x", hi, lo)
	}
}

func TestFSINOutOfRangeSetsC2AndLeavesTheOperand(t *testing.T) {
	for _, op := range []byte{0xfe, 0xff, 0xf2, 0xfb} { // FSIN, FCOS, FPTAN, FSINCOS
		p := newX87(t, 0x1p63)
		p.must(join(fld64, []byte{0xd9, op})...)
		p.statusIs(statusC2|statusTop, statusC2|7<<topShift)
		if got := p.top64(); got != 0x1p63 {
			t.Errorf("D9 %X: ST0 = %v", op, got)
		}
		p = newX87(t, 1)
		p.FPU.Status = statusC2
		p.must(join(fld64, []byte{0xd9, op})...)
		p.statusIs(statusC2, 0)
	}
}

func TestFSINCOSPushesTheCosine(t *testing.T) {
	p := newX87(t, 1)
	p.must(join(fld64, []byte{0xd9, 0xfb}, fstp64)...)
	if got := math.Float64frombits(p.m.Read64(dataAt)); got != math.Cos(1) {
		t.Errorf("cos 1 = %v", got)
	}
	if got := p.top64(); got != math.Sin(1) {
		t.Errorf("sin 1 = %v", got)
	}
}

func TestFXCHFillsEmptyRegistersWithTheIndefinite(t *testing.T) {
	p := newX87(t, 1)
	p.must(join(fldOne, []byte{0xd9, 0xc9})...)
	p.statusIs(statusIE|statusSF, statusIE|statusSF)
	if *p.stackTop() != indefinite || p.FPU.ST[p.st(1)] != x87One {
		t.Errorf("ST0 = %x ST1 = %x", *p.stackTop(), p.FPU.ST[p.st(1)])
	}
}

func TestFCMOVMovesUnderItsCondition(t *testing.T) {
	p := newX87(t, 5)
	p.must(join(fld64, fldOne, []byte{0xf9, 0xdb, 0xc1})...) // STC; FCMOVNB
	if got := p.top64(); got != 1 {
		t.Errorf("FCMOVNB with CF moved %v", got)
	}
	p.must(0xf9, 0xda, 0xc1) // STC; FCMOVB
	p.SetReg32(cpu.EBX, dataAt)
	if got := p.top64(); got != 5 {
		t.Errorf("FCMOVB with CF left %v", got)
	}
}

func TestTheInstructionAndDataPointersAreOfTheLastNonControlInstruction(t *testing.T) {
	p := newX87(t, 5)
	p.must(join([]byte{0x90}, fld64, []byte{0xd9, 0x7b, 0x10})...) // FNSTCW
	if p.FPU.IP != codeAt+1 || p.FPU.CS != 8 || p.FPU.DP != dataAt || p.FPU.DS != 16 {
		t.Errorf("pointers %x:%x, %x:%x", p.FPU.CS, p.FPU.IP, p.FPU.DS, p.FPU.DP)
	}
	p.must(join(fincstp, fldPi)...)
	if p.FPU.IP != codeAt+2 || p.FPU.DP != dataAt {
		t.Errorf("pointers %x, %x", p.FPU.IP, p.FPU.DP)
	}
}

func TestX87TrapsWithTSOrEM(t *testing.T) {
	for _, bit := range []uint32{cpu.CR0TS, cpu.CR0EM} {
		p := newX87(t, 5)
		p.CR0 |= bit
		p.faults(cpu.VecNM, fldOne...)
		p.faults(cpu.VecNM, 0xde, 0xc1)
		p.faults(cpu.VecNM, codeFXSAVE...)
		p.faults(cpu.VecNM, codeFXRSTOR...)
	}
}

func TestFISTTPTruncatesWhateverTheRoundingMode(t *testing.T) {
	p := newX87(t, -2.75)
	p.must(join(fld64, []byte{0xdb, 0x53, 0x10, 0xdb, 0x4b, 0x14})...) // FIST, FISTTP m32
	if a, b := int32(p.m.Read(dataAt+16, 4)), int32(p.m.Read(dataAt+20, 4)); a != -3 || b != -2 {
		t.Errorf("-2.75 rounds to %d and truncates to %d, want -3 and -2", a, b)
	}
}

// Every x87 instruction on random registers with random masks: the host must
// survive its own exceptions.
func TestNoX87StateStopsTheHost(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	specials := []cpu.Float80{x87Zero, x87One, indefinite, {Significand: 1}, {Significand: 1, SignExponent: 0x3fff},
		{Significand: 1<<63 | 1, SignExponent: 0x7fff}, {Significand: 1 << 63, SignExponent: 0xffff},
		{Significand: ^uint64(0), SignExponent: 0x7ffe}, {Significand: 1 << 63, SignExponent: 1}, {Significand: 1 << 63, SignExponent: 0x403e}}
	p := newX87(t, 0)
	for range 100 {
		for op := byte(0xd8); op <= 0xdf; op++ {
			for m := 0xc0; m <= 0xff; m++ {
				for i := range p.FPU.ST {
					p.FPU.ST[i] = specials[r.IntN(len(specials))]
				}
				p.FPU.Control = 0x40 | uint16(r.UintN(0x1000))&0xf3f
				p.FPU.Status = uint16(r.UintN(8)) << topShift
				//lint:ignore SA4000 two draws, for few bits
				p.FPU.Tag = uint16(r.UintN(0x10000)) & uint16(r.UintN(0x10000))
				p.m.Write64(dataAt, specials[r.IntN(len(specials))].Significand>>r.IntN(12))
				p.SetReg32(cpu.EBX, dataAt)
				p.run(op, byte(m))
				p.run(0xdb, 0xe2, op, byte(m)&0x38|3) // FNCLEX; the same with [EBX]
			}
		}
	}
}
