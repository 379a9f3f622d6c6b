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
	Board
	Paging
	Instruction
)

var names = map[string]Category{
	"exceptions": Exception, "interrupts": Interrupt, "ports": Port, "mmio": MMIO,
	"pci": PCI, "virtio": Virtio, "v86fs": V86FS, "uart": UART, "pic": PIC,
	"apic": APIC, "pit": PIT, "rtc": RTC, "ps2": PS2, "acpi": ACPI,
	"board": Board, "paging": Paging, "instructions": Instruction,
}

// Parse turns a comma-separated list of category names into a Category.
func Parse(list string) (Category, error) {
	var set Category
	for _, name := range strings.Split(list, ",") {
		if name == "all" {
			for _, c := range names {
				set |= c
			}
			continue
		}
		c, ok := names[name]
		if !ok {
			return 0, fmt.Errorf("unknown trace category %q", name)
		}
		set |= c
	}
	return set, nil
}

func (c Category) String() string {
	for name, bit := range names {
		if bit == c {
			return name
		}
	}
	return fmt.Sprintf("trace(%#x)", uint32(c))
}

var (
	enabled atomic.Uint32
	mu      sync.Mutex
	out     io.Writer
)

// Enable sends the events of set to w, one line each.
func Enable(set Category, w io.Writer) {
	mu.Lock()
	out = w
	mu.Unlock()
	enabled.Store(uint32(set))
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

// Text writes one event whose detail is text.
func Text(c Category, event, detail string) {
	write(c.String() + " " + event + " " + detail + "\n")
}

func write(line string) {
	mu.Lock()
	defer mu.Unlock()
	if out != nil {
		io.WriteString(out, line)
	}
}
