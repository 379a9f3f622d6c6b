package bios

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// newMemory is RAM full of ones, so that what a loader zeroes can be seen.
func newMemory(t testing.TB, size uint64) *mem.Space {
	t.Helper()
	m, err := mem.New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := m.WriteAt(bytes.Repeat([]byte{0xff}, int(min(size, 16<<20))), 0); err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t *testing.T, m *mem.Space, at mem.Addr, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if err := m.ReadAt(p, at); err != nil {
		t.Fatal(err)
	}
	return p
}

// load loads b, which must succeed, and returns the processor's state.
func load(t *testing.T, m *mem.Space, b Boot) *cpu.State {
	t.Helper()
	s := new(cpu.State)
	for r := range uint8(8) {
		s.SetReg32(r, 0xdead0000)
	}
	if err := Load(m, s, b); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLinuxOfEveryProtocolIsLoadedTo1MiB(t *testing.T) {
	for _, l := range []linux{
		{version: 0x200, loadflags: 1, payload: 3000},
		{version: 0x203, loadflags: 1, payload: 3000, initrdMax: 0x3fffff},
		{version: 0x205, loadflags: 1, payload: 3000, initrdMax: 0x3fffff},
		{version: 0x20a, loadflags: 1, payload: 3000, initrdMax: 0x3fffff, cmdlineSize: 100, initSize: 9000},
		{version: 0x20f, loadflags: 1, payload: 3000, initrdMax: 0x3fffff, cmdlineSize: 100, initSize: 9000, setupSects: 4},
	} {
		t.Run(fmt.Sprintf("%d.%02d", l.version>>8, l.version&0xff), func(t *testing.T) {
			m := newMemory(t, 8<<20)
			s := load(t, m, Boot{Kernel: l.image(), CommandLine: "quiet", Initrd: []byte("ramdisk")})
			if got := read(t, m, 0x100000, l.payload); !bytes.Equal(got, counting(l.payload)) {
				t.Error("the protected-mode kernel is not at 1 MiB")
			}
			zp := read(t, m, mem.Addr(s.Reg32(cpu.ESI)), 4096)
			if got := get16(zp[0x206:]); got != l.version {
				t.Errorf("boot_params has version %#x, want that of the kernel, %#x", got, l.version)
			}
			at := mem.Addr(get32(zp[0x218:]))
			if got := read(t, m, at, 7); string(got) != "ramdisk" || get32(zp[0x21c:]) != 7 {
				t.Errorf("%d bytes of initrd at %#x: %q", get32(zp[0x21c:]), at, got)
			}
			if got := read(t, m, mem.Addr(get32(zp[0x228:])), 6); string(got) != "quiet\x00" {
				t.Errorf("the command line is %q", got)
			}
		})
	}
}

func TestEntryStateIsThatOfThe32BitBootProtocol(t *testing.T) {
	m := newMemory(t, 8<<20)
	s := load(t, m, Boot{Kernel: modern().image()})
	if s.EIP != 0x100000 || s.EFLAGS != cpu.FlagOne || s.CR0 != cpu.CR0PE|cpu.CR0ET || s.CPL != 0 {
		t.Errorf("EIP %#x EFLAGS %#x CR0 %#x CPL %d, want protected mode without paging or interrupts at 1 MiB",
			s.EIP, s.EFLAGS, s.CR0, s.CPL)
	}
	for _, r := range []uint8{cpu.EBX, cpu.EBP, cpu.EDI} {
		if s.Reg32(r) != 0 {
			t.Errorf("register %d is %#x, must be zero", r, s.Reg32(r))
		}
	}
	for i, g := range s.Seg {
		want := uint16(0x18) // __BOOT_DS
		if isa.Seg(i) == isa.CS {
			want = 0x10 // __BOOT_CS
		}
		if g.Selector != want || g.Base != 0 || g.Limit != 0xffffffff || g.Access&cpu.AccessDB == 0 {
			t.Errorf("segment %d is %+v, want a flat one with selector %#x", i, g, want)
		}
		// The descriptor is there to be loaded again.
		d := get64(read(t, m, mem.Addr(s.GDTR.Base)+mem.Addr(want), 8))
		if d>>40&0x80 == 0 || d&0xffff != 0xffff || d>>48&0xf != 0xf || (d>>43&1 == 1) != (want == 0x10) {
			t.Errorf("descriptor %#x is %#x", want, d)
		}
	}
}

func TestZeroPageTellsLoaderScreenAndMemory(t *testing.T) {
	m := newMemory(t, 96<<20)
	s := load(t, m, Boot{Kernel: modern().image(), RSDP: 0xf0010})
	zp := read(t, m, mem.Addr(s.Reg32(cpu.ESI)), 4096)
	if !bytes.Equal(zp[0x1f1:0x1fa], modern().image()[0x1f1:0x1fa]) {
		t.Error("the setup header is not the kernel's")
	}
	if zp[0x210] != 0xff || zp[0x211]&1 == 0 {
		t.Errorf("type_of_loader %#x, loadflags %#x: want an unknown loader, LOADED_HIGH", zp[0x210], zp[0x211])
	}
	if got := get64(zp[0x70:]); got != 0xf0010 {
		t.Errorf("acpi_rsdp_addr %#x, want f0010", got)
	}
	if get16(zp[2:]) != 0xffff || get32(zp[0x1e0:]) != 95<<10 {
		t.Errorf("memory above 1 MiB: %d and %d KiB, want 65535 and %d", get16(zp[2:]), get32(zp[0x1e0:]), 95<<10)
	}
	if !bytes.Equal(zp[0x26c:0x2d0], make([]byte, 0x2d0-0x26c)) {
		t.Error("bytes beyond the header, up to the E820 table, must be zero")
	}
	wantMap(t, 96<<20, int(zp[0x1e8]), func(i int) (at, size uint64, kind uint32) {
		e := zp[0x2d0+20*i:]
		return get64(e), get64(e[8:]), get32(e[16:])
	})
}

// wantMap checks a memory map: ascending, RAM below 640 KiB and from 1 MiB to
// the end, and nothing of the adapters' range as RAM.
func wantMap(t *testing.T, ram uint64, n int, entry func(i int) (at, size uint64, kind uint32)) {
	t.Helper()
	var end, usable uint64
	for i := range n {
		at, size, kind := entry(i)
		if at < end {
			t.Errorf("entry %d at %#x overlaps what is below", i, at)
		}
		end = at + size
		if kind == 1 {
			usable += size
			if at < 0x100000 && end > 0x9fc00 {
				t.Errorf("entry %d gives %#x to %#x as RAM", i, at, end)
			}
		}
	}
	if end != ram || usable != ram-0x100000+0x9fc00 {
		t.Errorf("%d entries end at %#x with %d bytes of RAM, want %#x and %d", n, end, usable, ram, ram-0x100000+0x9fc00)
	}
}

func TestInitrdLiesAsHighAsTheKernelAllows(t *testing.T) {
	for _, c := range []struct {
		name     string
		ram      uint64
		max      uint32
		size     int
		at       uint32
		wantPart string
	}{
		{name: "below the end of memory", ram: 16 << 20, max: 0x7fffffff, size: 5000, at: 16<<20 - 8192},
		{name: "below initrd_addr_max", ram: 16 << 20, max: 8<<20 - 1, size: 4096, at: 8<<20 - 4096},
		{name: "initrd_addr_max is the last byte", ram: 16 << 20, max: 8 << 20, size: 4096, at: 8<<20 - 4096},
		{name: "directly above the kernel's init_size", ram: 4 << 20, max: 0x7fffffff, size: 1 << 20, at: 3 << 20},
		{name: "not into the kernel's init_size", ram: 4 << 20, max: 0x7fffffff, size: 1<<20 + 1, wantPart: "initrd"},
		{name: "larger than memory", ram: 4 << 20, max: 0x7fffffff, size: 5 << 20, wantPart: "initrd"},
		{name: "beyond initrd_addr_max", ram: 16 << 20, max: 4<<20 - 1, size: 2 << 20, wantPart: "initrd"},
		{name: "initrd_addr_max of zero", ram: 16 << 20, max: 0, size: 10, wantPart: "initrd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory(t, c.ram)
			l := modern()
			l.initrdMax = c.max
			b := Boot{Kernel: l.image(), Initrd: counting(c.size)}
			if c.wantPart != "" {
				err := Load(m, new(cpu.State), b)
				wantBad(t, err, c.wantPart)
				if more := strings.Contains(err.Error(), "more memory"); more != (uint64(c.max) > c.ram) {
					t.Errorf("%q, with RAM up to %#x and initrd_addr_max %#x", err, c.ram, c.max)
				}
				return
			}
			s := load(t, m, b)
			zp := read(t, m, mem.Addr(s.Reg32(cpu.ESI)), 4096)
			if at := get32(zp[0x218:]); at != c.at {
				t.Errorf("initrd at %#x, want %#x", at, c.at)
			}
			if got := read(t, m, mem.Addr(c.at), c.size); !bytes.Equal(got, b.Initrd) {
				t.Error("the initrd differs in memory")
			}
			if got := read(t, m, 0x100000, l.payload); !bytes.Equal(got, counting(l.payload)) {
				t.Error("the kernel was overwritten")
			}
		})
	}
}

