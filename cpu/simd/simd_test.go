package simd_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

var (
	long   = flag.Int("long", 1, "multiply the number of random operands by `n`")
	record = flag.Bool("record", false, "write testdata/results.txt anew")
)

// A precision is the bits of fraction and of exponent of a format.
type precision struct{ frac, exp uint }

func precisionOf(n uint8) precision {
	if n == 8 {
		return precision{52, 11}
	}
	return precision{23, 8}
}

func (f precision) bias() uint64 { return 1<<(f.exp-1) - 1 }
func (f precision) top() uint64  { return 1<<f.exp - 1 }

// scalarOf draws a value of n bytes, with much weight on those where something
// changes.
func scalarOf(r *rand.Rand, n uint8) uint64 {
	f := precisionOf(n)
	w := r.Uint64() & (1<<(8*n-1)<<1 - 1)
	sign, top, bias, quiet := w>>(8*n-1)<<(8*n-1), f.top(), f.bias(), uint64(1)<<(f.frac-1)
	fraction := [...]uint64{
		0, 1, 2, 3, quiet, quiet | 1, quiet - 1, 1<<f.frac - 1, 1<<f.frac - 2, quiet >> 1, quiet / 2 * 3,
		w & (1<<f.frac - 1), w & (1<<f.frac - 1), w & (1<<f.frac - 1) >> r.UintN(f.frac), w & (1<<f.frac - 1) &^ (1<<r.UintN(f.frac) - 1),
	}[r.IntN(15)]
	exp := [...]uint64{
		0, 0, 1, 2, top, top, top - 1, top - 2, bias, bias, bias - 1, bias + 1, bias + 29, bias + 30, bias + 31, bias + 32,
		bias + uint64(f.frac) - 1, bias + uint64(f.frac), bias - uint64(f.frac), uint64(f.frac), bias/2 + r.Uint64N(4), bias + bias/2 - r.Uint64N(4),
		// Where doubles become the least and the largest singles, and less.
		(bias - 127 + r.Uint64N(2)) & top, (bias - 150 + r.Uint64N(30)) & top, (bias + 127 + r.Uint64N(2)) & top,
		bias - 4 + r.Uint64N(40), bias - 4 + r.Uint64N(8), r.Uint64N(top),
	}[r.IntN(28)]
	switch r.IntN(16) {
	case 0:
		return w // an integer
	case 1:
		return sign | exp<<f.frac | uint64(1)<<r.UintN(f.frac)
	}
	return sign | exp<<f.frac | fraction
}

// vectorOf draws a vector of one precision, or of integers.
func vectorOf(r *rand.Rand) (v simd.Vector) {
	n := uint8(4 + 4*r.IntN(2))
	for i := range 16 / n {
		simd.SetLane(&v, i, n, scalarOf(r, n))
	}
	switch r.IntN(12) {
	case 0:
		return simd.Vector{r.Uint64(), r.Uint64()}
	case 1: // extremes of all sizes
		for i := range uint8(8) {
			simd.SetLane(&v, i, 2, [...]uint64{0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x8080, 0xffff, 0x7f80, 0xff80, 0x8001}[r.IntN(12)])
		}
	case 2: // a count of bits
		v[0] = r.Uint64N(70)
	}
	return v
}

// operands draws two vectors, now and then with much in common, and MXCSR with
// all exceptions masked.
func operands(r *rand.Rand) (a, b simd.Vector, mxcsr uint32) {
	a, b = vectorOf(r), vectorOf(r)
	switch n := uint8(4 + 4*r.IntN(2)); r.IntN(6) {
	case 0: // results that cancel, roots and quotients that are exact or nearly so
		i := uint8(r.IntN(int(16 / n)))
		simd.SetLane(&b, i, n, simd.Lane(&a, i, n)^uint64(r.IntN(4))^uint64(r.IntN(2))<<(8*n-1))
	case 1: // products and quotients near the least and the largest
		f := precisionOf(n)
		for i := range 16 / n {
			near := [...]uint64{0, 1, f.bias(), f.bias() + 1}[r.IntN(4)] + r.Uint64N(3) - 1
			e := near + 2*f.bias() - simd.Lane(&a, i, n)>>f.frac&f.top()
			if r.IntN(2) == 0 {
				e = near + simd.Lane(&a, i, n)>>f.frac&f.top() - f.bias()
			}
			simd.SetLane(&b, i, n, simd.Lane(&b, i, n)&^(f.top()<<f.frac)|e&f.top()<<f.frac)
		}
	}
	mxcsr = simd.Flags<<simd.Masks | uint32(r.IntN(4))<<simd.Rounding
	if r.IntN(4) == 0 {
		mxcsr |= simd.DAZ
	}
	if r.IntN(4) == 0 {
		mxcsr |= simd.FTZ
	}
	return a, b, mxcsr
}

// An outcome is all that a function leaves.
type outcome struct {
	r     simd.Vector
	v     uint64
	flags uint32
}

func (x outcome) String() string {
	return fmt.Sprintf("%016x:%016x %x flags %#x", x.r[1], x.r[0], x.v, x.flags)
}

