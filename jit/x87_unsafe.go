//go:build linux && amd64

package jit

import "unsafe"

// An x87Context is the part of a context that x87 instructions use.
type x87Context struct {
	// live is set while the guest's x87 registers are in the host's.
	live uint32
	// last is the number of the last instruction that set the instruction
	// pointer, of those in unit.x87s; 0 is none.
	last uint32
	// data and selector are the offset and the segment of the last memory
	// operand; the selector is noData if there was none.
	data, selector uint32
	// control is a control word on its way to the host's.
	control uint32
}

// noData is no selector.
const noData = 1 << 16

// SAFETY: these are only offsets, of fields without pointers.
const (
	offX87         = int32(unsafe.Offsetof(context{}.x87))
	offX87Live     = offX87 + int32(unsafe.Offsetof(x87Context{}.live))
	offX87Last     = offX87 + int32(unsafe.Offsetof(x87Context{}.last))
	offX87Data     = offX87 + int32(unsafe.Offsetof(x87Context{}.data))
	offX87Selector = offX87 + int32(unsafe.Offsetof(x87Context{}.selector))
	offX87Control  = offX87 + int32(unsafe.Offsetof(x87Context{}.control))
)
