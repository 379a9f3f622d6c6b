package fpu

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var (
	long   = flag.Int("long", 1, "multiply the number of random operands by `n`")
	record = flag.Bool("record", false, "write testdata/x87.txt anew")
)

// size is how many random operands an operation gets.
func size() int {
	if testing.Short() {
		return 20_000
	}
	return 200_000 * *long
}

// edges are significands and exponents at which something changes.
var (
	edgeSigs = []uint64{
		0, 1, 2, 3, 1 << 62, 1<<62 | 1, 1<<63 - 1, 1 << 63, 1<<63 | 1, 1<<63 | 1<<10, 1<<63 | 1<<11, 1<<63 | 3<<10, 3 << 62,
		3<<62 | 1, 3<<62 - 1, 1<<63 | 1<<39, 1<<63 | 1<<40, ^uint64(0), ^uint64(0) - 1, 1<<64 - 1<<10, 1<<64 - 1<<11,
		1<<64 - 1<<39, 1<<64 - 1<<40, 0xc90fdaa22168c235,
	}
	edgeExps = []uint16{
		0, 1, 2, 3, 62, 63, 64, 65, 0x3c00, 0x3c01, 0x3bcd, 0x3bcc, 0x3bcb, bias - 127, bias - 126, bias - 149,
		bias - 150, bias - 65, bias - 64, bias - 63, bias - 2, bias - 1, bias, bias + 1, bias + 2, bias + 14, bias + 15, bias + 16,
		bias + 30, bias + 31, bias + 32, bias + 59, bias + 60, bias + 61, bias + 62, bias + 63, bias + 64, bias + 127, bias + 128, bias + 1023,
		bias + 1024, 0x7ffc, 0x7ffd, 0x7ffe, 0x7fff,
	}
)

// operand draws from everything, with much weight on the edges.
func operand(r *rand.Rand) F80 {
	x := F80{r.Uint64(), uint16(r.Uint32())}
	switch r.IntN(8) {
	case 0:
		x.Sig = edgeSigs[r.IntN(len(edgeSigs))]
	case 1:
		x.Sig >>= r.IntN(64)
	case 2:
		x.Sig = ^uint64(0)<<r.IntN(64) ^ 1<<r.IntN(64)
	case 3:
		x.Sig <<= r.IntN(64)
	}
	switch r.IntN(8) {
	case 0, 1:
		x.SE = x.SE&sign | edgeExps[r.IntN(len(edgeExps))]
	case 2, 3, 4:
		x.SE = x.SE&sign | uint16(bias-70+r.IntN(140))
	}
	if x.SE&^sign != 0 && r.IntN(16) != 0 {
		x.Sig |= integer
	}
	return x
}

// operands draws two, now and then close together, and what lies in memory as
// an integer, as decimal digits, or in one of the shorter formats.
func operands(r *rand.Rand) (a, b F80, m [10]byte) {
	le := binary.LittleEndian
	a, b = operand(r), operand(r)
	if r.IntN(8) == 0 {
		b = a
		b.Sig ^= uint64(r.IntN(4))
		b.SE ^= uint16(r.IntN(2)) << 15
	}
	switch r.IntN(4) {
	case 0:
		le.PutUint64(m[:], a.Sig>>r.IntN(64))
	case 1:
		le.PutUint32(m[:], ToFloat32(&Env{Control: 0x37f}, a))
	case 2:
		le.PutUint64(m[:], ToFloat64(&Env{Control: 0x37f}, a))
	case 3:
		for i := range m {
			m[i] = byte(r.IntN(10)<<4 | r.IntN(10))
		}
	}
	return a, b, m
}

// control draws rounding, precision and, one time in four, masks.
func control(r *rand.Rand) uint16 {
	c := uint16(r.IntN(16))<<8 | 0x7f
	if r.IntN(4) == 0 {
		c &^= uint16(r.IntN(64))
	}
	return c
}

// A result is all that an operation leaves. What is undefined is zero.
type result struct {
	r, s   F80
	m      [10]byte
	status uint16
}

