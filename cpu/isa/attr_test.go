package isa

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// The names in the table are those of the constants, in their order.
func TestNamesAreTheConstants(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "op.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			name := s.(*ast.ValueSpec).Names[0].Name
			if name == "NumOps" {
				continue
			}
			if got := Op(n).String(); got != name {
				t.Errorf("operation %d is %s, its name %s", n, name, got)
			}
			n++
		}
	}
	if n != NumOps {
		t.Errorf("%d constants, NumOps is %d", n, NumOps)
	}
}

// Intel SDM Vol. 2, Appendix B: cc in the opcode is the place in the row.
func TestConditionalOperationsAreInOrderOfTheirCode(t *testing.T) {
	for cc := range 16 {
		jcc, _ := Decode([]byte{0x70 + byte(cc), 0}, Code32)
		cmov, _ := Decode([]byte{0x0f, 0x40 + byte(cc), 0xc0}, Code32)
		set, _ := Decode([]byte{0x0f, 0x90 + byte(cc), 0xc0}, Code32)
		if jcc.Op != JO+Op(cc) || cmov.Op != CMOVO+Op(cc) || set.Op != SETO+Op(cc) {
			t.Errorf("%d: %v %v %v", cc, jcc.Op, cmov.Op, set.Op)
		}
	}
}

func decode(t *testing.T, code ...byte) *Inst {
	t.Helper()
	in, err := Decode(code, Code32)
	if err != nil {
		t.Fatalf("% x: %v", code, err)
	}
	return &in
}

func TestFlagsOfShiftsFollowTheCount(t *testing.T) {
	for _, c := range []struct {
		code                     []byte
		read, written, undefined Flags
	}{
		{[]byte{0xc1, 0xe0, 0}, 0, 0, 0},
		{[]byte{0xc1, 0xe0, 0x20}, 0, 0, 0},
		{[]byte{0xd1, 0xe0}, 0, CF | PF | ZF | SF | OF, AF},
		{[]byte{0xc1, 0xe0, 5}, 0, CF | PF | ZF | SF, AF | OF},
		{[]byte{0xd3, 0xe0}, 0, CF | PF | ZF | SF, AF | OF},
		{[]byte{0xd3, 0xd0}, CF, CF, OF},
		{[]byte{0xd1, 0xc0}, 0, CF | OF, 0},
		{[]byte{0x0f, 0xa4, 0xc0, 1}, 0, CF | PF | ZF | SF | OF, AF},
		{[]byte{0x0f, 0xa5, 0xc0}, 0, CF | PF | ZF | SF, AF | OF},
		{[]byte{0x40}, 0, PF | AF | ZF | SF | OF, 0},
		{[]byte{0x11, 0xc0}, CF, status, 0},
		{[]byte{0x0f, 0x46, 0xc1}, CF | ZF, 0, 0},
		{[]byte{0x7e, 0}, ZF | SF | OF, 0, 0},
		{[]byte{0xf7, 0xe0}, 0, CF | OF, PF | AF | ZF | SF},
	} {
		in := decode(t, c.code...)
		if r, w, u := in.Flags(); r != c.read || w != c.written || u != c.undefined {
			t.Errorf("%v: reads %#x, writes %#x, leaves undefined %#x", in, r, w, u)
		}
	}
}

func TestDirectionOfMemory(t *testing.T) {
	for _, c := range []struct {
		code          []byte
		reads, writes bool
	}{
		{[]byte{0x01, 0x00}, true, true},         // ADD [EAX], EAX
		{[]byte{0x03, 0x00}, true, false},        // ADD EAX, [EAX]
		{[]byte{0x39, 0x00}, true, false},        // CMP [EAX], EAX
		{[]byte{0x89, 0x00}, false, true},        // MOV [EAX], EAX
		{[]byte{0x87, 0x00}, true, true},         // XCHG [EAX], EAX
		{[]byte{0x8d, 0x00}, false, false},       // LEA EAX, [EAX]
		{[]byte{0xff, 0x30}, true, false},        // PUSH [EAX]
		{[]byte{0x8f, 0x00}, false, true},        // POP [EAX]
		{[]byte{0xa4}, true, true},               // MOVS
		{[]byte{0xaa}, false, true},              // STOS
		{[]byte{0xd7}, true, false},              // XLAT
		{[]byte{0x0f, 0x1f, 0x00}, false, false}, // NOP [EAX]
		{[]byte{0x0f, 0x11, 0x00}, false, true},  // MOVUPS [EAX], XMM0
		{[]byte{0x0f, 0x58, 0x00}, true, false},  // ADDPS XMM0, [EAX]
		{[]byte{0xdd, 0x18}, false, true},        // FSTP [EAX]
		{[]byte{0xdc, 0x00}, true, false},        // FADD [EAX]
		{[]byte{0x01, 0xc0}, false, false},       // ADD EAX, EAX
	} {
		in := decode(t, c.code...)
		if r, w := in.Memory(); r != c.reads || w != c.writes {
			t.Errorf("%v: reads %v, writes %v", in, r, w)
		}
		if in.MayFault() != (c.reads || c.writes) {
			t.Errorf("%v: may fault: %v", in, in.MayFault())
		}
	}
}

