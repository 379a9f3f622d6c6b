package isa

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// A sample is one encoding, with bytes to spare.
type sample struct {
	code []byte
	mode Mode
}

// structured returns n encodings: random bytes behind prefixes and escapes
// that are likelier than chance.
func structured(n int, seed uint64) []sample {
	rnd := rand.New(rand.NewPCG(seed, 0))
	buf := make([]byte, n*MaxLen)
	samples := make([]sample, n)
	for i := range samples {
		b := buf[i*MaxLen : (i+1)*MaxLen : (i+1)*MaxLen]
		for j := range b {
			b[j] = byte(rnd.Uint32())
		}
		p := 0
		for p < 3 && rnd.IntN(3) == 0 {
			b[p] = []byte{0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x64}[rnd.IntN(6)]
			p++
		}
		switch rnd.IntN(6) {
		case 0, 1:
			b[p] = 0x0f
		case 2:
			b[p], b[p+1] = 0x0f, []byte{0x38, 0x3a}[rnd.IntN(2)]
			// Half of these rows need a prefix that is rare by chance.
			if p == 0 && rnd.IntN(2) == 0 {
				copy(b[1:], b)
				b[0] = 0x66
			}
		case 3:
			b[p], b[p+1] = []byte{0xd8, 0xda, 0xdb, 0xdd}[rnd.IntN(4)]+byte(rnd.IntN(2)), b[p+1]|0xc0
		}
		samples[i] = sample{b, []Mode{Code16, Code32}[i&1]}
	}
	return samples
}

// What x86asm does not decode, and processors do.
var unknownToOracle = map[Op]string{
	SALC:    "undocumented",
	UD0:     "undocumented in 16-bit mode",
	UD1:     "undocumented in 16-bit mode",
	NOP:     "the hint opcodes 0F 18 to 1E",
	FNENI:   "8087 only, ignored since",
	FNDISI:  "8087 only, ignored since",
	FNSETPM: "80287 only, ignored since",
	LFENCE:  "r/m other than 0",
	MFENCE:  "r/m other than 0",
	SFENCE:  "r/m other than 0",
	CLAC:    "since 2014",
	STAC:    "since 2014",
	SHL:     "undocumented /6",
	TEST:    "undocumented /1",
	FCOM:    "undocumented alias",
	FCOMP:   "undocumented alias",
	FXCH:    "undocumented alias",
	FSTP:    "undocumented alias",
}

// refusedByUs reports whether x is an instruction that our processor does not
// have, or one that x86asm accepts against the manual.
func refusedByUs(code []byte, x x86asm.Inst) bool {
	name := x.Op.String()
	for _, family := range []string{"AES", "PCLMUL", "SHA1", "SHA256", "XSAVE", "XRSTOR", "INVPCID", "RDRAND", "RDSEED",
		"RDFSBASE", "SYSCALL", "SYSRET", "SWAPGS", "RDTSCP", "XGETBV", "XSETBV", "XBEGIN", "XEND", "XABORT", "XTEST",
		"CMPXCHG16B", "GETSEC", "ADCX", "ADOX", "V", "K", "RDPID", "GF2P8", "WBNOINVD", "CLWB",
		"MOVNTSS", "MOVNTSD"} {
		if strings.HasPrefix(name, family) && !strings.HasPrefix(name, "VERR") && !strings.HasPrefix(name, "VERW") {
			return true
		}
	}
	for _, p := range x.Prefix {
		if p&0xff == 0xf0 {
			return true // LOCK: x86asm leaves it to the caller
		}
	}
	switch {
	case x.Op == x86asm.MOV:
		return special(x.Args[0]) || special(x.Args[1]) || x.Args[0] == x86asm.CS
	case x.Op == x86asm.MOVHPD || x.Op == x86asm.MOVLPD || x.Op == x86asm.MOVNTPS || x.Op == x86asm.MOVNTPD:
		return true // with a register in place of memory
	}
	return mandatoryNone[x.Op] && slices.ContainsFunc(code[:x.Len], func(b byte) bool {
		return b == 0x66 || b == 0xf2 || b == 0xf3
	})
}

// special reports whether a is a control or test register, of which x86asm
// knows more than there are.
func special(a x86asm.Arg) bool {
	r, ok := a.(x86asm.Reg)
	return ok && (r >= x86asm.CR0 && r <= x86asm.CR15 || r >= x86asm.TR0 && r <= x86asm.TR7)
}

// mandatoryNone are the operations that the manual marks NP, or for which it
// gives all prefixes a meaning; x86asm ignores the prefixes it does not know.
var mandatoryNone = map[x86asm.Op]bool{x86asm.EMMS: true, x86asm.MOVNTI: true, x86asm.MOVBE: true,
	x86asm.RCPPS: true, x86asm.RSQRTPS: true, x86asm.FXSAVE: true, x86asm.FXRSTOR: true, x86asm.LDMXCSR: true,
	x86asm.STMXCSR: true, x86asm.CLFLUSH: true, x86asm.LFENCE: true, x86asm.MFENCE: true, x86asm.SFENCE: true}