func (x result) String() string {
	return fmt.Sprintf("%04x:%016x %04x:%016x %x status %#x", x.r.SE, x.r.Sig, x.s.SE, x.s.Sig, x.m, x.status)
}

// defined is x without what is undefined after an operation of that name.
func (x result) defined(o *x87Op, a, b F80, control uint16) result {
	codes := o.codes
	failed := x.status &^ control & (IE | DE | ZE)
	switch {
	case strings.HasPrefix(o.name, "FPREM"):
		if failed != 0 || x.status&IE != 0 || a.kind() >= infinite || b.kind() >= infinite {
			codes = 0
		}
	case o.name == "FCOM", o.name == "FUCOM":
	case failed != 0 && !o.stores:
		codes = 0
	}
	stopped := failed != 0
	if o.stores {
		stopped = x.status&^control&(IE|OE|UE) != 0
	}
	if stopped {
		x.r, x.s, x.m = F80{}, F80{}, [10]byte{}
	}
	x.status &= codes | exceptions
	return x
}

// An x87Op is an operation of which every bit is laid down.
type x87Op struct {
	name   string
	codes  uint16 // the condition codes that mean something
	stores bool
	run    func(e *Env, a, b F80, m *[10]byte) result
}

func binaryOp(f func(e *Env, a, b F80) F80) func(e *Env, a, b F80, m *[10]byte) result {
	return func(e *Env, a, b F80, _ *[10]byte) result { return result{r: f(e, a, b)} }
}

func unaryOp(f func(e *Env, a F80) F80) func(e *Env, a, b F80, m *[10]byte) result {
	return func(e *Env, a, _ F80, _ *[10]byte) result { return result{r: f(e, a)} }
}

func compareOp(f func(e *Env, a, b F80)) func(e *Env, a, b F80, m *[10]byte) result {
	return func(e *Env, a, b F80, _ *[10]byte) result {
		f(e, a, b)
		return result{}
	}
}

func constantOp(f func(e *Env) F80) func(e *Env, a, b F80, m *[10]byte) result {
	return func(e *Env, _, _ F80, _ *[10]byte) result { return result{r: f(e)} }
}

func loadOp(f func(e *Env, m *[10]byte) F80) func(e *Env, a, b F80, m *[10]byte) result {
	return func(e *Env, _, _ F80, m *[10]byte) result { return result{r: f(e, m)} }
}

func storeOp(f func(m []byte, e *Env, a F80)) func(e *Env, a, b F80, m *[10]byte) result {
	return func(e *Env, a, _ F80, _ *[10]byte) (x result) {
		f(x.m[:], e, a)
		return x
	}
}

var le = binary.LittleEndian

