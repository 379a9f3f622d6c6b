package silicon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/gov86/gov86/cpu/isa"
)

// A Mismatch is a case that the two sides end differently.
type Mismatch struct {
	Class
	Case           Case
	Memory         []byte // before the case
	Emulated, Real Result
	// Differing names the parts of the state, with both values.
	Differing []string
}

// String is the case with what differs, in a few lines.
func (m *Mismatch) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%v: % x at %#x\n", m.Class, m.Case.Code, m.Case.At)
	mode := isa.Code32
	if m.Case.Seg[isa.CS]&4 != 0 && !LDT[m.Case.Seg[isa.CS]>>3].big {
		mode = isa.Code16
	}
	for code := m.Case.Code; len(code) > 0; {
		in, err := isa.Decode(code, mode)
		if err != nil {
			break
		}
		at := m.Case.EIP + uint32(len(m.Case.Code)-len(code))
		fmt.Fprintf(&s, "    %08x  %s\n", at, isa.Disasm(code[:in.Len], mode, at))
		code = code[in.Len:]
	}
	fmt.Fprintf(&s, "    with %s\n", m.Case.State.registers())
	fmt.Fprintf(&s, "    emulated %s, real %s\n", m.Emulated.ending(), m.Real.ending())
	for _, d := range m.Differing {
		fmt.Fprintf(&s, "    %s\n", d)
	}
	return s.String()
}

func (s *State) registers() string {
	return fmt.Sprintf("%08x flags %#x segments %#x", s.GPR, s.EFLAGS, s.Seg)
}

func (r *Result) ending() string {
	s := fmt.Sprintf("exception %d", r.Vector)
	if hasCode(r.Vector) {
		s += fmt.Sprintf(" code %#x", r.Code)
	}
	if r.CR2 != 0 {
		s += fmt.Sprintf(" address %#x", r.CR2)
	}
	return s + fmt.Sprintf(" at %#x", r.EIP)
}

// differences names what differs between two results of c.
func differences(c *Case, e, n *Result) (all []string) {
	add := func(name string, a, b any, format string) {
		if a != b {
			all = append(all, fmt.Sprintf("%s: emulated "+format+", real "+format, name, a, b))
		}
	}
	if e.Lost || n.Lost {
		return nil
	}
	add("vector", e.Vector, n.Vector, "%d")
	add("error code", e.Code, n.Code, "%#x")
	add("CR2", e.CR2, n.CR2, "%#x")
	add("EIP", e.EIP, n.EIP, "%#x")
	add("EFLAGS", e.EFLAGS&^c.Open, n.EFLAGS&^c.Open, "%#x")
	for i := range e.GPR {
		add(gprNames[i], e.GPR[i], n.GPR[i], "%#x")
	}
	for i := range e.Seg {
		if e.Seg[i]|n.Seg[i] > 3 { // an interrupt of the host clears the RPL of null selectors
			add(fmt.Sprintf("segment register %d", i), e.Seg[i], n.Seg[i], "%#x")
		}
	}
	if e.FX == n.FX {
		return all
	}
	le := binary.LittleEndian
	add("FCW", le.Uint16(e.FX[0:]), le.Uint16(n.FX[0:]), "%#x")
	add("FSW", le.Uint16(e.FX[2:]), le.Uint16(n.FX[2:]), "%#x")
	add("FTW", e.FX[4], n.FX[4], "%#x")
	add("MXCSR", le.Uint32(e.FX[24:]), le.Uint32(n.FX[24:]), "%#x")
	for i := range 8 {
		a, b := e.FX[32+16*i:][:10], n.FX[32+16*i:][:10]
		add(fmt.Sprintf("ST(%d)", i), fmt.Sprintf("%x", backward(a)), fmt.Sprintf("%x", backward(b)), "%s")
		a, b = e.FX[160+16*i:][:16], n.FX[160+16*i:][:16]
		add(fmt.Sprintf("XMM%d", i), fmt.Sprintf("%x", backward(a)), fmt.Sprintf("%x", backward(b)), "%s")
	}
	return all
}

// backward has the most significant byte first.
func backward(b []byte) []byte {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i]
	}
	return r
}

// A Reference answers what the processor really does.
type Reference interface {
	// Execute runs the cases of b but those that skip has.
	Execute(b *Batch, skip func(i int) bool) (*Answer, error)
}

// ErrStuck says that a case does not end on the real side.
var ErrStuck = errors.New("the native side does not end")

// A Tally counts cases.
type Tally struct {
	Cases, Lost, Mismatched uint64
}

