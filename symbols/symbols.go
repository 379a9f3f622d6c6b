// Package symbols names the addresses of a guest's kernel: from its System.map,
// from its /proc/kallsyms, from the output of nm, or from its 32-bit ELF file.
package symbols

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reach is how far from a symbol an address is still said to belong to it:
// beyond the last symbol there is no other to end it.
const reach = 1 << 20

// A symbol is a name for a linear address.
type symbol struct {
	at   uint32
	name string
	code bool // preferred where there are several
}

// A Table is a set of symbols. A nil Table has none.
type Table struct {
	sorted []symbol
	named  map[string]uint32
}

// Parse reads a table in any of the forms the package knows.
func Parse(file []byte) (*Table, error) {
	t := &Table{named: map[string]uint32{}}
	read := t.readText
	if isELF(file) {
		read = t.readELF
	}
	if err := read(file); err != nil {
		return nil, err
	}
	if len(t.sorted) == 0 {
		return nil, fmt.Errorf("it names no address")
	}
	slices.SortStableFunc(t.sorted, func(a, b symbol) int {
		if a.at == b.at && a.code != b.code {
			if a.code {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.at, b.at)
	})
	t.sorted = slices.CompactFunc(t.sorted, func(a, b symbol) bool { return a.at == b.at })
	return t, nil
}

// add enters s, which an address may be looked up by unless absolute is set:
// an absolute symbol is a number that happens to be small.
func (t *Table) add(s symbol, absolute bool) {
	if _, known := t.named[s.name]; !known {
		t.named[s.name] = s.at
	}
	if !absolute {
		t.sorted = append(t.sorted, s)
	}
}

// readText reads lines of an address, a letter and a name, as nm(1) describes
// them. What follows, such as the module in kallsyms, is left out.
func (t *Table) readText(file []byte) error {
	n := 0
	hidden := true
	for line := range bytes.Lines(file) {
		n++
		fields := strings.Fields(string(line))
		if len(fields) == 2 && strings.Trim(fields[0], "Uuwv") == "" {
			continue // an undefined symbol has no address
		}
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 3 || len(fields[1]) != 1 {
			return fmt.Errorf("line %d is not an address, a letter and a name", n)
		}
		at, err := strconv.ParseUint(fields[0], 16, 64)
		if err != nil {
			return fmt.Errorf("line %d has no hexadecimal address", n)
		}
		if at > 1<<32-1 {
			return fmt.Errorf("line %d has an address above 4 GiB", n)
		}
		hidden = hidden && at == 0
		kind := fields[1]
		t.add(symbol{uint32(at), fields[2], strings.Contains("tTwW", kind)}, strings.Contains("aA", kind))
	}
	if hidden && len(t.sorted) > 1 {
		return fmt.Errorf("all its addresses are zero, as kernel.kptr_restrict makes them")
	}
	return nil
}

// Lookup returns the symbol that at belongs to and how far behind it at is.
func (t *Table) Lookup(at uint32) (name string, off uint32, ok bool) {
	if t == nil {
		return "", 0, false
	}
	i := t.after(at) - 1
	if i < 0 || at-t.sorted[i].at >= reach {
		return "", 0, false
	}
	return t.sorted[i].name, at - t.sorted[i].at, true
}

// Name is at as name+0xoff, or nothing when it belongs to no symbol.
func (t *Table) Name(at uint32) string {
	name, off, ok := t.Lookup(at)
	switch {
	case !ok:
		return ""
	case off == 0:
		return name
	}
	return fmt.Sprintf("%s+%#x", name, off)
}

// Address is what text stands for: a number in C's notation, a symbol, or a
// symbol plus a number.
func (t *Table) Address(text string) (uint32, error) {
	if v, err := strconv.ParseUint(text, 0, 32); err == nil {
		return uint32(v), nil
	}
	name, plus, sum := strings.Cut(text, "+")
	var off uint64
	if sum {
		var err error
		if off, err = strconv.ParseUint(plus, 0, 32); err != nil {
			return 0, fmt.Errorf("%q is no number", plus)
		}
	}
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return 0, fmt.Errorf("it is neither a number below 4 GiB nor a symbol")
	}
	if t == nil {
		return 0, fmt.Errorf("there are no symbols")
	}
	at, ok := t.named[name]
	if !ok {
		return 0, fmt.Errorf("there is no symbol %s", name)
	}
	return at + uint32(off), nil
}

// Next is the first address behind at that a symbol has, or zero.
func (t *Table) Next(at uint32) uint32 {
	if t == nil {
		return 0
	}
	if i := t.after(at); i < len(t.sorted) {
		return t.sorted[i].at
	}
	return 0
}

// End is where the thing named name ends that begins at at: at the next symbol
// that is not one of its local labels, name.label. It is zero if there is none.
func (t *Table) End(name string, at uint32) uint32 {
	if t == nil {
		return 0
	}
	for _, s := range t.sorted[t.after(at):] {
		if !strings.HasPrefix(s.name, name+".") {
			return s.at
		}
	}
	return 0
}

// after is the index of the first symbol behind at.
func (t *Table) after(at uint32) int {
	i, exact := slices.BinarySearchFunc(t.sorted, at, func(s symbol, at uint32) int { return cmp.Compare(s.at, at) })
	if exact {
		i++
	}
	return i
}
