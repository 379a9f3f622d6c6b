package interp

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

var long = flag.Int("long", 1, "multiply the number of random states by `n`")

// x87Tests are those that say nothing of one unit alone.
var x87Tests = map[string]func(*testing.T){
	"load and store": TestFLDPushesAndFSTPPops, "subtraction": TestX87SubtractionFormsDifferInOrder,
	"overflow of the stack": TestLoadIntoAFullStackIsAnOverflowWithC1, "underflow": TestUseOfAnEmptyRegisterIsAnUnderflowWithoutC1,
	"zero divide": TestUnmaskedZeroDivideLeavesTheOperands, "adjusted exponent": TestUnmaskedOverflowDeliversTheResultWithItsExponentLess24576,
	"unmasked store": TestUnmaskedExceptionOfAStoreStoresNothing, "precision": TestPrecisionControlRoundsTheSignificand,
	"comparisons": TestComparisonsSetTheConditionCodes, "short reals": TestLoadingShortRealsRaisesInvalidAndDenormal,
	"decimals": TestBCDGoesThereAndBack, "out of range": TestFSINOutOfRangeSetsC2AndLeavesTheOperand,
	"FSINCOS": TestFSINCOSPushesTheCosine, "FISTTP": TestFISTTPTruncatesWhateverTheRoundingMode,
	"any state": TestNoX87StateStopsTheHost,
}

func TestX87OnThePureUnit(t *testing.T) {
	pureMachines = true
	defer func() { pureMachines = false }()
	for name, test := range x87Tests {
		t.Run(name, test)
	}
}

// random80 draws from all encodings, the special ones often.
func random80(r *rand.Rand) cpu.Float80 {
	x := cpu.Float80{Significand: r.Uint64(), SignExponent: uint16(r.Uint32())}
	switch r.IntN(4) {
	case 0:
		x.Significand = []uint64{0, 1, 1 << 62, 1 << 63, 3 << 62, 1<<63 | 1, ^uint64(0)}[r.IntN(7)]
	case 1:
		x.Significand |= 1 << 63
		x.Significand &= ^uint64(0) << r.IntN(64)
	}
	if exponents := []uint16{0, 1, 0x3c00, 0x3fbf, 0x3ffe, 0x3fff, 0x4000, 0x400e, 0x401e, 0x403e, 0x7ffe, 0x7fff}; r.IntN(4) != 0 {
		x.SignExponent = x.SignExponent&signBit | exponents[r.IntN(len(exponents))]
	}
	return x
}

// randomize gives p any x87 state without an error pending, and operands.
func (p *machine) randomize(r *rand.Rand) {
	f := &p.FPU
	*f = cpu.FPU{Control: 0x7f | uint16(r.UintN(16))<<8, Status: uint16(r.UintN(0x10000)) &^ (statusES | statusBusy)}
	if r.IntN(2) == 0 {
		f.Control &^= uint16(r.UintN(64))
	}
	f.Status &^= statusExceptions &^ f.Control
	if r.IntN(4) == 0 {
		f.Tag = uint16(r.UintN(0x10000))
	}
	for i := range f.ST {
		f.ST[i] = random80(r)
		if f.Tag>>(2*i)&3 != tagEmpty {
			f.Tag &^= 3 << (2 * i)
		}
	}
	for i := range mem.Addr(16) {
		p.m.Write64(dataAt+8*i, r.Uint64())
	}
	m := random80(r)
	switch r.IntN(3) {
	case 0:
		p.m.Write64(dataAt, m.Significand)
		p.m.Write(dataAt+8, 2, uint32(m.SignExponent))
	case 1:
		p.m.Write(dataAt, 4, uint32(r.UintN(1<<23))>>r.IntN(24)|[]uint32{0, 1, 127, 254, 255}[r.IntN(5)]<<23)
	case 2:
		p.m.Write64(dataAt, r.Uint64N(1<<52)>>r.IntN(53)|[]uint64{0, 1, 1023, 2046, 2047}[r.IntN(5)]<<52)
	}
	p.EFLAGS = uint32(r.UintN(0x1000)) & cpu.FlagsStatus
	p.SetReg32(cpu.EBX, dataAt)
	p.SetReg32(cpu.EAX, 0)
}

// lastBit reports whether D8+op, modrm is a transcendental operation, of which
// processors give a last bit, and flags that depend on it, of their own.
func lastBit(op, modrm byte) bool {
	return op == 1 && (modrm >= 0xf0 && modrm <= 0xf3 || modrm == 0xf9 || modrm == 0xfb || modrm >= 0xfe)
}

// Every x87 opcode on the same states gives the same on both units: registers,
// tags, status, pointers, flags and memory.
func TestBothX87UnitsAgree(t *testing.T) {
	native := newMachine(t)
	pureMachines = true
	pure := newMachine(t)
	pureMachines = false
	rounds, bad := 40**long, 0
	for round := range rounds {
		for op := range byte(8) {
			for modrm := 0; modrm < 256; modrm++ {
				code := []byte{0xd8 + op, byte(modrm)}
				if modrm < 0xc0 {
					code[1] = code[1]&0x38 | 3 // [EBX]
				}
				seed := uint64(round)<<16 | uint64(op)<<8 | uint64(modrm)
				var vector [2]int
				for i, p := range []*machine{native, pure} {
					p.randomize(rand.New(rand.NewPCG(seed, 1)))
					if lastBit(op, byte(modrm)) {
						p.FPU.Control |= statusUE | 1<<5
					}
					if x := &p.stackTop().SignExponent; op == 1 && modrm == 0xf9 && *x&0x7fff >= 0x3ffd && *x&0x7fff < 0x7fff {
						*x = *x&signBit | 0x3ffc // elsewhere the result of FYL2XP1 is undefined
					}
					vector[i] = p.run(code...)
				}
				if !same(native, pure, lastBit(op, byte(modrm))) || vector[0] != vector[1] {
					if bad++; bad <= 10 {
						native.randomize(rand.New(rand.NewPCG(seed, 1)))
						t.Errorf("% x of %x\n native and pure differ\n %x %d\n %x %d", code, native.FPU, native.last(code), vector[0], pure.FPU, vector[1])
					}
				}
			}
		}
	}
}

// last runs code again and returns the FPU.
func (p *machine) last(code []byte) cpu.FPU {
	p.run(code...)
	return p.FPU
}

// same compares all that an x87 instruction may change.
func same(p, q *machine, lastBit bool) bool {
	for i := range mem.Addr(16) {
		if p.m.Read64(dataAt+8*i) != q.m.Read64(dataAt+8*i) {
			return false
		}
	}
	a, b := p.FPU, q.FPU
	if lastBit {
		const loose = statusC1 | statusUE | 1<<5
		a.Status, b.Status = a.Status&^loose, b.Status&^loose
		for i := range a.ST {
			if x := a.ST[i].Significand - b.ST[i].Significand + 1; x <= 2 {
				a.ST[i] = b.ST[i]
			}
		}
	}
	return a == b && p.EFLAGS == q.EFLAGS && p.GPR == q.GPR && p.EIP == q.EIP
}
