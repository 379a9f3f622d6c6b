package interp

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/simd"
)

const mxcsrNew = 0x1f80

func newSIMD(t *testing.T) *machine {
	p := newMachine(t)
	p.SetReg32(cpu.EBX, dataAt)
	p.MXCSR = mxcsrNew
	return p
}

func TestScalarArithmeticIsThatOfIEEE754(t *testing.T) {
	p := newSIMD(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		op   byte
		want func(a, b float64) float64
	}{
		{0x58, func(a, b float64) float64 { return a + b }},
		{0x59, func(a, b float64) float64 { return a * b }},
		{0x5c, func(a, b float64) float64 { return a - b }},
		{0x5e, func(a, b float64) float64 { return a / b }},
		{0x51, func(_, b float64) float64 { return math.Sqrt(b) }},
	} {
		for range 200 {
			a, b := math.Float64frombits(r.Uint64()), math.Abs(math.Float64frombits(r.Uint64()))
			want := c.want(a, b)
			if want != want {
				continue
			}
			p.XMM[1], p.XMM[2] = vector{math.Float64bits(a), 7}, vector{math.Float64bits(b), 9}
			p.must(0xf2, 0x0f, c.op, 0xca) // op XMM1, XMM2
			if p.XMM[1] != (vector{math.Float64bits(want), 7}) {
				t.Errorf("F2 0F %X of %v and %v = %x, want %v and the high half left alone", c.op, a, b, p.XMM[1], want)
			}
			x, y := float32(a), float32(b)
			if c.op == 0x51 || float32(c.want(float64(x), float64(y))) != float32(c.want(float64(x), float64(y))) {
				continue
			}
			p.XMM[1], p.XMM[2] = vector{uint64(math.Float32bits(x)) | 5<<32}, vector{uint64(math.Float32bits(y))}
			p.must(0xf3, 0x0f, c.op, 0xca)
			// The product of two singles is exact in double precision, and a sum
			// or quotient rounded twice is what it is rounded once.
			if w := math.Float32bits(float32(c.want(float64(x), float64(y)))); p.XMM[1] != (vector{uint64(w) | 5<<32}) {
				t.Errorf("F3 0F %X of %v and %v = %x, want %x", c.op, x, y, p.XMM[1], w)
			}
		}
	}
}

func TestAMemoryOperandOfSixteenBytesIsAligned(t *testing.T) {
	for _, c := range []struct {
		name   string
		vector int
		code   []byte
	}{
		{"ADDPS", cpu.VecGP, []byte{0x0f, 0x58, 0x4b, 8}},
		{"PADDB", cpu.VecGP, []byte{0x66, 0x0f, 0xfc, 0x4b, 8}},
		{"MOVAPS load", cpu.VecGP, []byte{0x0f, 0x28, 0x4b, 8}},
		{"MOVAPS store", cpu.VecGP, []byte{0x0f, 0x29, 0x4b, 8}},
		{"MOVNTDQ", cpu.VecGP, []byte{0x66, 0x0f, 0xe7, 0x4b, 8}},
		{"MOVUPS", noVector, []byte{0x0f, 0x10, 0x4b, 8}},
		{"MOVDQU store", noVector, []byte{0xf3, 0x0f, 0x7f, 0x4b, 1}},
		{"LDDQU", noVector, []byte{0xf2, 0x0f, 0xf0, 0x4b, 3}},
		{"ADDSD", noVector, []byte{0xf2, 0x0f, 0x58, 0x4b, 1}},
		{"PCMPISTRI", noVector, []byte{0x66, 0x0f, 0x3a, 0x63, 0x4b, 1, 0}},
		{"ADDPS aligned", noVector, []byte{0x0f, 0x58, 0x4b, 16}},
	} {
		p := newSIMD(t)
		if v := p.run(c.code...); v != c.vector {
			t.Errorf("%s: exception %d, want %d", c.name, v, c.vector)
		}
	}
}

