package fpu

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu/fpu/host"
)

func hostF80(x F80) host.F80 { return host.F80{Significand: x.Sig, SignExponent: x.SE} }
func ownF80(x host.F80) F80  { return F80{x.Significand, x.SignExponent} }

// A differ counts differences and shows the first.
type differ struct {
	t     *testing.T
	count int
}

func (d *differ) errorf(format string, args ...any) {
	d.t.Helper()
	if d.count++; d.count <= 8 {
		d.t.Errorf(format, args...)
	}
}

// A hostOp is what the host makes of an operation.
type hostOp func(a, b F80, m *[10]byte, control uint16) result

func hostBinary(f func(r, a, b *host.F80, control uint16) uint16) hostOp {
	return func(a, b F80, _ *[10]byte, control uint16) (x result) {
		var r host.F80
		ha, hb := hostF80(a), hostF80(b)
		x.status = f(&r, &ha, &hb, control)
		x.r = ownF80(r)
		return x
	}
}

func hostCompare(f func(r, a, b *host.F80, control uint16) uint16) hostOp {
	return func(a, b F80, m *[10]byte, control uint16) result {
		return result{status: hostBinary(f)(a, b, m, control).status}
	}
}

func hostUnary(f func(r, a *host.F80, control uint16) uint16) hostOp {
	return hostBinary(func(r, a, _ *host.F80, control uint16) uint16 { return f(r, a, control) })
}

// hostDouble is an operation with two results, of which s is the deeper one.
// With C2 among the codes it tells that there is but one.
func hostDouble(f func(r, s, a *host.F80, control uint16) uint16, codes uint16) hostOp {
	return func(a, _ F80, _ *[10]byte, control uint16) (x result) {
		var r, s host.F80
		ha := hostF80(a)
		x.status = f(&r, &s, &ha, control)
		x.r, x.s = ownF80(r), ownF80(s)
		if x.status&codes&C2 != 0 {
			x.s = x.r
		}
		return x
	}
}

func hostConstant(f func(r *host.F80, control uint16) uint16) hostOp {
	return hostBinary(func(r, _, _ *host.F80, control uint16) uint16 { return f(r, control) })
}

func hostLoad(f func(r *host.F80, m *[10]byte, control uint16) uint16) hostOp {
	return func(_, _ F80, m *[10]byte, control uint16) (x result) {
		var r host.F80
		x.status = f(&r, m, control)
		x.r = ownF80(r)
		return x
	}
}

func hostStore(f func(m *[10]byte, a *host.F80, control uint16) uint16) hostOp {
	return func(a, _ F80, _ *[10]byte, control uint16) (x result) {
		ha := hostF80(a)
		x.status = f(&x.m, &ha, control)
		return x
	}
}

var hostOps = map[string]hostOp{
	"FADD": hostBinary(host.Fadd), "FSUB": hostBinary(host.Fsub), "FMUL": hostBinary(host.Fmul), "FDIV": hostBinary(host.Fdiv),
	"FSCALE": hostBinary(host.Fscale), "FPREM": hostBinary(host.Fprem), "FPREM1": hostBinary(host.Fprem1),
	"FCOM": hostCompare(host.Fcom), "FUCOM": hostCompare(host.Fucom),
	"FSQRT": hostUnary(host.Fsqrt), "FRNDINT": hostUnary(host.Frndint), "FXTRACT": hostDouble(host.Fxtract, 0),
	"FXAM": func(a, b F80, m *[10]byte, control uint16) result {
		return result{status: hostUnary(host.Fxam)(a, b, m, control).status}
	},
	"FLDL2T": hostConstant(host.Fldl2t), "FLDL2E": hostConstant(host.Fldl2e), "FLDPI": hostConstant(host.Fldpi),
	"FLDLG2": hostConstant(host.Fldlg2), "FLDLN2": hostConstant(host.Fldln2),
	"FSTP m32": hostStore(host.Fstp32), "FSTP m64": hostStore(host.Fstp64), "FISTP m16": hostStore(host.Fistp16),
	"FISTP m32": hostStore(host.Fistp32), "FISTP m64": hostStore(host.Fistp64), "FISTTP m16": hostStore(host.Fisttp16),
	"FISTTP m32": hostStore(host.Fisttp32), "FISTTP m64": hostStore(host.Fisttp64), "FBSTP": hostStore(host.Fbstp),
	"FLD m32": hostLoad(host.Fld32), "FLD m64": hostLoad(host.Fld64), "FILD m16": hostLoad(host.Fild16),
	"FILD m32": hostLoad(host.Fild32), "FILD m64": hostLoad(host.Fild64), "FBLD": hostLoad(host.Fbld),
	"FYL2X": hostBinary(host.Fyl2x), "FYL2XP1": hostBinary(host.Fyl2xp1), "FPATAN": hostBinary(host.Fpatan),
	"F2XM1": hostUnary(host.F2xm1), "FSIN": hostUnary(host.Fsin), "FCOS": hostUnary(host.Fcos),
	"FPTAN": hostDouble(host.Fptan, C2), "FSINCOS": hostDouble(host.Fsincos, C2),
}

func TestX87OperationsAreThoseOfTheHost(t *testing.T) {
	for i := range x87Ops {
		o := &x87Ops[i]
		t.Run(o.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(1, 2)), differ{t: t}
			for range size() {
				a, b, m := operands(r)
				decimal(o, &m)
				cw := control(r)
				got := o.own(a, b, &m, cw)
				want := hostOps[o.name](a, b, &m, cw).defined(o, a, b, cw)
				if got != want {
					d.errorf("%s %04x:%016x, %04x:%016x, %x control %#x\n = %v\nnot %v", o.name, a.SE, a.Sig, b.SE, b.Sig, m, cw, got, want)
				}
			}
			if d.count > 0 {
				t.Log(d.count, "differences")
			}
		})
	}
}

// TestX87RecordIsTheHosts ties the record to an x86, and writes it.
func TestX87RecordIsTheHosts(t *testing.T) {
	var all strings.Builder
	all.WriteString("# Digests of what 20000 operands give, made on an x86: FNV-1a, see x87_test.go.\n" +
		"# Those of transcendental instructions are package fpu's own.\n")
	for i := range x87Ops {
		o := &x87Ops[i]
		fmt.Fprintf(&all, "%s,%#x\n", o.name, digest(o, recordSize, func(a, b F80, m *[10]byte, control uint16) result {
			return hostOps[o.name](a, b, m, control).defined(o, a, b, control)
		}))
	}
	for i := range transcendentalOps {
		o := &transcendentalOps[i]
		fmt.Fprintf(&all, "%s,%#x\n", o.name, digest(o, recordSize, o.own))
	}
	if *record {
		if err := os.WriteFile("testdata/x87.txt", []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile("testdata/x87.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(old) != all.String() {
		t.Error("testdata/x87.txt is not what this host makes; run with -record and look at the difference")
	}
}
