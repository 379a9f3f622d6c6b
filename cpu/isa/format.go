package isa

import (
	"fmt"
	"strings"
)

var (
	names8    = [8]string{"AL", "CL", "DL", "BL", "AH", "CH", "DH", "BH"}
	names16   = [8]string{"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"}
	namesSReg = [8]string{"ES", "CS", "SS", "DS", "FS", "GS"}
)

func (s Seg) String() string { return namesSReg[s&7] }

// String is what was decoded, as the decoder sees it: operation, size of the
// operation when no operand tells it, operands, memory as width:segment:[sum].
func (in *Inst) String() string {
	var b strings.Builder
	for i, name := range [...]string{"LOCK ", "REP ", "REPNE "} {
		if in.Prefix>>i&1 != 0 {
			b.WriteString(name)
		}
	}
	b.WriteString(in.Op.String())
	if in.Op.Attr()&String != 0 {
		fmt.Fprintf(&b, " %d:%s", in.OpSize, in.Seg)
	}
	for i, a := range in.Args {
		if a == None {
			break
		}
		b.WriteString([]string{" ", ", "}[min(i, 1)])
		b.WriteString(in.argument(a))
	}
	return b.String()
}

func (in *Inst) argument(a Arg) string {
	n := a.Num() & 7
	switch a.Kind() {
	case Reg8:
		return names8[n]
	case Reg16:
		return names16[n]
	case Reg32:
		return "E" + names16[n]
	case Mem:
		return fmt.Sprintf("%d:%s:[%s]", in.Width, in.Seg, in.sum())
	case Imm:
		return fmt.Sprintf("%#x", in.Imm)
	case Imm2:
		return fmt.Sprintf("%#x", in.Imm2)
	case Rel:
		return fmt.Sprintf("%+d", int32(in.Imm))
	case Far:
		return fmt.Sprintf("%#x:%#x", in.Imm2, in.Imm)
	case SReg:
		return namesSReg[n]
	}
	return fmt.Sprint(map[Arg]string{CReg: "CR", DReg: "DR", MMX: "MM", XMM: "XMM", ST: "ST"}[a.Kind()], n)
}

// sum is the effective address.
func (in *Inst) sum() string {
	extended := "E"
	if in.AddrSize == 2 {
		extended = ""
	}
	var b strings.Builder
	if in.Base != NoReg {
		b.WriteString(extended + names16[in.Base&7])
	}
	if in.Index != NoReg {
		fmt.Fprintf(&b, "+%s%s*%d", extended, names16[in.Index&7], 1<<(in.Scale&3))
	}
	if in.Base != NoReg && in.Disp != 0 {
		fmt.Fprintf(&b, "%+d", int32(in.Disp))
	} else if in.Base == NoReg {
		fmt.Fprintf(&b, "+%#x", in.Disp)
	}
	return strings.TrimPrefix(b.String(), "+")
}
