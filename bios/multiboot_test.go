package bios

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

func TestMultibootImageIsLoadedByItsAddresses(t *testing.T) {
	m := newMemory(t, 8<<20)
	s := load(t, m, Boot{Kernel: kludge()})
	if s.EIP != 0x100020 || s.Reg32(cpu.EAX) != 0x2badb002 {
		t.Errorf("EIP %#x EAX %#x, want the header's entry and the loader's magic", s.EIP, s.Reg32(cpu.EAX))
	}
	if got := read(t, m, 0x100000, 100); !bytes.Equal(got, kludge()[:100]) {
		t.Error("text and data are not at load_addr")
	}
	if got := read(t, m, 0x100000+100, 4900); !bytes.Equal(got, make([]byte, 4900)) {
		t.Error("the bss from load_end_addr to bss_end_addr is not zero")
	}
	if got := read(t, m, 0x100000+5000, 1)[0]; got != 0xff {
		t.Error("bytes beyond bss_end_addr were written")
	}
}

func TestMultibootAddressesOfZeroMeanTheWholeFileAndNoBSS(t *testing.T) {
	const at = 0x200000
	image := append(make([]byte, 64), multiboot(1<<16, at+64, at, 0, 0, at)...)
	image = append(image, counting(300)...)
	m := newMemory(t, 8<<20)
	if s := load(t, m, Boot{Kernel: image}); s.EIP != at {
		t.Errorf("EIP %#x, want %#x", s.EIP, at)
	}
	if got := read(t, m, at, len(image)+1); !bytes.Equal(got[:len(image)], image) || got[len(image)] != 0xff {
		t.Error("memory is not the file and nothing more")
	}
}

func TestMultibootHeaderMayLieInAnELFImage(t *testing.T) {
	text := append(multiboot(3), counting(50)...)
	m := newMemory(t, 8<<20)
	s := load(t, m, Boot{Kernel: elf32(0xc0100010, segment{0xc0100000, 0x100000, 100, text})})
	if s.EIP != 0x100010 || s.Reg32(cpu.EAX) != 0x2badb002 {
		t.Errorf("EIP %#x EAX %#x, want the physical entry and the loader's magic", s.EIP, s.Reg32(cpu.EAX))
	}
}

func TestMultibootInformation(t *testing.T) {
	m := newMemory(t, 32<<20)
	s := load(t, m, Boot{Kernel: kludge(), Initrd: []byte("module"), CommandLine: "a b"})
	info := read(t, m, mem.Addr(s.Reg32(cpu.EBX)), 116)
	const want = 1<<0 | 1<<2 | 1<<3 | 1<<6 | 1<<9 // mem, cmdline, mods, mmap, name
	if got := get32(info); got != want {
		t.Errorf("flags %#x, want %#x", got, want)
	}
	if lower, upper := get32(info[4:]), get32(info[8:]); lower != 639 || upper != 31<<10 {
		t.Errorf("mem_lower %d, mem_upper %d KiB, want 639 and %d", lower, upper, 31<<10)
	}
	if got := read(t, m, mem.Addr(get32(info[16:])), 4); string(got) != "a b\x00" {
		t.Errorf("cmdline %q", got)
	}
	if got := get32(info[20:]); got != 1 {
		t.Fatalf("mods_count %d, want 1", got)
	}
	module := read(t, m, mem.Addr(get32(info[24:])), 16)
	start, end := get32(module), get32(module[4:])
	if got := read(t, m, mem.Addr(start), 6); string(got) != "module" || end-start != 6 || start%4096 != 0 {
		t.Errorf("module %q from %#x to %#x, want it whole and page-aligned", got, start, end)
	}
	if got := read(t, m, mem.Addr(get32(module[8:])), 1)[0]; got != 0 {
		t.Error("the module's string is not empty")
	}
	length, at := get32(info[44:]), get32(info[48:])
	entries := read(t, m, mem.Addr(at), int(length))
	wantMap(t, 32<<20, int(length)/24, func(i int) (uint64, uint64, uint32) {
		e := entries[24*i:]
		if get32(e) != 20 {
			t.Errorf("entry %d has size %d, want 20", i, get32(e))
		}
		return get64(e[4:]), get64(e[12:]), get32(e[20:])
	})
	if got := read(t, m, mem.Addr(get32(info[64:])), 6); string(got) != "gov86\x00" {
		t.Errorf("boot_loader_name %q", got)
	}
}

func TestMultibootWithoutModulesHasNone(t *testing.T) {
	m := newMemory(t, 8<<20)
	s := load(t, m, Boot{Kernel: kludge()})
	if got := m.Read(mem.Addr(s.Reg32(cpu.EBX)), 4); got&(1<<3) != 0 {
		t.Errorf("flags %#x tell of modules", got)
	}
}

func TestELFIsEnteredAtItsPhysicalAddress(t *testing.T) {
	for _, c := range []struct {
		name  string
		entry uint32
	}{{"physical entry", 0x200004}, {"virtual entry", 0xc0200004}} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory(t, 16<<20)
			k := elf32(c.entry,
				segment{0xc0100000, 0x100000, 50, counting(50)},
				segment{0xc0200000, 0x200000, 9000, counting(100)})
			s := load(t, m, Boot{Kernel: k, Initrd: counting(10), CommandLine: "x"})
			if s.EIP != 0x200004 {
				t.Errorf("EIP %#x, want 200004", s.EIP)
			}
			want := append(counting(100), make([]byte, 8900)...)
			if got := read(t, m, 0x200000, 9001); !bytes.Equal(got[:9000], want) || got[9000] != 0xff {
				t.Error("the second segment is not its bytes, zeros up to p_memsz, and nothing more")
			}
			zp := read(t, m, mem.Addr(s.Reg32(cpu.ESI)), 4096)
			if get16(zp[0x1fe:]) != 0xaa55 || string(zp[0x202:0x206]) != "HdrS" || get32(zp[0x21c:]) != 10 {
				t.Error("a vmlinux finds no boot_params with its initrd")
			}
		})
	}
}
