package cpu

import (
	"fmt"
	"io"
)

var segmentNames = [...]string{"ES", "CS", "SS", "DS", "FS", "GS"}
var registerNames = [...]string{"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"}

// Dump writes a post-mortem: registers, segments with their hidden parts,
// control registers, and the latest events with the names of their addresses.
func (c *CPU) Dump(w io.Writer, names Names) {
	for i, name := range registerNames {
		sep := " "
		if i%4 == 3 {
			sep = "\n"
		}
		fmt.Fprintf(w, "%s=%08x%s", name, c.Reg32(uint8(i)), sep)
	}
	fmt.Fprintf(w, "EIP=%08x EFL=%08x CPL=%d halted=%t shutdown=%t%s\n", c.EIP, c.EFLAGS, c.CPL, c.Halted, c.Shutdown,
		names.suffix(c.place().Linear))
	for i, name := range segmentNames {
		dumpSegment(w, name, &c.Seg[i])
	}
	dumpSegment(w, "LDT", &c.LDTR)
	dumpSegment(w, "TR", &c.TR)
	fmt.Fprintf(w, "GDT %08x %04x IDT %08x %04x\n", c.GDTR.Base, c.GDTR.Limit, c.IDTR.Base, c.IDTR.Limit)
	fmt.Fprintf(w, "CR0=%08x CR2=%08x CR3=%08x CR4=%08x EFER=%x\n", c.CR0, c.CR2, c.CR3, c.CR4, c.MSR.EFER)
	fmt.Fprintf(w, "DR0=%08x DR1=%08x DR2=%08x DR3=%08x DR6=%08x DR7=%08x\n",
		c.DR[0], c.DR[1], c.DR[2], c.DR[3], c.DR[6], c.DR[7])
	c.Last.dump(w, names)
}

func dumpSegment(w io.Writer, name string, g *Segment) {
	fmt.Fprintf(w, "%-3s %04x base %08x limit %08x access %04x usable %t\n", name, g.Selector, g.Base, g.Limit, g.Access, g.Usable)
}
