package machine

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// Dump writes a post-mortem: the processor's state, what it did last, the code
// it stopped at, its stack and who called.
func (m *Machine) Dump(w io.Writer) {
	c := m.board.cpu
	c.Dump(w, m.name)
	m.dumpCode(w)
	m.dumpStack(w)
}

func (m *Machine) dumpCode(w io.Writer) {
	c := m.board.cpu
	code := make([]byte, 32)
	code = code[:m.ReadLinear(code, cpu.Linear(c.Seg[isa.CS].Base+c.EIP))]
	fmt.Fprintf(w, "code at EIP % x\n", code)
	for off := uint32(0); off < uint32(len(code)); {
		in, err := isa.Decode(code[off:], c.Code())
		if err != nil {
			break
		}
		fmt.Fprintf(w, "%08x  %s\n", c.EIP+off, m.disassemble(code[off:off+uint32(in.Len)], c.EIP+off))
		off += uint32(in.Len)
	}
}

// dumpStack writes the top of a 32-bit stack and follows the frames of code
// that keeps them in EBP, as compilers do when told to.
func (m *Machine) dumpStack(w io.Writer) {
	const words, frames = 16, 16
	c := m.board.cpu
	if !c.Stack32() {
		return
	}
	stack := func(off uint32) (v uint32, ok bool) {
		var b [4]byte
		ok = m.ReadLinear(b[:], cpu.Linear(c.Seg[isa.SS].Base+off)) == len(b)
		return binary.LittleEndian.Uint32(b[:]), ok
	}
	fmt.Fprint(w, "stack at ESP")
	for i := range uint32(words) {
		v, ok := stack(c.Reg32(cpu.ESP) + 4*i)
		if !ok {
			break
		}
		fmt.Fprintf(w, " %08x", v)
	}
	fmt.Fprintln(w)
	frame := c.Reg32(cpu.EBP)
	for range frames {
		next, ok := stack(frame)
		back, also := stack(frame + 4)
		if !ok || !also || back == 0 {
			return
		}
		fmt.Fprintf(w, "called from %08x %s\n", back, m.name(cpu.Linear(c.Seg[isa.CS].Base+back)))
		if next <= frame { // callers' frames lie above
			return
		}
		frame = next
	}
}
