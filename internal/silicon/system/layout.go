package system

import (
	"encoding/binary"

	"github.com/gov86/gov86/cpu"
)

// Where things are in physical memory. Without paging, and with it unless a
// case is about paging, these are linear addresses as well.
const (
	Size = 0x20000

	gdtAt     = 0x1000
	ldtAt     = 0x1800
	idtAt     = 0x2000
	stubsAt   = 0x3000 // a HLT a vector, and more to the end of the page
	tssAt     = 0x4000
	tss2At    = 0x4800
	tss3At    = 0x4c00 // a 16-bit one
	rootAt    = 0x5000 // page directory, or page-directory-pointer table
	middleAt  = 0x6000 // page table, or page directory of PAE paging
	tableAt   = 0x7000 // page table of PAE paging
	codeAt    = 0x8000
	landingAt = 0x9000 // HLTs, for transfers to lead to
	dataAt    = 0xa000
	dataSize  = 0x2000
	innerAt   = 0xc000 // stacks of levels 0 to 2 in the TSS, a page each
	stackAt   = 0xf000 // the stack at the start

	pageSize = 4096
)

// Selectors of descriptors that are always the same.
const (
	code0   = 0x08
	data0   = 0x10
	code16  = 0x48
	data16  = 0x50
	code16u = 0x5b
	data16u = 0x63
	mainTSS = 0x68
	mainLDT = 0x70
	tss2    = 0x78
	tss3    = 0x80
	// From here on they are arbitrary.
	firstRandom = 0x90 >> 3
	gdtEntries  = 48
	ldtEntries  = 16
	idtEntries  = 64
	// ioBitmap is where in the TSS the I/O permission bitmap begins, for
	// ports below 100h. The redirection bitmap lies in front of it.
	ioBitmap   = 0x88
	mainLimit  = ioBitmap + 0x20
	redirectAt = ioBitmap - 0x20
)

// flatCode and flatData are selectors of level cpl.
func flatCode(cpl uint8) uint16 { return code0 + 16*uint16(cpl) | uint16(cpl) }
func flatData(cpl uint8) uint16 { return data0 + 16*uint16(cpl) | uint16(cpl) }

// descriptor makes one: access is bits 8 to 15 of its second doubleword, flags
// are bits 20 to 23.
func descriptor(base, limit uint32, access, flags uint8) uint64 {
	return uint64(limit&0xffff) | uint64(base&0xffffff)<<16 | uint64(access)<<40 |
		uint64(limit>>16&15)<<48 | uint64(flags&15)<<52 | uint64(base>>24)<<56
}

// gate makes a gate.
func gate(selector uint16, offset uint32, access, count uint8) uint64 {
	return uint64(offset&0xffff) | uint64(selector)<<16 | uint64(count)<<32 | uint64(access)<<40 | uint64(offset>>16)<<48
}

// segment is what loading selector puts into the hidden part.
func segment(selector uint16, d uint64) cpu.Segment {
	high := uint32(d >> 32)
	limit := uint32(d&0xffff) | high&0xf0000
	if high&(1<<23) != 0 {
		limit = limit<<12 | 0xfff
	}
	return cpu.Segment{
		Selector: selector, Access: uint16(high>>8) & 0xf0ff, Limit: limit,
		Base: uint32(d>>16)&0xffffff | high&0xff000000, Usable: true,
	}
}

// fixed are the descriptors that are always the same.
func fixed() map[uint16]uint64 {
	all := map[uint16]uint64{
		code16:  descriptor(0, 0xffff, 0x9b, 0),
		data16:  descriptor(0, 0xffff, 0x93, 0),
		code16u: descriptor(0, 0xffff, 0xfb, 0),
		data16u: descriptor(0, 0xffff, 0xf3, 0),
		mainTSS: descriptor(tssAt, mainLimit, 0x8b, 0),
		mainLDT: descriptor(ldtAt, 8*ldtEntries-1, 0x82, 0),
		tss2:    descriptor(tss2At, 0x67, 0x89, 0),
		tss3:    descriptor(tss3At, 0x2b, 0x81, 0),
	}
	for cpl := range uint8(4) {
		all[flatCode(cpl)] = descriptor(0, 0xfffff, 0x9b|cpl<<5, 0xc)
		all[flatData(cpl)] = descriptor(0, 0xfffff, 0x93|cpl<<5, 0xc)
	}
	return all
}

func (c *Case) put16(at int, v uint16) { binary.LittleEndian.PutUint16(c.Memory[at:], v) }
func (c *Case) put32(at int, v uint32) { binary.LittleEndian.PutUint32(c.Memory[at:], v) }
func (c *Case) put64(at int, v uint64) { binary.LittleEndian.PutUint64(c.Memory[at:], v) }
