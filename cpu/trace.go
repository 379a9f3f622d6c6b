package cpu

import (
	"fmt"

	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/trace"
)

// Mnemonic is the name of an exception (Intel SDM Vol. 3A, Table "Protected-Mode
// Exceptions and Interrupts"), or nothing for a vector that is none.
func Mnemonic(vector uint8) string {
	names := [...]string{VecDE: "#DE", VecDB: "#DB", VecNMI: "NMI", VecBP: "#BP", VecOF: "#OF", VecBR: "#BR",
		VecUD: "#UD", VecNM: "#NM", VecDF: "#DF", VecTS: "#TS", VecNP: "#NP", VecSS: "#SS", VecGP: "#GP",
		VecPF: "#PF", VecMF: "#MF", VecAC: "#AC", VecMC: "#MC", VecXM: "#XM"}
	if int(vector) < len(names) {
		return names[vector]
	}
	return ""
}

func (p Place) String() string {
	return fmt.Sprintf("%04x:%08x%s", p.Selector, p.EIP, trace.Name(uint32(p.Linear)))
}

// Place is where the current instruction lies, for traces.
func (c *CPU) Place() Place { return c.placeOf(c.Start) }

func (c *CPU) traceException(v *event, r *Record) {
	if !trace.On(trace.Exception) {
		return
	}
	detail := fmt.Sprintf("vector %d", v.vector)
	if v.hasCode {
		detail += fmt.Sprintf(" code %#04x", v.code)
	}
	if v.vector == VecPF {
		detail += fmt.Sprintf(" cr2 %#08x%s", r.CR2, trace.Name(r.CR2))
	}
	name := Mnemonic(v.vector)
	if name == "" {
		name = "exception"
	}
	trace.Text(trace.Exception, name, detail+" at "+r.Place.String())
}

func (c *CPU) traceInterrupt(event string, vector uint8, at Place) {
	if trace.On(trace.Interrupt) {
		trace.Text(trace.Interrupt, event, fmt.Sprintf("vector %#02x at %s", vector, at))
	}
}

// tracePaging tells of what changes how linear addresses are mapped.
func (c *CPU) tracePaging(event string, v uint32) {
	if trace.On(trace.Paging) {
		trace.Text(trace.Paging, event, fmt.Sprintf("%#08x at %s", v, c.Place()))
	}
}

// traceFill tells of a translation that enters the TLB.
func (c *CPU) traceFill(l Linear, at mem.Addr, bits uint32) {
	if !trace.On(trace.Paging) {
		return
	}
	rights := []byte("r--s")
	if bits&entryWritable != 0 {
		rights[1] = 'w'
	}
	if bits&entryNoExec == 0 {
		rights[2] = 'x'
	}
	if bits&entryUser != 0 {
		rights[3] = 'u'
	}
	trace.Text(trace.Paging, "fill", fmt.Sprintf("%#08x to %#08x %s", uint32(l)&^0xfff, uint64(at)&^0xfff, rights))
}

// TraceFlush tells that the guest has a page's translation forgotten.
func (c *CPU) TraceFlush(l Linear) { c.tracePaging("INVLPG", uint32(l)) }
