// Package trace tells what the guest does. A category is a bit; a call site
// is guarded by one atomic load, so that a disabled trace costs a nanosecond
// or two:
//
//	if trace.On(trace.UART) {
//		trace.Emit(trace.UART, "out", uint64(off), uint64(v))
//	}
//
// What happens to the host is told to a log/slog logger instead.
package trace

import (
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Category is a set of event classes.
type Category uint32

// The categories, one bit each.
const (
	Exception Category = 1 << iota
	Interrupt
	Port
	MMIO
	PCI
	Virtio
	V86FS
	UART
	PIC
	APIC
	PIT
	RTC
	PS2
	ACPI
	FwCfg
	Board
	Paging
	Instruction
	VGA
	Disk
)

// names are those of the categories, in the order of their bits.
var names = [...]string{
	"exceptions", "interrupts", "ports", "mmio", "pci", "virtio", "v86fs", "uart", "pic", "apic", "pit", "rtc",
	"ps2", "acpi", "fwcfg", "board", "paging", "instructions", "vga", "disk",
}

// Names are the names of the categories.
func Names() []string { return slices.Clone(names[:]) }

// Parse turns a comma-separated list of category names into a Category.
func Parse(list string) (Category, error) {
	var set Category
	for _, name := range strings.Split(list, ",") {
		i := slices.Index(names[:], name)
		switch {
		case name == "all":
			set |= 1<<len(names) - 1
		case i < 0:
			return 0, fmt.Errorf("there is no trace category %q", name)
		default:
			set |= 1 << i
		}
	}
	return set, nil
}

func (c Category) String() string {
	if i := bits.TrailingZeros32(uint32(c)); i < len(names) && c == 1<<i {
		return names[i]
	}
	return fmt.Sprintf("trace(%#x)", uint32(c))
}

// A Sink is where events go and what they are told with.
type Sink struct {
	// Out takes a line for each event.
	Out io.Writer
	// Name is what a linear address is called, or nothing; it may be nil.
	Name func(linear uint32) string
	// Place is where the processor is, for events that it caused; it may be nil.
	Place func() string
}

var (
	enabled atomic.Uint32
	mu      sync.Mutex // guards sink.Out's writes
	sink    atomic.Pointer[Sink]
)

// Enable sends the events of set to w, one line each.
func Enable(set Category, w io.Writer) { EnableTo(set, Sink{Out: w}) }

// EnableTo sends the events of set to s. No events of no category undo it.
func EnableTo(set Category, s Sink) {
	sink.Store(&s)
	enabled.Store(uint32(set))
}

// Name is what the sink calls a linear address, with a space before it, or
// nothing.
func Name(linear uint32) string {
	if s := sink.Load(); s != nil && s.Name != nil {
		if name := s.Name(linear); name != "" {
			return " " + name
		}
	}
	return ""
}

// place is where the processor is, or nothing.
func place() string {
	if s := sink.Load(); s != nil && s.Place != nil {
		return " at " + s.Place()
	}
	return ""
}

// On reports whether any category of set is enabled.
func On(set Category) bool { return enabled.Load()&uint32(set) != 0 }

// Emit writes one event: its category, its name and its values in hexadecimal.
func Emit(c Category, event string, values ...uint64) {
	var b strings.Builder
	b.WriteString(c.String())
	b.WriteByte(' ')
	b.WriteString(event)
	for _, v := range values {
		fmt.Fprintf(&b, " %#x", v)
	}
	b.WriteByte('\n')
	write(b.String())
}

// Text writes one event whose detail is text. A category of a single kind of
// event needs no name for it.
func Text(c Category, event, detail string) {
	if event != "" {
		detail = event + " " + detail
	}
	write(c.String() + " " + detail + "\n")
}

// Access writes one access of w bytes to an address space: to a port, or to a
// register in memory.
func Access(c Category, event string, at uint64, w int, v uint64) {
	write(fmt.Sprintf("%v %s %#04x %s %#0*x%s\n", c, event, at, widths[w], 2*w, v, place()))
}

var widths = [...]string{1: "byte", 2: "word", 4: "doubleword"}

func write(line string) {
	mu.Lock()
	defer mu.Unlock()
	if s := sink.Load(); s != nil && s.Out != nil {
		io.WriteString(s.Out, line)
	}
}