var x87Ops = []x87Op{
	{"FADD", C1, false, binaryOp(Add)}, {"FSUB", C1, false, binaryOp(Sub)}, {"FMUL", C1, false, binaryOp(Mul)},
	{"FDIV", C1, false, binaryOp(Div)}, {"FSCALE", C1, false, binaryOp(Scale)},
	{"FPREM", C0 | C1 | C2 | C3, false, binaryOp(Rem)}, {"FPREM1", C0 | C1 | C2 | C3, false, binaryOp(Rem1)},
	{"FCOM", C0 | C2 | C3, false, compareOp(Compare)}, {"FUCOM", C0 | C2 | C3, false, compareOp(CompareQuiet)},
	{"FSQRT", C1, false, unaryOp(Sqrt)}, {"FRNDINT", C1, false, unaryOp(Round)},
	{"FXAM", C0 | C1 | C2 | C3, false, func(e *Env, a, _ F80, _ *[10]byte) result {
		e.Status |= Examine(a)
		return result{}
	}},
	{"FXTRACT", 0, false, func(e *Env, a, _ F80, _ *[10]byte) (x result) {
		x.r, x.s = Extract(e, a)
		return x
	}},
	{"FLDL2T", 0, false, constantOp(Log2Ten)}, {"FLDL2E", 0, false, constantOp(Log2E)}, {"FLDPI", 0, false, constantOp(Pi)},
	{"FLDLG2", 0, false, constantOp(Log10Two)}, {"FLDLN2", 0, false, constantOp(LnTwo)},
	{"FSTP m32", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint32(m, ToFloat32(e, a)) })},
	{"FSTP m64", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint64(m, ToFloat64(e, a)) })},
	{"FISTP m16", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint16(m, uint16(ToInt16(e, a))) })},
	{"FISTP m32", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint32(m, uint32(ToInt32(e, a))) })},
	{"FISTP m64", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint64(m, uint64(ToInt64(e, a))) })},
	{"FISTTP m16", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint16(m, uint16(TruncateToInt16(e, a))) })},
	{"FISTTP m32", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint32(m, uint32(TruncateToInt32(e, a))) })},
	{"FISTTP m64", C1, true, storeOp(func(m []byte, e *Env, a F80) { le.PutUint64(m, uint64(TruncateToInt64(e, a))) })},
	{"FBSTP", C1, true, storeOp(func(m []byte, e *Env, a F80) {
		v := ToBCD(e, a)
		copy(m, v[:])
	})},
	{"FLD m32", C1, false, loadOp(func(e *Env, m *[10]byte) F80 { return FromFloat32(e, le.Uint32(m[:])) })},
	{"FLD m64", C1, false, loadOp(func(e *Env, m *[10]byte) F80 { return FromFloat64(e, le.Uint64(m[:])) })},
	{"FILD m16", C1, false, loadOp(func(e *Env, m *[10]byte) F80 { return FromInt64(int64(int16(le.Uint16(m[:])))) })},
	{"FILD m32", C1, false, loadOp(func(e *Env, m *[10]byte) F80 { return FromInt64(int64(int32(le.Uint32(m[:])))) })},
	{"FILD m64", C1, false, loadOp(func(e *Env, m *[10]byte) F80 { return FromInt64(int64(le.Uint64(m[:]))) })},
	{"FBLD", C1, false, loadOp(func(e *Env, m *[10]byte) F80 { return FromBCD(m) })},
}

// decimal makes the digits of m valid for the operation that wants them so:
// what others stand for is undefined.
func decimal(o *x87Op, m *[10]byte) {
	if o.name != "FBLD" {
		return
	}
	for i, v := range m {
		m[i] = v>>4%10<<4 | v&15%10
	}
}

// own is what this package makes of an operation.
func (o *x87Op) own(a, b F80, m *[10]byte, control uint16) result {
	e := Env{Control: control}
	x := o.run(&e, a, b, m)
	x.status = e.Status
	return x.defined(o, a, b, control)
}

// recordSize is how many results a digest in testdata/x87.txt is of.
const recordSize = 20_000

// digest sums up n results of f on operands that depend on nothing.
func digest(o *x87Op, n int, f func(a, b F80, m *[10]byte, control uint16) result) uint64 {
	r, h := rand.New(rand.NewPCG(13, 14)), fnv.New64a()
	for range n {
		a, b, m := operands(r)
		decimal(o, &m)
		x := f(a, b, &m, control(r))
		var p [32]byte
		le.PutUint64(p[:], x.r.Sig)
		le.PutUint16(p[8:], x.r.SE)
		le.PutUint64(p[10:], x.s.Sig)
		le.PutUint16(p[18:], x.s.SE)
		copy(p[20:], x.m[:])
		le.PutUint16(p[30:], x.status)
		h.Write(p[:])
	}
	return h.Sum64()
}

// TestX87ResultsAreThoseRecorded holds this package on any architecture to
// results an x86 made; the transcendental instructions to its own.
func TestX87ResultsAreThoseRecorded(t *testing.T) {
	want := recorded(t)
	for _, ops := range [][]x87Op{x87Ops, transcendentalOps} {
		for i := range ops {
			o := &ops[i]
			got := digest(o, recordSize, o.own)
			if want[o.name] != got {
				t.Errorf("%s: the results have digest %#x, recorded is %#x", o.name, got, want[o.name])
			}
		}
	}
}

func recorded(t *testing.T) map[string]uint64 {
	f, err := os.Open("testdata/x87.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]uint64{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		name, sum, _ := strings.Cut(lines.Text(), ",")
		var v uint64
		if _, err := fmt.Sscan(sum, &v); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		all[name] = v
	}
	return all
}