// Add counts the cases of u as well.
func (t *Tally) Add(u Tally) {
	t.Cases += u.Cases
	t.Lost += u.Lost
	t.Mismatched += u.Mismatched
}

// Compare runs a batch on both sides and returns the cases that differ.
func Compare(e *Emulated, r Reference, class Class, b *Batch) (t Tally, found []Mismatch, err error) {
	ea, err := e.Execute(b)
	if err != nil {
		return t, nil, err
	}
	na, err := r.Execute(b, func(i int) bool { return ea.Results[i].Lost })
	if err != nil {
		return t, nil, err
	}
	same := bytes.Equal(ea.Memory, na.Memory)
	for i := range ea.Results {
		if ea.Results[i].Lost || na.Results[i].Lost {
			t.Lost++
		}
		same = same && e.alike(&b.Cases[i], &ea.Results[i], &na.Results[i])
	}
	t.Cases = uint64(len(b.Cases))
	if same {
		return t, nil, nil
	}
	found, err = separately(e, r, class, b)
	t.Mismatched = uint64(len(found))
	return t, found, err
}

// Endless finds the cases of b that do not end on the real side, which runs
// anew after each of them, and returns those there is no excuse for.
func Endless(e *Emulated, anew func() (Reference, error), class Class, b *Batch) (found []Mismatch, err error) {
	r, err := anew()
	if err != nil {
		return nil, err
	}
	memory := b.Memory
	for i := range b.Cases {
		c := &b.Cases[i]
		one := &Batch{Cases: b.Cases[i : i+1], Code: b.Code, Memory: memory}
		ea, err := e.Execute(one)
		if err != nil {
			return nil, err
		}
		mine := &ea.Results[0]
		_, err = r.Execute(one, func(int) bool { return mine.Lost })
		memory = ea.Memory
		if !errors.Is(err, ErrStuck) {
			if err != nil {
				return nil, err
			}
			continue
		}
		if r, err = anew(); err != nil {
			return nil, err
		}
		way, err := e.follow(one)
		if err != nil {
			return nil, err
		}
		if !way.long && !e.extends(mine) {
			found = append(found, Mismatch{class, *c, one.Memory, *mine, Result{}, []string{"the real side does not end"}})
		}
	}
	return found, nil
}

// alike reports whether two results of c are the same, or may differ.
func (e *Emulated) alike(c *Case, mine, real *Result) bool {
	return len(e.differences(c, mine, real)) == 0 || tolerated(c, mine, real, e.at(mine)) != ""
}

func (e *Emulated) differences(c *Case, mine, real *Result) []string {
	open := *c
	open.Open |= e.Ignored
	return differences(&open, mine, real)
}

// separately runs the cases of b one by one, each in the memory that the
// emulated side left.
func separately(e *Emulated, r Reference, class Class, b *Batch) (found []Mismatch, err error) {
	memory := b.Memory
	for i := range b.Cases {
		one := &Batch{Cases: b.Cases[i : i+1], Code: b.Code, Memory: memory}
		ea, err := e.Execute(one)
		if err != nil {
			return nil, err
		}
		lost := ea.Results[0].Lost
		na, err := r.Execute(one, func(int) bool { return lost })
		if err != nil {
			return nil, err
		}
		d := e.differences(&b.Cases[i], &ea.Results[0], &na.Results[0])
		for at := range ea.Memory {
			if !lost && !na.Results[0].Lost && ea.Memory[at] != na.Memory[at] && len(d) < 40 {
				d = append(d, fmt.Sprintf("memory at %#x: emulated %#x, real %#x", address(at), ea.Memory[at], na.Memory[at]))
			}
		}
		excuse := tolerated(&b.Cases[i], &ea.Results[0], &na.Results[0], e.at(&ea.Results[0]))
		if len(d) > 0 && excuse == "" {
			way, err := e.follow(one)
			if err != nil {
				return nil, err
			}
			way.open |= e.Ignored
			if !e.Inexact {
				way.inexact = 0
			}
			if excuse = way.excuses(&ea.Results[0], &na.Results[0]); e.extends(&ea.Results[0]) {
				excuse = anExtension
			}
		}
		if len(d) > 0 && excuse == "" {
			found = append(found, Mismatch{class, b.Cases[i], memory, ea.Results[0], na.Results[0], d})
		}
		memory = ea.Memory
	}
	return found, nil
}

// address is the linear address of offset at of Batch.Memory.
func address(at int) uint32 {
	if at < DataSize {
		return DataAt + uint32(at)
	}
	return StackAt + uint32(at-DataSize)
}

var gprNames = [8]string{"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"}
