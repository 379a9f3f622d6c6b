package machine

import (
	"fmt"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/gov86/gov86/cpu"
)

// A Difference is the error of a Run in lockstep whose machines part.
type Difference struct {
	// Retired is how many instructions both had done when they were still the
	// same, Run about how many more they had done when they no longer were.
	Retired, Run uint64
	// What differs, in words.
	What string
	// Report tells the rest: the processors' states, and the latest instructions.
	Report string
}

func (d *Difference) Error() string {
	what, _, _ := strings.Cut(d.What, "\n")
	return fmt.Sprintf("lockstep: the engines differ within %d instructions after %d: %s", d.Run, d.Retired, what)
}

// differ makes the error for what differs now.
func (l *lockstep) differ(m *Machine, what string) error {
	d := &Difference{Retired: l.at, Run: max(m.retired, l.second.retired) - l.at, What: what}
	var out strings.Builder
	fmt.Fprintf(&out, "lockstep: what differs is %s\n\n", what)
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tbefore the run\ttranslated\tinterpreted\t")
	before, first, second := fields(&l.before), fields(m.board.cpu.State), fields(l.second.board.cpu.State)
	for i, f := range before {
		differs := first[i] != second[i]
		if !differs && !f.always {
			continue
		}
		mark := ""
		if differs {
			mark = "differs"
		}
		if f.name == "EFLAGS" && differs {
			mark += fmt.Sprintf(" (undefined: %x)", l.stepper.Open)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.name, f.value, first[i].value, second[i].value, mark)
	}
	t.Flush()
	fmt.Fprintln(&out, "\nthe latest instructions, as interpreted:")
	l.second.listRecent(&out, l.stepper.Recent())
	d.Report = out.String()
	return d
}

// listRecent writes the instructions at the addresses, as memory has them now.
func (m *Machine) listRecent(out *strings.Builder, at []cpu.Linear) {
	const longest, shown = 15, 32
	for _, l := range at[max(len(at)-shown, 0):] {
		code := make([]byte, longest)
		code = code[:m.ReadLinear(code, l)]
		name := m.name(l)
		if name == "" {
			name = "-"
		}
		fmt.Fprintf(out, "%08x  %-32s %s\n", l, name, m.disassemble(code, uint32(l)))
	}
}

// A field is a number of the processor's state. always marks those that a report
// has even if they are the same.
type field struct {
	name, value string
	always      bool
}

// fields are all numbers of a state.
func fields(s *cpu.State) []field {
	names := strings.Fields("EAX ECX EDX EBX ESP EBP ESI EDI")
	var all []field
	for i, name := range names {
		all = append(all, field{name, fmt.Sprintf("%08x", s.GPR[i]), true})
	}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch f.Name {
		case "_", "GPR":
			continue
		}
		all = flatten(all, f.Name, v.Field(i))
	}
	return all
}

// flatten appends the numbers of v, which is called name.
func flatten(all []field, name string, v reflect.Value) []field {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "_" {
				all = flatten(all, name+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			all = flatten(all, fmt.Sprintf("%s[%d]", name, i), v.Index(i))
		}
	case reflect.Bool:
		all = append(all, field{name, fmt.Sprint(v.Bool()), false})
	default:
		always := name == "EIP" || name == "EFLAGS" || name == "CPL" || name == "CR2"
		all = append(all, field{name, fmt.Sprintf("%0*x", 2*int(v.Type().Size()), v.Uint()), always})
	}
	return all
}

// firstLine are the first lines of a and b that are not the same.
func firstLine(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "first   " + x[i] + "\nsecond  " + y[i]
		}
	}
	return "first has " + fmt.Sprint(len(x)) + " lines, second " + fmt.Sprint(len(y))
}
