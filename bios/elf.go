package bios

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"

	"github.com/gov86/gov86/mem"
)

func isELF(k []byte) bool { return bytes.HasPrefix(k, []byte(elf.ELFMAG)) }

// loadELF stores the segments of an executable for the 386 at their physical
// addresses. It returns the physical entry point and where the image ends.
func loadELF(m *mem.Space, k []byte) (start uint32, end mem.Addr, err error) {
	const remedy = "give an ELF executable for the 386"
	f, err := elf.NewFile(bytes.NewReader(k))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, 0, bad("kernel", "give the whole file", "it is truncated: %d bytes are there", len(k))
	}
	if err != nil {
		return 0, 0, bad("kernel", remedy, "it is a damaged ELF file: %v", err)
	}
	if f.Class == elf.ELFCLASS64 {
		return 0, 0, bad("kernel", "give a 32-bit (i386) kernel", "it is for 64-bit processors")
	}
	if f.Machine != elf.EM_386 || f.Type != elf.ET_EXEC {
		return 0, 0, bad("kernel", remedy, "it is an ELF file of type %v for %v", f.Type, f.Machine)
	}
	found, total := false, uint64(0)
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if p.Filesz > p.Memsz || p.Off > uint64(len(k)) || p.Filesz > uint64(len(k))-p.Off {
			return 0, 0, bad("kernel", "give the whole file", "it is truncated: a segment ends beyond the file")
		}
		at := mem.Addr(p.Paddr)
		if err := checkPart(m, at, at+mem.Addr(p.Memsz)); err != nil {
			return 0, 0, err
		}
		if total += p.Memsz; total > m.RAMSize() {
			return 0, 0, bad("kernel", remedy, "its segments overlap")
		}
		if err := write(m, "kernel", at, k[p.Off:p.Off+p.Filesz]); err != nil {
			return 0, 0, err
		}
		if err := zero(m, at+mem.Addr(p.Filesz), mem.Addr(p.Memsz-p.Filesz)); err != nil {
			return 0, 0, err
		}
		end = max(end, at+mem.Addr(p.Memsz))
		// Linux gives a physical entry point, others the virtual one.
		switch {
		case f.Entry >= p.Paddr && f.Entry < p.Paddr+p.Memsz && !found:
			start, found = uint32(f.Entry), true
		case f.Entry >= p.Vaddr && f.Entry < p.Vaddr+p.Memsz && !found:
			start, found = uint32(f.Entry-p.Vaddr+p.Paddr), true
		}
	}
	if !found {
		return 0, 0, bad("kernel", remedy, "its entry point %#x lies in no segment", f.Entry)
	}
	return start, end, nil
}

// placeELF loads an ELF image and hands it boot_params as the 32-bit boot
// protocol does, since it may be a Linux vmlinux.
func placeELF(m *mem.Space, b Boot) (entry, error) {
	start, end, err := loadELF(m, b.Kernel)
	if err != nil {
		return entry{}, err
	}
	zp := make([]byte, zeroPageLength)
	put16(zp[hdrBootFlag:], bootFlag)
	put32(zp[hdrMagic:], headerMagic)
	put16(zp[hdrVersion:], 0x20f)
	// What follows the image is the kernel's to use while it starts.
	const slack = 4 << 20
	if err := handOver(m, zp, b, end+slack, defaultInitrd+1, 2047); err != nil {
		return entry{}, err
	}
	put64(zp[zpRSDP:], uint64(b.RSDP))
	return entry{eip: start, esi: uint32(paramsAt)}, write(m, "memory", paramsAt, zp)
}