// A function is one function of a unit, whatever its shape.
type function struct {
	name string
	run  func(a, b *simd.Vector, mxcsr uint32) outcome
}

func vectorRun(fn simd.VectorFunc) func(a, b *simd.Vector, mxcsr uint32) outcome {
	return func(a, b *simd.Vector, mxcsr uint32) (x outcome) {
		x.flags = fn(&x.r, a, b, mxcsr)
		return x
	}
}

// functions lists what u has.
func functions(u *simd.Unit) (all []function) {
	for op := range isa.NumOps {
		name := isa.Op(op).String()
		if fn := u.Vector[op]; fn != nil {
			all = append(all, function{name, vectorRun(fn)})
		}
		if fn := u.MMX[op]; fn != nil {
			all = append(all, function{name + "-mmx", func(a, b *simd.Vector, _ uint32) outcome { return outcome{v: fn(a[0], b[0])} }})
		}
		for imm, fn := range u.Selected[op] {
			all = append(all, function{fmt.Sprintf("%s-%d", name, imm), vectorRun(fn)})
		}
		if fn := u.Compare[op]; fn != nil {
			all = append(all, function{name, func(a, b *simd.Vector, mxcsr uint32) (x outcome) {
				eflags, flags := fn(a, b, mxcsr)
				return outcome{v: uint64(eflags & 0x45), flags: flags}
			}})
		}
		if fn := u.ToInteger[op]; fn != nil {
			all = append(all, function{name, func(_, b *simd.Vector, mxcsr uint32) outcome {
				v, flags := fn(b, mxcsr)
				return outcome{v: uint64(v), flags: flags}
			}})
		}
		if fn := u.FromInteger[op]; fn != nil {
			all = append(all, function{name, func(a, b *simd.Vector, mxcsr uint32) (x outcome) {
				x.flags = fn(&x.r, a, uint32(b[0]), mxcsr)
				return x
			}})
		}
	}
	return all
}

// estimated reports whether a function's results are of this package alone.
func estimated(name string) bool {
	return strings.HasPrefix(name, "RCP") || strings.HasPrefix(name, "RSQRT")
}

// recordSize is how many results a digest in testdata/results.txt is of.
const recordSize = 10_000

// digest sums up the results of fn on operands that depend on nothing.
func digest(fn *function) uint64 {
	r, h := rand.New(rand.NewPCG(21, 22)), fnv.New64a()
	for range recordSize {
		a, b, mxcsr := operands(r)
		fn.run(&a, &b, mxcsr).write(h)
	}
	return h.Sum64()
}

func (x outcome) write(h hash.Hash64) {
	var p [28]byte
	binary.LittleEndian.PutUint64(p[:], x.r[0])
	binary.LittleEndian.PutUint64(p[8:], x.r[1])
	binary.LittleEndian.PutUint64(p[16:], x.v)
	binary.LittleEndian.PutUint32(p[24:], x.flags)
	h.Write(p[:])
}

func digests(u *simd.Unit) string {
	var s strings.Builder
	s.WriteString("# Operation, digest of its results: an AMD EPYC's (family 25, model 17), but for the estimates.\n")
	for _, fn := range functions(u) {
		if !estimated(fn.name) {
			fmt.Fprintf(&s, "%s,%#x\n", fn.name, digest(&fn))
		}
	}
	return s.String()
}

// TestResultsAreThoseRecorded holds this package on any architecture to what an
// x86 made.
func TestResultsAreThoseRecorded(t *testing.T) {
	if *record {
		t.Skip("recording")
	}
	b, err := os.ReadFile("testdata/results.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(b), "\n"), strings.Split(digests(&simd.Pure), "\n")
	if len(want) != len(got) {
		t.Fatalf("%d lines recorded, want %d", len(want), len(got))
	}
	for i, line := range got {
		if line != want[i] {
			t.Errorf("%s: recorded is %s", line, want[i])
		}
	}
}

func TestFunctionsDoNotAllocate(t *testing.T) {
	a, b := &simd.Vector{0x3ff123456789abcd, 0x7ff0000000000001}, &simd.Vector{1, 0x4000000000000000}
	r := new(simd.Vector)
	for op, fn := range simd.Pure.Vector {
		if fn == nil {
			continue
		}
		if n := testing.AllocsPerRun(10, func() { fn(r, a, b, simd.Flags<<simd.Masks) }); n != 0 {
			t.Errorf("%v: %v allocations", isa.Op(op), n)
		}
	}
}

func TestTheResultMayBeAnOperand(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for range 2000 {
		a, b, mxcsr := operands(r)
		for op, fn := range simd.Pure.Vector {
			if fn == nil {
				continue
			}
			var want simd.Vector
			fn(&want, &a, &b, mxcsr)
			x, y := a, b
			fn(&x, &x, &b, mxcsr)
			fn(&y, &a, &y, mxcsr)
			if x != want || y != want {
				t.Fatalf("%v of %x, %x: %x in place of the first, %x in place of the second, want %x", isa.Op(op), a, b, x, y, want)
			}
		}
	}
}