func TestCommandLineMayBeAsLongAsTheKernelSays(t *testing.T) {
	old, now := linux{version: 0x205, loadflags: 1, payload: 100, initrdMax: 1 << 30}, modern()
	huge := modern()
	huge.cmdlineSize = 0xffffffff
	for _, c := range []struct {
		kernel []byte
		limit  int
	}{
		{old.image(), 255}, {now.image(), 2047}, {huge.image(), 65535}, {kludge(), 65535},
		{elf32(0x100000, segment{0x100000, 0x100000, 10, counting(10)}), 2047},
	} {
		m := newMemory(t, 8<<20)
		load(t, m, Boot{Kernel: c.kernel, CommandLine: strings.Repeat("x", c.limit)})
		err := Load(m, new(cpu.State), Boot{Kernel: c.kernel, CommandLine: strings.Repeat("x", c.limit+1)})
		wantBad(t, err, "command line")
		if !strings.Contains(err.Error(), fmt.Sprint(c.limit)) {
			t.Errorf("%q does not name the limit %d", err, c.limit)
		}
	}
}

func wantBad(t *testing.T, err error, part string) {
	t.Helper()
	e := new(Error)
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want an *Error", err)
	}
	if e.Part != part || e.What == "" || e.Remedy == "" || strings.Contains(e.Error(), "\n") {
		t.Errorf("%q (%s), want one line about the %s with a remedy", e, e.Part, part)
	}
}
