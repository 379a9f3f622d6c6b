package system

import (
	"fmt"
	"strings"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// A Mismatch is a case that the two sides end differently.
type Mismatch struct {
	*Case
	Emulated, Real *Result
	// Differing names what differs, with both values.
	Differing []string
}

// String is the case with what differs, in a few lines.
func (m *Mismatch) String() string {
	var s strings.Builder
	c := m.Case
	fmt.Fprintf(&s, "%v: % x at %#x:%#x\n", c.Class, c.Code, c.Seg[isa.CS].Selector, c.EIP)
	size := c.State.Code()
	if in, err := isa.Decode(c.Code, size); err == nil {
		fmt.Fprintf(&s, "    %s\n", isa.Disasm(c.Code[:in.Len], size, c.EIP))
	}
	fmt.Fprintf(&s, "    CPL %d EFLAGS %#x CR0 %#x CR3 %#x CR4 %#x EFER %#x DR %x\n", c.CPL, c.EFLAGS, c.CR0, c.CR3, c.CR4,
		c.MSR.EFER, c.State.DR)
	fmt.Fprintf(&s, "    registers %x\n   ", c.GPR[:8])
	for i, g := range c.Seg {
		fmt.Fprintf(&s, " %s %#x", segNames[i], g.Selector)
	}
	fmt.Fprintf(&s, "\n    emulated ends %s, real %s\n", m.Emulated.ending(), m.Real.ending())
	for _, d := range m.Differing {
		fmt.Fprintf(&s, "    %s\n", d)
	}
	return s.String()
}

// ending is where a case ended.
func (r *Result) ending() string {
	if r.Shutdown {
		return "in shutdown"
	}
	if v, ok := r.vector(); ok {
		return fmt.Sprintf("in the handler of vector %d", v)
	}
	return fmt.Sprintf("at %#x:%#x", r.Seg[isa.CS].Selector, r.EIP-1)
}

// vector is the exception whose handler a case ended in, if it did.
func (r *Result) vector() (uint8, bool) {
	v := r.Seg[isa.CS].Base + r.EIP - 1 - stubsAt
	return uint8(v), v < 256
}

var (
	gprNames = [8]string{"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"}
	segNames = [6]string{isa.ES: "ES", isa.CS: "CS", isa.SS: "SS", isa.DS: "DS", isa.FS: "FS", isa.GS: "GS"}
)

// differences names what differs between two results of c.
func differences(c *Case, e, n *Result) (all []string) {
	add := func(name string, a, b uint32) {
		if a != b {
			all = append(all, fmt.Sprintf("%s: emulated %#x, real %#x", name, a, b))
		}
	}
	if e.Lost != "" || n.Lost != "" {
		return nil
	}
	if e.Shutdown || n.Shutdown {
		// The state of a processor in shutdown is nobody's business.
		if e.Shutdown != n.Shutdown {
			all = append(all, "shutdown: emulated "+e.ending()+", real "+n.ending())
		}
		return all
	}
	add("EIP", e.EIP, n.EIP)
	add("EFLAGS", e.EFLAGS&^c.Open, n.EFLAGS&^c.Open)
	add("CPL", uint32(e.CPL), uint32(n.CPL))
	for i, name := range gprNames {
		add(name, e.Reg32(uint8(i)), n.Reg32(uint8(i)))
	}
	for i, name := range segNames {
		all = append(all, segmentDiffers(name, &e.Seg[i], &n.Seg[i], e.Protected())...)
	}
	all = append(all, segmentDiffers("LDTR", table(e.LDTR), table(n.LDTR), true)...)
	all = append(all, segmentDiffers("TR", &e.TR, &n.TR, true)...)
	add("GDTR base", e.GDTR.Base, n.GDTR.Base)
	add("GDTR limit", e.GDTR.Limit, n.GDTR.Limit)
	add("IDTR base", e.IDTR.Base, n.IDTR.Base)
	add("IDTR limit", e.IDTR.Limit, n.IDTR.Limit)
	add("CR0", e.CR0, n.CR0)
	add("CR2", e.CR2, n.CR2)
	add("CR3", e.CR3, n.CR3)
	add("CR4", e.CR4, n.CR4)
	for _, i := range []int{0, 1, 2, 3, 6, 7} {
		add(fmt.Sprintf("DR%d", i), e.State.DR[i], n.State.DR[i])
	}
	return append(all, memoryDiffers(c, e.Memory, n.Memory)...)
}

// table is LDTR: what makes it null is its selector.
func table(s cpu.Segment) *cpu.Segment {
	if s.Selector&^3 == 0 {
		s.Usable = false
	}
	return &s
}

// segmentDiffers compares a segment register with its hidden part. Nothing can
// be told of one that may not be used but its selector; outside of protected
// mode nothing uses the access rights, and processors keep different ones.
func segmentDiffers(name string, a, b *cpu.Segment, protected bool) []string {
	x, y := *a, *b
	const compared = 0xff | cpu.AccessDB
	x.Access, y.Access = x.Access&compared, y.Access&compared
	if !protected {
		x.Access, y.Access = 0, 0
	}
	if !x.Usable && !y.Usable {
		x, y = cpu.Segment{Selector: a.Selector}, cpu.Segment{Selector: b.Selector}
	}
	if x == y {
		return nil
	}
	text := func(s *cpu.Segment) string {
		if !s.Usable {
			return fmt.Sprintf("%#x unusable", s.Selector)
		}
		return fmt.Sprintf("%#x base %#x limit %#x access %#x", s.Selector, s.Base, s.Limit, s.Access)
	}
	return []string{fmt.Sprintf("%s: emulated %s, real %s", name, text(&x), text(&y))}
}

// memoryDiffers lists differing doublewords of memory, a few of them.
func memoryDiffers(c *Case, a, b []byte) (all []string) {
	word := func(m []byte, at int) uint32 {
		return uint32(m[at]) | uint32(m[at+1])<<8 | uint32(m[at+2])<<16 | uint32(m[at+3])<<24
	}
	for page := 0; page < Size; page += pageSize {
		if string(a[page:page+pageSize]) == string(b[page:page+pageSize]) {
			continue
		}
		for at := page; at < page+pageSize; at += 4 {
			if x, y := word(a, at), word(b, at); x != y && x&^ignored(c, at) != y&^ignored(c, at) && len(all) < 12 {
				all = append(all, fmt.Sprintf("%s %#x: emulated %#x, real %#x, before %#x", area(at), at, x, y, word(c.Memory, at)))
			}
		}
	}
	return all
}

// area names a part of memory.
func area(at int) string {
	switch {
	case at < gdtAt:
		return "interrupt table at"
	case at < ldtAt:
		return "GDT at"
	case at < idtAt:
		return "LDT at"
	case at < stubsAt:
		return "IDT at"
	case at >= tssAt && at < rootAt:
		return "TSS at"
	case at >= rootAt && at < codeAt:
		return "page tables at"
	case at >= innerAt && at < stackAt+pageSize:
		return "stack at"
	}
	return "memory at"
}
