package machine

import (
	"fmt"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/trace"
)

// Place is where the guest is: CS and EIP of the instruction that is, or was
// last, executed, and the name of its address.
func (m *Machine) Place() string { return m.at(m.board.cpu.Place()) }

// at is p with the host's name for it.
func (m *Machine) at(p cpu.Place) string {
	text := fmt.Sprintf("%04x:%08x", p.Selector, p.EIP)
	if name := m.name(p.Linear); name != "" {
		text += " " + name
	}
	return text
}

// watchInstructions has every instruction traced, if that category is on. The
// engine then executes one at a time; otherwise it does not even ask.
func (m *Machine) watchInstructions() {
	if !trace.On(trace.Instruction) {
		return
	}
	var last cpu.Linear
	repeated := false
	m.board.cpu.Monitor.See = func(l cpu.Linear, in *isa.Inst) {
		const repeats = isa.Rep | isa.RepNE
		again := repeated && l == last
		last, repeated = l, in.Prefix&repeats != 0
		if !again { // a repeated string instruction is one line, not one an element
			trace.Text(trace.Instruction, "", m.instruction(l, int(in.Len)))
		}
	}
}

// instruction is the instruction of n bytes at l, about to be executed: its
// address, name and bytes, and its text.
func (m *Machine) instruction(l cpu.Linear, n int) string {
	c := m.board.cpu
	code := make([]byte, n)
	code = code[:m.ReadLinear(code, l)]
	at := m.at(cpu.Place{Selector: c.Seg[isa.CS].Selector, EIP: c.EIP, Linear: l})
	return fmt.Sprintf("%-32s %-16x %s", at, code, m.disassemble(code, c.EIP))
}

// disassemble is the instruction that code, at offset eip of the code segment,
// begins with as text, with the name of what it refers to.
func (m *Machine) disassemble(code []byte, eip uint32) string {
	c := m.board.cpu
	text := isa.Disasm(code, c.Code(), eip)
	if at, ok := isa.Refers(code, c.Code(), eip); ok {
		if name := m.name(cpu.Linear(c.Seg[isa.CS].Base + at)); name != "" {
			text += "  ; " + name
		}
	}
	return text
}

// name is what the host calls a linear address, or nothing.
func (m *Machine) name(l cpu.Linear) string {
	if m.names == nil {
		return ""
	}
	return m.names(uint32(l))
}

// traceBoard tells of what happens to the board as a whole.
func traceBoard(event, detail string) {
	if trace.On(trace.Board) {
		trace.Text(trace.Board, event, detail)
	}
}
