package bios

import (
	"errors"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// edit returns a copy of k with a doubleword changed.
func edit(k []byte, at int, v uint32) []byte {
	k = append([]byte(nil), k...)
	put32(k[at:], v)
	return k
}

func TestBadKernels(t *testing.T) {
	with := func(change func(*linux)) []byte {
		l := modern()
		change(&l)
		return l.image()
	}
	text := counting(100)
	good := elf32(0x100000, segment{0x100000, 0x100000, 200, text})
	const (
		identClass, machine = 4, 18
		filesz              = 52 + 16
	)
	wide := append([]byte(nil), good...)
	wide[identClass] = 2
	alien := append([]byte(nil), good...)
	alien[machine] = 40 // ARM
	const at = 0x100000
	for _, c := range []struct {
		name   string
		kernel []byte
		part   string
		text   string
	}{
		{"empty", nil, "kernel", "empty"},
		{"text", []byte(strings.Repeat("no kernel ", 1000)), "kernel", "no kernel"},
		{"a few bytes", []byte("#!/bin/sh"), "kernel", "9 bytes"},

		{"64-bit", with(func(l *linux) { l.xloadflag = 1 }), "kernel", "64-bit"},
		{"zImage", with(func(l *linux) { l.loadflags = 0 }), "kernel", "zImage"},
		{"protocol 1", with(func(l *linux) { l.version = 0x100 }), "kernel", "too old"},
		{"no payload", with(func(l *linux) { l.payload = 0 }), "kernel", "truncated"},
		{"syssize of zero", edit(modern().image(), 0x1f4, 0), "kernel", "no kernel follows"},
		{"syssize beyond the file", with(func(l *linux) { l.syssize = 0xffffffff }), "kernel", "truncated"},
		{"setup_sects beyond the file", edit(modern().image(), 0x1f1, 0xff), "kernel", "truncated"},
		{"init_size beyond memory", with(func(l *linux) { l.initSize = 15 << 20 }), "memory", "17 MiB"},
		{"init_size beyond any memory", with(func(l *linux) { l.initSize = 0xffffffff }), "kernel", "lower"},
		{"pref_address beyond memory", with(func(l *linux) { l.prefAddress = 1 << 30 }), "memory", "1025 MiB"},
		{"pref_address beyond 4 GiB", with(func(l *linux) { l.prefAddress = 1 << 32 }), "kernel", "4 GiB"},
		{"pref_address that wraps", with(func(l *linux) { l.prefAddress = ^uint64(0) - 0xffff }), "kernel", "4 GiB"},

		{"ELF for 64 bits", wide, "kernel", ""},
		{"ELF for another processor", alien, "kernel", "ARM"},
		{"ELF cut in its header", good[:40], "kernel", "truncated"},
		{"ELF cut in its program headers", good[:60], "kernel", "truncated"},
		{"ELF that says where sections are, cut before", edit(edit(good, 32, 1<<20), 48, 0x00010001), "kernel", ""},
		{"ELF cut in a segment", good[:len(good)-1], "kernel", "truncated"},
		{"ELF segment larger in the file than in memory", edit(good, filesz, 201), "kernel", "truncated"},
		{"ELF entry in no segment", elf32(0x100000+200, segment{0x100000, 0x100000, 200, text}), "kernel", "entry"},
		{"ELF without segments", elf32(0x100000), "kernel", "entry"},
		{"ELF segment above memory", elf32(at, segment{at, at, 200, text}, segment{0, 16<<20 - 50, 100, text}), "memory", "17 MiB"},
		{"ELF segment that wraps", elf32(at, segment{at, at, 200, text}, segment{0, 0xffffff00, 0xffffffff, text}), "kernel", "lower"},
		{"ELF segment over the boot parameters", elf32(0x10000, segment{0x10000, 0x10000, 200, text}), "kernel", "1 MiB"},
		{"ELF segments that overlap", elf32(at, segment{at, at, 9 << 20, text}, segment{at, at, 9 << 20, text}), "kernel", "overlap"},

		{"Multiboot feature not known", append(multiboot(1<<4), text...), "kernel", "flags"},
		{"Multiboot without addresses, not ELF", append(multiboot(0), text...), "kernel", "ELF"},
		{"Multiboot header cut in the addresses", multiboot(1<<16, at, at, 0, 0), "kernel", "truncated"},
		{"Multiboot load above the header", append(multiboot(1<<16, at, at+4, 0, 0, at), text...), "kernel", "contradict"},
		{"Multiboot load before the file", append(multiboot(1<<16, at+4, at, 0, 0, at), text...), "kernel", "contradict"},
		{"Multiboot load_end before load", append(multiboot(1<<16, at, at, at-1, 0, at), text...), "kernel", "contradict"},
		{"Multiboot load_end beyond the file", append(multiboot(1<<16, at, at, at+9999, 0, at), text...), "kernel", "truncated"},
		{"Multiboot load beyond memory", append(multiboot(1<<16, 17<<20, 17<<20, 0, 0, 17<<20), text...), "memory", "18 MiB"},
		{"Multiboot load that wraps", append(multiboot(1<<16, 0xffffffe0, 0xffffffe0, 0, 0, 0xffffffe0), text...), "kernel", "lower"},
		{"Multiboot bss beyond memory", append(multiboot(1<<16, at, at, 0, 0xffffffff, at), text...), "kernel", "lower"},
		{"Multiboot load over the boot parameters", append(multiboot(1<<16, 0x10000, 0x10000, 0, 0, 0x10000), text...), "kernel", "1 MiB"},
		{"Multiboot entry outside", append(multiboot(1<<16, at, at, 0, 0, at+9999), text...), "kernel", "entry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Load(newMemory(t, 16<<20), new(cpu.State), Boot{Kernel: c.kernel})
			wantBad(t, err, c.part)
			if !strings.Contains(err.Error(), c.text) {
				t.Errorf("%q does not tell of %q", err, c.text)
			}
		})
	}
}

