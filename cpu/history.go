package cpu

import (
	"fmt"
	"io"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/trace"
)

// A Record is one exception that was delivered.
type Record struct {
	Vector   uint8
	Code     uint16
	Selector uint16
	EIP      uint32
	CR2      uint32
}

// A Place is the address of an instruction.
type Place struct {
	Selector uint16
	EIP      uint32
}

// A Branch is one far transfer of control.
type Branch struct{ From, To Place }

// A History has rings of the latest exceptions and far transfers.
type History struct {
	ring     [16]Record
	branches [16]Branch
	n        uint // exceptions ever
	far      uint // far transfers ever
}

// place is CS:EIP.
func (c *CPU) place() Place { return Place{c.Seg[isa.CS].Selector, c.EIP} }

// branched remembers that control came here from from.
func (c *CPU) branched(from Place) {
	h := &c.Last
	h.branches[h.far%uint(len(h.branches))] = Branch{from, c.place()}
	h.far++
}

// record remembers an exception about to be delivered.
func (c *CPU) record(v *event) {
	r := Record{Vector: v.vector, Code: v.code, Selector: c.Seg[isa.CS].Selector, EIP: c.EIP, CR2: uint32(c.faultAddress)}
	c.Last.ring[c.Last.n%uint(len(c.Last.ring))] = r
	c.Last.n++
	if trace.On(trace.Exception) {
		trace.Emit(trace.Exception, "deliver", uint64(v.vector), uint64(v.code), uint64(r.Selector), uint64(c.EIP), uint64(c.faultAddress))
	}
}

// Records are the latest exceptions, oldest first.
func (h *History) Records() []Record { return latest(h.ring[:], h.n) }

// Branches are the latest far transfers, oldest first.
func (h *History) Branches() []Branch { return latest(h.branches[:], h.far) }

// latest unrolls a ring that n elements were ever put in.
func latest[T any](ring []T, n uint) []T {
	size := uint(len(ring))
	if n <= size {
		return append([]T(nil), ring[:n]...)
	}
	return append(append([]T(nil), ring[n%size:]...), ring[:n%size]...)
}

var segmentNames = [...]string{"ES", "CS", "SS", "DS", "FS", "GS"}
var registerNames = [...]string{"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"}

// Dump writes a post-mortem: registers, segments with their hidden parts,
// control registers, the latest exceptions and the latest far transfers.
func (c *CPU) Dump(w io.Writer) {
	for i, name := range registerNames {
		sep := " "
		if i%4 == 3 {
			sep = "\n"
		}
		fmt.Fprintf(w, "%s=%08x%s", name, c.Reg32(uint8(i)), sep)
	}
	fmt.Fprintf(w, "EIP=%08x EFL=%08x CPL=%d halted=%t shutdown=%t\n", c.EIP, c.EFLAGS, c.CPL, c.Halted, c.Shutdown)
	for i, name := range segmentNames {
		dumpSegment(w, name, &c.Seg[i])
	}
	dumpSegment(w, "LDT", &c.LDTR)
	dumpSegment(w, "TR", &c.TR)
	fmt.Fprintf(w, "GDT %08x %04x IDT %08x %04x\n", c.GDTR.Base, c.GDTR.Limit, c.IDTR.Base, c.IDTR.Limit)
	fmt.Fprintf(w, "CR0=%08x CR2=%08x CR3=%08x CR4=%08x EFER=%x\n", c.CR0, c.CR2, c.CR3, c.CR4, c.MSR.EFER)
	fmt.Fprintf(w, "DR0=%08x DR1=%08x DR2=%08x DR3=%08x DR6=%08x DR7=%08x\n",
		c.DR[0], c.DR[1], c.DR[2], c.DR[3], c.DR[6], c.DR[7])
	for _, r := range c.Last.Records() {
		fmt.Fprintf(w, "exception %2d code %04x at %04x:%08x cr2 %08x\n", r.Vector, r.Code, r.Selector, r.EIP, r.CR2)
	}
	for _, b := range c.Last.Branches() {
		fmt.Fprintf(w, "far %04x:%08x -> %04x:%08x\n", b.From.Selector, b.From.EIP, b.To.Selector, b.To.EIP)
	}
}

func dumpSegment(w io.Writer, name string, g *Segment) {
	fmt.Fprintf(w, "%-3s %04x base %08x limit %08x access %04x usable %t\n", name, g.Selector, g.Base, g.Limit, g.Access, g.Usable)
}