func TestAnUnmaskedSIMDExceptionIsXMAndWritesNothing(t *testing.T) {
	divide := []byte{0xf2, 0x0f, 0x5e, 0xca} // DIVSD XMM1, XMM2
	p := newSIMD(t)
	p.XMM[1], p.XMM[2] = vector{math.Float64bits(1)}, vector{}
	p.MXCSR &^= simd.ZE << simd.Masks
	p.faults(cpu.VecXM, divide...)
	if p.XMM[1][0] != math.Float64bits(1) || p.MXCSR&simd.Flags != simd.ZE {
		t.Errorf("XMM1 = %x MXCSR = %#x", p.XMM[1], p.MXCSR)
	}
	p.CR4 &^= cpu.CR4OSXMMEXCPT
	p.faults(cpu.VecUD, divide...)
	p.MXCSR = mxcsrNew
	p.must(divide...)
	if p.XMM[1][0] != math.Float64bits(math.Inf(1)) || p.MXCSR != mxcsrNew|simd.ZE {
		t.Errorf("masked: XMM1 = %x MXCSR = %#x", p.XMM[1], p.MXCSR)
	}
}

func TestSIMDNeedsTheOperatingSystem(t *testing.T) {
	paddb, addps := []byte{0x0f, 0xfc, 0xca}, []byte{0x0f, 0x58, 0xca}
	p := newSIMD(t)
	p.CR0 |= cpu.CR0TS
	p.faults(cpu.VecNM, paddb...)
	p.faults(cpu.VecNM, addps...)
	p.CR0 |= cpu.CR0EM
	p.faults(cpu.VecUD, paddb...)
	p.faults(cpu.VecUD, addps...)
	p.faults(cpu.VecUD, 0x0f, 0x77) // EMMS
	p.CR0 &^= cpu.CR0EM | cpu.CR0TS
	p.CR4 = 0
	p.faults(cpu.VecUD, addps...)
	p.must(paddb...)
	p.FPU.Status |= statusES
	p.faults(cpu.VecMF, paddb...)
}

func TestMMXInstructionsMakeAllTagsValidAndTOPZero(t *testing.T) {
	p := newSIMD(t)
	p.must(0xd9, 0xe8) // FLD1
	p.m.Write64(dataAt, 0x0102030405060708)
	p.must(0x0f, 0x6f, 0x13, 0x0f, 0xfc, 0xd2) // MOVQ MM2, [EBX]; PADDB MM2, MM2
	if got := p.FPU.ST[2]; got != (cpu.Float80{Significand: 0x020406080a0c0e10, SignExponent: 0xffff}) {
		t.Errorf("MM2 = %x", got)
	}
	p.statusIs(statusTop, 0)
	if p.FPU.Tag != 0 {
		t.Errorf("tags %#x, want all valid", p.FPU.Tag)
	}
	p.must(0x0f, 0x77)
	if p.FPU.Tag != 0xffff {
		t.Errorf("tags %#x after EMMS", p.FPU.Tag)
	}
}

func TestMovesOfScalarsMergeBetweenRegistersAndZeroFromMemory(t *testing.T) {
	p := newSIMD(t)
	ones := vector{^uint64(0), ^uint64(0)}
	p.XMM[1], p.XMM[2] = ones, vector{0x1111111122222222, 3}
	p.must(0xf3, 0x0f, 0x10, 0xca) // MOVSS XMM1, XMM2
	if p.XMM[1] != (vector{0xffffffff22222222, ^uint64(0)}) {
		t.Errorf("MOVSS between registers leaves %x", p.XMM[1])
	}
	p.m.Write64(dataAt, 0x5555555566666666)
	p.must(0xf3, 0x0f, 0x10, 0x0b)
	if p.XMM[1] != (vector{0x66666666}) {
		t.Errorf("MOVSS from memory leaves %x", p.XMM[1])
	}
	p.XMM[1] = ones
	p.must(0x0f, 0x12, 0x0b, 0x0f, 0x17, 0x53, 8) // MOVLPS XMM1, [EBX]; MOVHPS [EBX+8], XMM2
	if p.XMM[1] != (vector{0x5555555566666666, ^uint64(0)}) || p.m.Read64(dataAt+8) != 3 {
		t.Errorf("MOVLPS leaves %x, MOVHPS stores %#x", p.XMM[1], p.m.Read64(dataAt+8))
	}
	p.must(0x0f, 0x16, 0xca, 0x0f, 0x12, 0xd1) // MOVLHPS XMM1, XMM2; MOVHLPS XMM2, XMM1
	if p.XMM[1][1] != 0x1111111122222222 || p.XMM[2] != (vector{0x1111111122222222, 3}) {
		t.Errorf("MOVLHPS leaves %x, MOVHLPS %x", p.XMM[1], p.XMM[2])
	}
}