// spelled is the operation in x86asm's words.
func spelled(in *Inst) []string {
	name := in.Op.String()
	size := map[uint8]string{1: "B", 2: "W", 4: "D"}[in.OpSize]
	switch in.Op {
	case MOVS, LODS, STOS, SCAS, CMPS, INS, OUTS:
		return []string{name + size}
	case PUSHA, POPA, PUSHF, POPF, IRET:
		return []string{name + map[uint8]string{4: "D"}[in.OpSize]}
	case MOVSREG, MOVCR, MOVDR:
		return []string{"MOV"}
	case CALLF, JMPF, RETF:
		return []string{"L" + strings.TrimSuffix(name, "F")}
	case MOVSD_X, CMPSD:
		return []string{strings.TrimSuffix(name, "_X") + "_XMM"}
	case PEXTRW_M:
		return []string{"PEXTRW"}
	case JCXZ:
		return []string{map[uint8]string{2: "JCXZ", 4: "JECXZ"}[in.AddrSize]}
	case BSF, BSR:
		// F3 makes them TZCNT and LZCNT on processors that know these.
		return []string{name, "TZCNT", "LZCNT"}
	case NOP:
		return []string{"NOP", "PREFETCHW"}
	case INT1:
		return []string{"ICEBP"}
	case INT3:
		return []string{"INT"}
	case XLAT:
		return []string{"XLATB"}
	}
	for _, stem := range []string{"J", "SET", "CMOV"} {
		if cc, ok := conditionInOracle[strings.TrimPrefix(name, stem)]; ok && strings.HasPrefix(name, stem) {
			return []string{stem + cc}
		}
	}
	return []string{name}
}

var conditionInOracle = map[string]string{"NB": "AE", "Z": "E", "NZ": "NE", "NBE": "A", "NL": "GE", "NLE": "G"}

// TestAgreesWithAnIndependentDecoder compares operation, length, width of
// memory and operands with golang.org/x/arch/x86/x86asm.
func TestAgreesWithAnIndependentDecoder(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	compared, wrong := 0, 0
	for _, s := range append(structured(n, 1), everyRow()...) {
		both, why := compare(s)
		if both {
			compared++
		}
		if why == "" {
			continue
		}
		in, _ := Decode(s.code, s.mode)
		x, _ := x86asm.Decode(s.code, int(s.mode))
		t.Errorf("%d: % x: we: %v (%d), x86asm: %v (%d): %s", s.mode, s.code, in.String(), in.Len, x, x.Len, why)
		if wrong++; wrong == 40 {
			t.FailNow()
		}
	}
	if compared < n/2 {
		t.Errorf("only %d of %d were compared", compared, n)
	}
}

// everyRow returns an encoding of every row of every table: each opcode with
// each prefix that selects, each reg field with memory, and each r/m without.
func everyRow() []sample {
	var samples []sample
	for _, prefix := range []string{"", "\x66", "\xf3", "\xf2"} {
		for _, escape := range []string{"", "\x0f", "\x0f\x38", "\x0f\x3a"} {
			for opcode := range 256 {
				for modrm := range 256 {
					if modrm < 0xc0 && modrm&0xc7 != 0 {
						continue
					}
					code := append([]byte(prefix+escape), byte(opcode), byte(modrm), 1, 2, 3, 4, 5, 6, 7, 8, 9)
					samples = append(samples, sample{code, Code16}, sample{code, Code32})
				}
			}
		}
	}
	return samples
}

// compare decodes s twice. It says whether both decoders know the instruction
// and, if they differ without a known reason, in what.
func compare(s sample) (both bool, why string) {
	in, err := Decode(s.code, s.mode)
	x, xerr := x86asm.Decode(s.code, int(s.mode))
	known := xerr == nil && x.Op != 0 // otherwise x is a prefix alone
	switch {
	case err != nil && known:
		if !refusedByUs(s.code, x) {
			why = "we refuse it"
		}
	case err == nil && !known:
		if unknownToOracle[in.Op] == "" && !group82(s.code) {
			why = "x86asm refuses it"
		}
	case err == nil:
		return true, disagreement(&in, &x)
	}
	return false, why
}

// group82 reports whether the opcode is 82, which x86asm does not know.
func group82(code []byte) bool {
	for _, b := range code {
		if oneByte[b].op != prefixByte {
			return b == 0x82
		}
	}
	return false
}