func TestKernelThatNeedsMoreMemoryThanThereIs(t *testing.T) {
	for _, k := range [][]byte{
		modern().image(),
		kludge(),
		elf32(0x100000, segment{0x100000, 0x100000, 200, counting(100)}),
	} {
		err := Load(newMemory(t, mem.MinRAM), new(cpu.State), Boot{Kernel: k})
		wantBad(t, err, "memory")
		if !strings.Contains(err.Error(), "1 MiB are too small") || !strings.Contains(err.Error(), "more") {
			t.Errorf("%q", err)
		}
	}
}

func TestAnImageCutAnywhereIsAnErrorOrLoads(t *testing.T) {
	small := modern()
	small.payload = 100
	m := newMemory(t, 8<<20)
	for _, k := range [][]byte{
		small.image(), kludge()[:100], // no more of it is loaded
		elf32(0x100000, segment{0x100000, 0x100000, 60, counting(50)}, segment{0x200000, 0x200000, 60, counting(50)}),
	} {
		for n := range k {
			err := Load(m, new(cpu.State), Boot{Kernel: k[:n]})
			if err != nil {
				wantBad(t, err, "kernel")
			} else if n < len(k)-15 { // a bzImage may end within its last paragraph
				t.Errorf("%d of %d bytes were loaded as a kernel", n, len(k))
			}
		}
	}
}

// FuzzLoad hands over arbitrary images: they load, or are refused with a reason.
func FuzzLoad(f *testing.F) {
	f.Add(modern().image(), []byte("initrd"), "quiet")
	f.Add(linux{version: 0x200, loadflags: 1, payload: 100}.image(), []byte{}, "")
	f.Add(kludge(), []byte("module"), "a")
	f.Add(elf32(0xc0100000, segment{0xc0100000, 0x100000, 100, counting(20)}), []byte("initrd"), "")
	f.Add(elf32(0x100000, segment{0x100000, 0x100000, 100, append(multiboot(3), 1, 2, 3)}), []byte(nil), "")
	m := newMemory(f, 4<<20)
	f.Fuzz(func(t *testing.T, kernel, initrd []byte, line string) {
		s := new(cpu.State)
		err := Load(m, s, Boot{Kernel: kernel, Initrd: initrd, CommandLine: line})
		if err != nil {
			e := new(Error)
			if !errors.As(err, &e) || e.What == "" || e.Remedy == "" {
				t.Fatalf("error %v, want an *Error with a remedy", err)
			}
			return
		}
		if uint64(s.EIP) >= m.RAMSize() || s.EIP < 0x100000 {
			t.Fatalf("entered at %#x, outside of what was loaded", s.EIP)
		}
	})
}