func TestMaskedStoreWritesTheNegativeBytes(t *testing.T) {
	p := newSIMD(t)
	p.SetReg32(cpu.EDI, dataAt+1)
	p.m.Write64(dataAt, 0x1111111111111111)
	p.XMM[1], p.XMM[2] = vector{0x0807060504030201}, vector{0x80007f00ff000080}
	p.must(0x66, 0x0f, 0xf7, 0xca)
	if got, next := p.m.Read64(dataAt), p.m.Read(dataAt+8, 1); got != 0x1111110411110111 || next != 8 {
		t.Errorf("memory %#x, then %#x", got, next)
	}
}

func TestConversionsBetweenMMXAndXMM(t *testing.T) {
	p := newSIMD(t)
	p.XMM[1] = vector{0, 7}
	p.m.Write64(dataAt, 0xffffffff00000003)
	p.must(0x0f, 0x2a, 0x0b) // CVTPI2PS XMM1, [EBX]: 3, -1
	if p.XMM[1] != (vector{0xbf80000040400000, 7}) {
		t.Errorf("CVTPI2PS = %x", p.XMM[1])
	}
	p.must(0x0f, 0x2d, 0xd1, 0xf3, 0x0f, 0xd6, 0xda) // CVTPS2PI MM2, XMM1; MOVQ2DQ XMM3, MM2
	if p.XMM[3] != (vector{0xffffffff00000003}) {
		t.Errorf("CVTPS2PI = %x", p.XMM[3])
	}
	p.must(0x66, 0x0f, 0x2a, 0xca, 0x66, 0x0f, 0x2c, 0xd9) // CVTPI2PD XMM1, MM2; CVTTPD2PI MM3, XMM1
	if p.XMM[1] != (vector{math.Float64bits(3), math.Float64bits(-1)}) || p.FPU.ST[3].Significand != 0xffffffff00000003 {
		t.Errorf("CVTPI2PD = %x, CVTTPD2PI = %x", p.XMM[1], p.FPU.ST[3].Significand)
	}
}

func TestUnitsDoNotAllocate(t *testing.T) {
	p := newSIMD(t)
	p.m.Write64(dataAt, math.Float64bits(2))
	code := join(fld64, []byte{0xdc, 0x03, 0xdc, 0x13, 0xd9, 0xfa}, fstp64, []byte{
		0xf2, 0x0f, 0x58, 0x0b, 0x66, 0x0f, 0xfc, 0xca, 0x66, 0x0f, 0x2e, 0xca, 0x0f, 0xc6, 0xca, 0x1b})
	p.must(code...)
	if n := testing.AllocsPerRun(20, func() { p.EIP, p.Halted = codeAt, false; p.Run(1000) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

// quadwords reads a register as testdata writes it.
func quadwords(s string) (v vector, err error) {
	if v[1], err = strconv.ParseUint(s[:16], 16, 64); err == nil {
		v[0], err = strconv.ParseUint(s[16:], 16, 64)
	}
	return v, err
}

func TestVectorsOfAProcessor(t *testing.T) {
	b, err := os.ReadFile("testdata/simd.txt")
	if err != nil {
		t.Fatal(err)
	}
	p := newSIMD(t)
	for line := range strings.Lines(string(b)) {
		if line[0] == '#' {
			continue
		}
		var hexCode string
		var before, after [3]string
		var eax, edx, ecx, flags uint32
		if _, err := fmt.Sscanf(line, "%s %s %s %s %x %x %s %s %x %x", &hexCode, &before[0], &before[1], &before[2],
			&eax, &edx, &after[0], &after[1], &ecx, &flags); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		code, err := hex.DecodeString(hexCode)
		if err != nil {
			t.Fatal(err)
		}
		var want [2]vector
		for i := range p.XMM[:3] {
			if p.XMM[i], err = quadwords(before[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range want {
			if want[i], err = quadwords(after[i]); err != nil {
				t.Fatal(err)
			}
		}
		p.SetReg32(cpu.EAX, eax)
		p.SetReg32(cpu.EDX, edx)
		p.SetReg32(cpu.ECX, 0)
		p.EFLAGS = cpu.FlagOne
		p.must(code...)
		if got := p.Reg32(cpu.ECX); p.XMM[0] != want[0] || p.XMM[1] != want[1] || got != ecx || p.EFLAGS&cpu.FlagsStatus != flags {
			t.Errorf("%sgot  %x %x ecx %x flags %x", line, p.XMM[0], p.XMM[1], got, p.EFLAGS&cpu.FlagsStatus)
		}
	}
}