func disagreement(in *Inst, x *x86asm.Inst) string {
	ok := false
	for _, name := range spelled(in) {
		ok = ok || name == x.Op.String()
	}
	if !ok {
		return "operation"
	}
	if in.Op == MOVCR || in.Op == MOVDR {
		if in.Args[0].Kind() == Mem || in.Args[1].Kind() == Mem {
			return "operand"
		}
		return "" // x86asm reads an address when mod is not 3; processors ignore mod
	}
	if int(in.Len) != x.Len {
		return "length"
	}
	if in.Op.Attr()&String != 0 || in.Op == XLAT || in.Op == INT3 {
		return "" // x86asm lists the implicit operands
	}
	if w := widthInOracle(in); w != x.MemBytes {
		return "width"
	}
	return operands(in, x)
}

// widthInOracle is Width but for what x86asm sees otherwise.
func widthInOracle(in *Inst) int {
	switch {
	case in.Op == NOP && in.Args[0] == Mem && in.Reg == 0, in.Op == UD0 && in.Args[1] == Mem, in.Op == UD1 && in.Args[1] == Mem:
		return int(in.OpSize)
	case in.Op == LGDT || in.Op == LIDT || in.Op == SGDT || in.Op == SIDT || in.Width == 10:
		return 0
	}
	return int(in.Width)
}

func operands(in *Inst, x *x86asm.Inst) string {
	var theirs []string
	for _, a := range x.Args {
		if a != nil {
			theirs = append(theirs, operandInOracle(a, in))
		}
	}
	var ours []string
	for _, a := range in.Args {
		switch {
		case a == Far:
			ours = append(ours, fmt.Sprint(in.Imm2), fmt.Sprint(int64(in.Imm)))
		case a != None:
			ours = append(ours, operandOfOurs(a, in))
		}
	}
	switch in.Op {
	case PBLENDVB, BLENDVPS, BLENDVPD:
		ours = append(ours, "XMM0")
	case FCOM, FCOMP, FUCOM, FUCOMP, FXCH:
		if in.Args[0].Kind() == ST {
			ours = ours[1:] // ST(0) is not listed
		}
	case LAR, LSL, MOVSREG:
		// x86asm takes a register source for as wide as the operand size.
		for i := range theirs {
			theirs[i] = strings.TrimPrefix(theirs[i], "E")
			ours[i] = strings.TrimPrefix(ours[i], "E")
		}
	}
	if o, h := strings.Join(ours, ", "), strings.Join(theirs, ", "); o != h {
		return o + " is not " + h
	}
	return ""
}

// operandOfOurs is an operand with numbers cut to the bits that matter.
func operandOfOurs(a Arg, in *Inst) string {
	switch a {
	case Mem:
		scale := uint8(1) << in.Scale
		if in.Index == NoReg {
			scale = 0
		}
		return fmt.Sprint("[", in.Base, in.Index, scale, cut(in.Disp, in.AddrSize), in.Seg, "]")
	case Imm:
		return fmt.Sprint(cut(in.Imm, immediateSize(in)))
	case Imm2:
		return fmt.Sprint(in.Imm2)
	case Rel:
		return fmt.Sprint(int32(in.Imm))
	}
	return in.argument(a)
}

// operandInOracle is the same of x86asm's.
func operandInOracle(a x86asm.Arg, in *Inst) string {
	switch a := a.(type) {
	case x86asm.Mem:
		scale := a.Scale
		if a.Index == 0 {
			scale = 0
		}
		seg := in.Seg
		if a.Segment != 0 {
			seg = Seg(a.Segment - x86asm.ES)
		}
		return fmt.Sprint("[", number(a.Base), number(a.Index), scale, cut(uint32(a.Disp), in.AddrSize), seg, "]")
	case x86asm.Imm:
		return fmt.Sprint(cut(uint32(a), immediateSize(in)))
	case x86asm.Rel:
		return fmt.Sprint(int32(a))
	case x86asm.Reg:
		name := a.String()
		switch {
		case a >= x86asm.M0 && a <= x86asm.M7:
			return "M" + name
		case a >= x86asm.X0 && a <= x86asm.X7:
			return "XMM" + name[1:]
		case a >= x86asm.F0 && a <= x86asm.F7:
			return "ST" + name[1:]
		}
		return name
	}
	return a.String()
}

func number(r x86asm.Reg) uint8 {
	switch {
	case r == 0:
		return NoReg
	case r >= x86asm.EAX && r <= x86asm.EDI:
		return uint8(r - x86asm.EAX)
	}
	return uint8(r - x86asm.AX)
}

func immediateSize(in *Inst) uint8 {
	if in.Op == ENTER || in.Op == RET || in.Op == RETF {
		return 2
	}
	return in.OpSize
}

func cut(v uint32, size uint8) uint32 { return v & (1<<(8*uint64(size)) - 1) }
