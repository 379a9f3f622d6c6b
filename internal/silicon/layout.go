package silicon

import (
	"bytes"
	"encoding/binary"
)

// Both sides have the same areas at the same linear addresses. Everything
// around them is absent.
const (
	CodeAt, codePages   = 0x10000000, 16 // executable, read-only
	DataAt, dataPages   = 0x20000000, 3  // the last page read-only, none behind
	StackAt, stackPages = 0x30000000, 2

	pageSize  = 4096
	CodeSize  = codePages * pageSize
	DataSize  = dataPages * pageSize
	StackSize = stackPages * pageSize
)

// Only the native side has its runner, and the records it shares with Go
// (runner.S); only the emulated side has system tables, at the end of the
// address space.
const (
	runnerAt             = 0x08048000
	controlAt, ctrlPages = 0x5a5a0000, 256
	systemAt, sysPages   = 0xfffa0000, 5
)

// foreign reports whether linear address a is something that one side only has.
func foreign(a uint32) bool {
	within := func(at, pages uint32) bool { return a-at < pages*pageSize }
	return within(runnerAt, 1) || within(controlAt, ctrlPages) || within(systemAt, sysPages)
}

// landings is the size of a field of HLTs at the start of the code area, where
// jumps to an address from a register or memory are led.
const landings = 64

func landingField() []byte { return bytes.Repeat([]byte{hlt}, landings) }

// imageUsed is the length of an FXSAVE image up to XMM7.
const imageUsed = 288

// The selectors that both sides have: the two flat segments that Linux gives
// every 32-bit program, and a local descriptor table.
const (
	FlatCode = 0x23
	FlatData = 0x2b
	rpl3LDT  = 7
	longCode = 0x30
)

// A descriptor is an entry of the local descriptor table, as modify_ldt(2)
// takes it. All are at privilege level 3.
type descriptor struct {
	base, limit uint32
	big         bool  // D/B
	contents    uint8 // 0 data, 1 expand-down data, 2 code, 3 conforming code
	restricted  bool  // read-only data, execute-only code
	pages       bool  // G
	absent      bool
}

// LDT are the entries of the local descriptor table.
var LDT = []descriptor{
	LDTData:         {base: DataAt, limit: 2*pageSize - 1, big: true},
	LDTShort:        {base: DataAt + 0x10, limit: 0x2f, big: true},
	LDTReadOnly:     {base: DataAt, limit: 2*pageSize - 1, big: true, restricted: true},
	LDTDown:         {base: DataAt, limit: 0x7ff, big: true, contents: 1},
	LDTDown16:       {base: DataAt, limit: 0x7ff, contents: 1},
	LDTCode:         {limit: 0xfffff, big: true, pages: true, contents: 2},
	LDTExecuteOnly:  {limit: 0xfffff, big: true, pages: true, contents: 2, restricted: true},
	LDTCode16:       {base: CodeAt, limit: 0xffff, contents: 2},
	LDTExecute16:    {base: CodeAt, limit: 0xffff, contents: 2, restricted: true},
	LDTStack16:      {base: StackAt, limit: 2*pageSize - 1},
	LDTStackDown16:  {base: StackAt, limit: pageSize - 1, contents: 1},
	LDTAbsentData:   {base: DataAt, limit: pageSize - 1, big: true, absent: true},
	LDTConforming:   {limit: 0xfffff, big: true, pages: true, contents: 3, absent: true},
	LDTShortCode:    {base: CodeAt, limit: pageSize/2 - 1, big: true, contents: 2},
	LDTAbsentCode:   {limit: 0xfffff, big: true, pages: true, contents: 2, absent: true},
	LDTPages:        {base: DataAt, limit: 1, big: true, pages: true},
	LDTWrapping:     {base: 0x90000000, limit: 0xfffff, big: true, pages: true},
	LDTStackBig:     {base: StackAt, limit: 2*pageSize - 1, big: true},
	LDTDownReadOnly: {base: DataAt, limit: 0x7ff, big: true, contents: 1, restricted: true},
}

// Indices into LDT.
const (
	LDTData = iota
	LDTShort
	LDTReadOnly
	LDTDown
	LDTDown16
	LDTCode
	LDTExecuteOnly
	LDTCode16
	LDTExecute16
	LDTStack16
	LDTStackDown16
	LDTAbsentData
	LDTConforming
	LDTShortCode
	LDTAbsentCode
	LDTPages
	LDTWrapping
	LDTStackBig
	LDTDownReadOnly
)

// Selector is the selector of entry i of the local descriptor table.
func Selector(i int) uint16 { return uint16(i<<3 | rpl3LDT) }

// encode is d as the processor reads it (Intel SDM Vol. 3A, "Segment
// Descriptors"). Linux sets the accessed bit.
func (d *descriptor) encode() uint64 {
	access := uint64(1<<12|3<<13|1<<8) | uint64(d.contents)<<10 // S, DPL 3, A
	if !d.restricted {
		access |= 1 << 9
	}
	if !d.absent {
		access |= 1 << 15
	}
	if d.big {
		access |= 1 << 22
	}
	if d.pages {
		access |= 1 << 23
	}
	base, limit := uint64(d.base), uint64(d.limit)
	return limit&0xffff | base&0xffffff<<16 | base>>24<<56 | limit>>16<<48 | access<<32
}

// userDesc is d as entry number i in struct user_desc of modify_ldt(2).
func (d *descriptor) userDesc(i int) []byte {
	var flags uint32
	for bit, set := range map[int]bool{0: d.big, 3: d.restricted, 4: d.pages, 5: d.absent} {
		if set {
			flags |= 1 << bit
		}
	}
	flags |= uint32(d.contents) << 1
	b := binary.LittleEndian.AppendUint32(nil, uint32(i))
	b = binary.LittleEndian.AppendUint32(b, d.base)
	b = binary.LittleEndian.AppendUint32(b, d.limit)
	return binary.LittleEndian.AppendUint32(b, flags)
}

// gdt is the global descriptor table of a 64-bit Linux as far as user-mode code
// can tell: the flat segments, the kernel's, and nothing that it may load else.
var gdt = [16]uint64{
	1: 0x00cf9b000000ffff, 2: 0x00af9b000000ffff, 3: 0x00cf93000000ffff,
	4: 0x00cffb000000ffff, 5: 0x00cff3000000ffff, 6: 0x00affb000000ffff,
	15: 0x0040f50000000000, // the number of the processor is its limit
}
