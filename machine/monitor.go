package machine

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// A monitorCommand is one of those that GDB's monitor command passes on. The
// second name of most is QEMU's.
type monitorCommand struct {
	names     []string
	arguments string
	help      string
	run       func(m *Machine, w io.Writer, args []string) error
}

var monitorCommands = []monitorCommand{
	{[]string{"registers", "info registers"}, "", "the processor's state", (*Machine).showRegisters},
	{[]string{"devices", "info devices"}, "", "every device's state, without what is zero", (*Machine).showDevices},
	{[]string{"map", "info mem", "info tlb"}, "", "what the page tables map", (*Machine).showMap},
	{[]string{"translate", "gva2gpa"}, "ADDR", "the physical address of a linear one", (*Machine).showTranslation},
	{[]string{"phys", "xp"}, "ADDR [LEN]", "bytes of physical memory", (*Machine).showPhysical},
	{[]string{"time"}, "", "guest time and instructions executed", (*Machine).showTime},
	{[]string{"reset", "system_reset"}, "", "reset the machine and load what it boots", (*Machine).monitorReset},
	{[]string{"power", "system_powerdown"}, "", "press the power button", (*Machine).monitorPower},
	{[]string{"quit"}, "", "end gov86", (*Machine).monitorQuit},
}

// Command implements gdb.Target.
func (d *Debugger) Command(line string) string {
	var said strings.Builder
	d.post(func(m *Machine) {
		if err := m.command(&said, strings.Fields(line)); err != nil {
			fmt.Fprintf(&said, "%v\n", err)
		}
	})
	return said.String()
}

func (m *Machine) command(w io.Writer, words []string) error {
	if len(words) == 0 || words[0] == "help" {
		for _, c := range monitorCommands {
			fmt.Fprintf(w, "%-40s %s\n", strings.TrimSpace(strings.Join(c.names, ", ")+" "+c.arguments), c.help)
		}
		return nil
	}
	for i := range monitorCommands {
		c := &monitorCommands[i]
		for _, name := range c.names {
			n := strings.Count(name, " ") + 1
			if len(words) >= n && strings.Join(words[:n], " ") == name {
				return c.run(m, w, words[n:])
			}
		}
	}
	return fmt.Errorf("there is no command %s; monitor help lists them", strings.Join(words, " "))
}

func (m *Machine) showRegisters(w io.Writer, _ []string) error {
	m.Dump(w)
	return nil
}

func (m *Machine) showDevices(w io.Writer, _ []string) error {
	m.DumpDevices(w)
	return nil
}

func (m *Machine) showTime(w io.Writer, _ []string) error {
	_, err := fmt.Fprintf(w, "%d.%09d s, %d instructions\n", m.Now()/1e9, m.Now()%1e9, m.retired)
	return err
}

// monitorReset resets at once: whatever the debugger asks for next is about the
// machine as it begins again.
func (m *Machine) monitorReset(w io.Writer, _ []string) error {
	if err := m.reset(hard); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	m.debug.told = false
	_, err := io.WriteString(w, "The machine begins again. GDB knows once it has read the registers anew:\n"+
		"maintenance flush register-cache\n")
	return err
}

func (m *Machine) monitorPower(_ io.Writer, _ []string) error {
	m.board.pm.PressPower()
	return nil
}

func (m *Machine) monitorQuit(_ io.Writer, _ []string) error {
	m.debug.quit()
	return nil
}

// address reads the first of args as an address of 32 bits, written as in C.
func address(args []string) (uint32, error) {
	if len(args) == 0 {
		return 0, errors.New("an address is missing, such as 0x100000")
	}
	at, err := strconv.ParseUint(args[0], 0, 32)
	if err != nil {
		return 0, fmt.Errorf("%s is not an address, such as 0x100000", args[0])
	}
	return uint32(at), nil
}

// maxShown bounds what one command shows of memory.
const maxShown = 64 << 10

func (m *Machine) showPhysical(w io.Writer, args []string) error {
	at, err := address(args)
	if err != nil {
		return err
	}
	length := uint64(16)
	if len(args) > 1 {
		if length, err = strconv.ParseUint(args[1], 0, 32); err != nil || length > maxShown {
			return fmt.Errorf("%s is not a length of up to %d", args[1], maxShown)
		}
	}
	p := make([]byte, length)
	n := m.ReadPhysical(p, mem.Addr(at))
	for off := 0; off < n; off += 16 {
		fmt.Fprintf(w, "%08x  % x\n", uint64(at)+uint64(off), p[off:min(off+16, n)])
	}
	if n < len(p) {
		return fmt.Errorf("%08x  no memory", uint64(at)+uint64(n))
	}
	return nil
}

func (m *Machine) showTranslation(w io.Writer, args []string) error {
	at, err := address(args)
	if err != nil {
		return err
	}
	page := m.board.cpu.Look(cpu.Linear(at))
	switch {
	case !page.Present:
		return fmt.Errorf("%08x is not present", at)
	case page.Size == 0:
		return fmt.Errorf("%08x is at %09x: paging is off", at, at)
	}
	_, err = fmt.Fprintf(w, "%08x is at %09x: %s%s%s\n", at, page.At(cpu.Linear(at)), rights(&page),
		letter('A', page.Accessed), letter('D', page.Dirty))
	return err
}

// rights describes a page: its size and what one may do there.
func rights(p *cpu.Mapping) string {
	return fmt.Sprintf("pages of %d KiB, %s%s%s%s", p.Size>>10, letter('u', p.User), letter('w', p.Writable),
		letter('x', !p.NoExec), letter('G', p.Global))
}

func letter(l rune, on bool) string {
	if on {
		return string(l)
	}
	return "-"
}

// showMap lists the present mappings. Neighbours that go on in physical memory
// with the same rights are one line.
func (m *Machine) showMap(w io.Writer, _ []string) error {
	if m.board.cpu.CR0&cpu.CR0PG == 0 {
		return errors.New("paging is off")
	}
	var run cpu.Mapping // the first page of the line at hand, if there is one
	for l := uint64(0); l < 1<<32; {
		page := m.board.cpu.Look(cpu.Linear(l))
		page.Accessed, page.Dirty = false, false
		next := run
		next.Linear, next.Physical = page.Linear, run.At(page.Linear)
		if page != next {
			showRun(w, &run, l)
			run = page
		}
		l += uint64(page.Size)
	}
	showRun(w, &run, 1<<32)
	return nil
}

func showRun(w io.Writer, run *cpu.Mapping, end uint64) {
	if run.Present {
		fmt.Fprintf(w, "%08x-%08x at %09x: %s\n", run.Linear, end-1, run.Physical, rights(run))
	}
}
