// Package bios puts what a machine starts with into its memory: a kernel,
// entered directly in 32-bit protected mode as a boot loader would enter it.
//
// Three kinds of image are known by their content: a Linux bzImage (the Linux
// x86 boot protocol 2.00 to 2.15), an ELF executable for the 386 (a Linux
// vmlinux, or any small test guest), and a Multiboot 1 image.
package bios

import (
	"errors"
	"fmt"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// A Boot is what to start.
type Boot struct {
	Kernel      []byte
	Initrd      []byte // nil for none
	CommandLine string
	// RSDP is where the ACPI root pointer lies, 0 for none.
	RSDP mem.Addr
}

// Where the loader keeps what it hands over, below what any kernel is loaded to.
const (
	gdtAt         mem.Addr = 0x1000
	paramsAt      mem.Addr = 0x10000 // boot_params, or the Multiboot information
	commandLineAt mem.Addr = 0x20000
	moduleAt      mem.Addr = 0x18000 // Multiboot's module list
	highMemory    mem.Addr = 0x100000

	lowMemoryEnd mem.Addr = 0x9fc00 // the extended BIOS data area begins
	romStart     mem.Addr = 0xf0000
	// commandLineLimit is the room at commandLineAt.
	commandLineLimit = 0x10000 - 1
)

// Selectors of the GDT at gdtAt, as the Linux boot protocol wants them.
const (
	codeSelector = 0x10
	dataSelector = 0x18
)

// An Error is an image that cannot be started: what is wrong with it, and what
// to do.
type Error struct {
	// Part is "kernel", "initrd", "command line" or "memory".
	Part         string
	What, Remedy string
}

func (e *Error) Error() string { return e.Part + ": " + e.What + "; " + e.Remedy }

func bad(part, remedy, format string, args ...any) error {
	return &Error{part, fmt.Sprintf(format, args...), remedy}
}

// Load places b in memory and sets the processor to enter it. It reports an
// *Error when it cannot; the memory may then have been written.
func Load(m *mem.Space, s *cpu.State, b Boot) error {
	if len(b.Kernel) == 0 {
		return bad("kernel", "give a file with a kernel in it", "it is empty")
	}
	entry, err := place(m, b)
	if err != nil {
		return err
	}
	return entry.enter(m, s)
}

func place(m *mem.Space, b Boot) (entry, error) {
	switch {
	case isLinux(b.Kernel):
		return placeLinux(m, b)
	case multibootHeader(b.Kernel) >= 0:
		return placeMultiboot(m, b)
	case isELF(b.Kernel):
		return placeELF(m, b)
	}
	const remedy = "give an i386 bzImage, an ELF file for the 386 or a Multiboot 1 image"
	if len(b.Kernel) < 0x264 {
		return entry{}, bad("kernel", remedy, "it is no kernel: it has %d bytes", len(b.Kernel))
	}
	return entry{}, bad("kernel", remedy, "it is no kernel this machine knows")
}

// An entry is where and how the processor begins.
type entry struct {
	eip           uint32
	eax, ebx, esi uint32
}

// enter sets the processor as both boot protocols want it: protected mode, flat
// segments, no paging, interrupts off.
func (n entry) enter(m *mem.Space, s *cpu.State) error {
	gdt := make([]byte, dataSelector+8)
	put64(gdt[codeSelector:], 0x00cf9b000000ffff)
	put64(gdt[dataSelector:], 0x00cf93000000ffff)
	if err := m.WriteAt(gdt, gdtAt); err != nil {
		return fmt.Errorf("boot GDT: %w", err)
	}
	const data = cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA | cpu.AccessDB | cpu.AccessG
	for i := range s.Seg {
		s.Seg[i] = cpu.Segment{Selector: dataSelector, Access: data, Limit: 0xffffffff, Usable: true}
	}
	s.Seg[isa.CS].Selector = codeSelector
	s.Seg[isa.CS].Access |= cpu.AccessCode
	s.GDTR = cpu.Segment{Base: uint32(gdtAt), Limit: uint32(len(gdt) - 1)}
	s.CPL = 0
	s.CR0 = cpu.CR0PE | cpu.CR0ET
	s.EFLAGS = cpu.FlagOne
	for r := range uint8(8) {
		s.SetReg32(r, 0)
	}
	s.SetReg32(cpu.EAX, n.eax)
	s.SetReg32(cpu.EBX, n.ebx)
	s.SetReg32(cpu.ESI, n.esi)
	s.EIP = n.eip
	return nil
}

// write stores bytes of an image.
func write(m *mem.Space, part string, at mem.Addr, p []byte) error {
	err := m.WriteAt(p, at)
	if errors.Is(err, mem.ErrUnmapped) {
		return bad(part, "give the machine more memory", "%d bytes at %#x do not fit into %d MiB", len(p), at, m.RAMSize()>>20)
	}
	return err
}

// zero zeroes the n bytes at address at, which are RAM.
func zero(m *mem.Space, at, n mem.Addr) error {
	zeros := make([]byte, min(n, 64<<10))
	for n > 0 {
		step := min(n, mem.Addr(len(zeros)))
		if err := write(m, "kernel", at, zeros[:step]); err != nil {
			return err
		}
		at, n = at+step, n-step
	}
	return nil
}

// checkPart reports what is wrong with placing a part of a kernel in [at, end).
func checkPart(m *mem.Space, at, end mem.Addr) error {
	if at < highMemory {
		return bad("kernel", "link it to 1 MiB or above", "a part of it belongs at %#x, where this machine keeps its tables", at)
	}
	return checkRoom(m, end)
}

// checkRoom reports it when there is no RAM up to end.
func checkRoom(m *mem.Space, end mem.Addr) error {
	ram := m.RAMSize()
	switch {
	case end <= mem.Addr(ram):
		return nil
	case end > mem.MaxRAM:
		return bad("kernel", "give one that starts lower", "it needs memory up to %d MiB, no machine has more than %d MiB",
			mebibytes(uint64(end)), uint64(mem.MaxRAM)>>20)
	}
	return bad("memory", "give the machine more", "%d MiB are too small: this kernel needs %d MiB to start",
		ram>>20, mebibytes(uint64(end)))
}

// mebibytes is n in MiB, rounded up.
func mebibytes(n uint64) uint64 {
	if n%(1<<20) != 0 {
		return n>>20 + 1
	}
	return n >> 20
}

// placeInitrd stores the initial RAM disk as high as it may lie: below limit
// and the end of RAM, above floor.
func placeInitrd(m *mem.Space, p []byte, floor, limit mem.Addr) (mem.Addr, error) {
	top := min(limit, mem.Addr(m.RAMSize()))
	if mem.Addr(len(p)) > top || (top-mem.Addr(len(p)))&^0xfff < floor {
		remedy := "give the machine more memory"
		if top < mem.Addr(m.RAMSize()) {
			remedy = "give a smaller one" // the kernel does not reach higher
		}
		return 0, bad("initrd", remedy, "%d MiB do not fit above the kernel and below %d MiB",
			mebibytes(uint64(len(p))), uint64(top)>>20)
	}
	at := (top - mem.Addr(len(p))) &^ 0xfff
	return at, write(m, "initrd", at, p)
}

// placeCommandLine stores the command line, of at most limit bytes.
func placeCommandLine(m *mem.Space, line string, limit int) error {
	if limit = min(limit, commandLineLimit); len(line) > limit {
		return bad("command line", fmt.Sprintf("shorten it to %d", limit), "it has %d bytes", len(line))
	}
	return write(m, "command line", commandLineAt, append([]byte(line), 0))
}

// A region is one entry of the memory map.
type region struct {
	at, size uint64
	kind     uint32 // of E820 and Multiboot: 1 is RAM, 2 reserved
}

// memoryMap is what the BIOS's INT 15h, AX=E820h would report.
func memoryMap(ram uint64) []region {
	return []region{
		{0, uint64(lowMemoryEnd), 1},
		{uint64(lowMemoryEnd), 0xa0000 - uint64(lowMemoryEnd), 2},
		{uint64(romStart), uint64(highMemory - romStart), 2},
		{uint64(highMemory), ram - uint64(highMemory), 1},
	}
}