func TestFeatureFollowsTheRegisters(t *testing.T) {
	for _, c := range []struct {
		code []byte
		want Feature
	}{
		{[]byte{0x0f, 0xfc, 0xc0}, FeatureMMX},
		{[]byte{0x66, 0x0f, 0xfc, 0xc0}, FeatureSSE2},
		{[]byte{0x0f, 0xe0, 0xc0}, FeatureSSE},
		{[]byte{0x66, 0x0f, 0xe0, 0xc0}, FeatureSSE2},
		{[]byte{0x0f, 0x58, 0xc0}, FeatureSSE},
		{[]byte{0x0f, 0xd4, 0xc0}, FeatureSSE2},
		{[]byte{0x0f, 0x38, 0x00, 0xc0}, FeatureSSSE3},
		{[]byte{0x0f, 0x40, 0xc0}, FeatureCMOV},
		{[]byte{0xd8, 0xc0}, FeatureFPU},
		{[]byte{0x90}, FeatureBase},
		{[]byte{0xf3, 0x90}, FeatureBase},
		{[]byte{0x0f, 0x1f, 0x00}, FeatureP6},
		{[]byte{0x0f, 0x18, 0x08}, FeatureP6},
		{[]byte{0x0f, 0x01, 0xcb}, FeatureSMAP},
		{[]byte{0x01, 0xc0}, FeatureBase},
	} {
		if in := decode(t, c.code...); in.Feature() != c.want {
			t.Errorf("%v: feature %d, want %d", in, in.Feature(), c.want)
		}
	}
}

func TestDestinationOfFormsThatDiffer(t *testing.T) {
	for _, c := range []struct {
		code          []byte
		reads, writes bool
	}{
		{[]byte{0xf7, 0xe8}, true, false},             // IMUL EAX
		{[]byte{0x0f, 0xaf, 0xc1}, true, true},        // IMUL EAX, ECX
		{[]byte{0x6b, 0xc1, 5}, false, true},          // IMUL EAX, ECX, 5
		{[]byte{0xd8, 0xc1}, true, true},              // FADD ST0, ST1
		{[]byte{0xd8, 0x00}, true, false},             // FADD [EAX]
		{[]byte{0xf3, 0x0f, 0x10, 0xc1}, true, true},  // MOVSS XMM0, XMM1
		{[]byte{0xf3, 0x0f, 0x11, 0x00}, false, true}, // MOVSS [EAX], XMM0
	} {
		in := decode(t, c.code...)
		if r, w := in.Destination(); r != c.reads || w != c.writes {
			t.Errorf("%v: reads %v, writes %v", in, r, w)
		}
	}
}

// Whatever may change EIP ends a block, and what needs privilege may fault.
func TestAttributesImplyEachOther(t *testing.T) {
	for op := NoOp + 1; int(op) < NumOps; op++ {
		a := op.Attr()
		if a&Jumps != 0 && a&EndsBlock == 0 {
			t.Errorf("%v jumps and does not end a block", op)
		}
		if a&CPL0 != 0 && a&Faults == 0 {
			t.Errorf("%v is privileged and does not fault", op)
		}
		if a&Lockable != 0 && a&(Reads|Writes) != Reads|Writes {
			t.Errorf("%v is lockable and does not read and write", op)
		}
	}
}

// Operations that do not read their first operand overwrite it, so a 32-bit
// register there is dead before them; those that may leave it must read it.
func TestOperationsThatMayKeepTheirDestinationReadIt(t *testing.T) {
	for _, op := range []Op{BSF, BSR, LAR, LSL, CMOVO, CMOVNLE, CVTSI2SD, SQRTSS, PINSRW, BTS} {
		if op.Attr()&Reads == 0 {
			t.Errorf("%v does not read its destination", op)
		}
	}
}

func TestDisasm(t *testing.T) {
	for _, c := range []struct {
		code []byte
		mode Mode
		want string
	}{
		{[]byte{0x8b, 0x45, 0x08}, Code32, "mov eax, dword ptr [ebp+0x8]"},
		{[]byte{0x74, 0xfe}, Code32, "jz 0x1000"},
		{[]byte{0xd6}, Code32, "SALC"},
		{[]byte{0x0f, 0x04}, Code32, "(bad)"},
		{[]byte{0x8b}, Code32, "(bad)"},
		{[]byte{0xf0, 0x90}, Code32, "(bad)"},
	} {
		if got := Disasm(c.code, c.mode, 0x1000); got != c.want {
			t.Errorf("% x: %s, want %s", c.code, got, c.want)
		}
	}
}
