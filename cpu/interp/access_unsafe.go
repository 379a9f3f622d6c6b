package interp

import (
	"unsafe"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// SAFETY: an addend in a view is that of a page of guest memory, which is
// mapped as long as the machine lives; the accesses below stay within the page.
// An addend plus a linear address is a whole host address, hence the base nil.

// load8 reads a byte at linear address l.
func (e *Engine) load8(l uint32) (uint32, cpu.Trap) {
	if a := e.read[l>>12]; a != 0 {
		return uint32(*(*uint8)(unsafe.Add(nil, a+uintptr(l)))), cpu.NoTrap
	}
	return e.ReadLinear(cpu.Linear(l), 1, e.Data())
}

// load16 reads a word at linear address l.
func (e *Engine) load16(l uint32) (uint32, cpu.Trap) {
	if a := e.read[l>>12]; a != 0 && l&0xfff <= mem.PageSize-2 {
		return uint32(*(*uint16)(unsafe.Add(nil, a+uintptr(l)))), cpu.NoTrap
	}
	return e.ReadLinear(cpu.Linear(l), 2, e.Data())
}

// load32 reads a doubleword at linear address l.
func (e *Engine) load32(l uint32) (uint32, cpu.Trap) {
	if a := e.read[l>>12]; a != 0 && l&0xfff <= mem.PageSize-4 {
		return *(*uint32)(unsafe.Add(nil, a+uintptr(l))), cpu.NoTrap
	}
	return e.ReadLinear(cpu.Linear(l), 4, e.Data())
}

// load64 reads a quadword at linear address l.
func (e *Engine) load64(l uint32) (uint64, cpu.Trap) {
	if a := e.read[l>>12]; a != 0 && l&0xfff <= mem.PageSize-8 {
		return *(*uint64)(unsafe.Add(nil, a+uintptr(l))), cpu.NoTrap
	}
	return e.ReadLinear64(cpu.Linear(l), e.Data())
}

// store8 writes a byte at linear address l.
func (e *Engine) store8(l, v uint32) cpu.Trap {
	if a := e.write[l>>12]; a != 0 {
		*(*uint8)(unsafe.Add(nil, a+uintptr(l))) = uint8(v)
		return cpu.NoTrap
	}
	return e.WriteLinear(cpu.Linear(l), 1, v, e.Data())
}

// store16 writes a word at linear address l.
func (e *Engine) store16(l, v uint32) cpu.Trap {
	if a := e.write[l>>12]; a != 0 && l&0xfff <= mem.PageSize-2 {
		*(*uint16)(unsafe.Add(nil, a+uintptr(l))) = uint16(v)
		return cpu.NoTrap
	}
	return e.WriteLinear(cpu.Linear(l), 2, v, e.Data())
}

// store32 writes a doubleword at linear address l.
func (e *Engine) store32(l, v uint32) cpu.Trap {
	if a := e.write[l>>12]; a != 0 && l&0xfff <= mem.PageSize-4 {
		*(*uint32)(unsafe.Add(nil, a+uintptr(l))) = v
		return cpu.NoTrap
	}
	return e.WriteLinear(cpu.Linear(l), 4, v, e.Data())
}

// store64 writes a quadword at linear address l: all of it or, on a fault, none.
func (e *Engine) store64(l uint32, v uint64) cpu.Trap {
	if a := e.write[l>>12]; a != 0 && l&0xfff <= mem.PageSize-8 {
		*(*uint64)(unsafe.Add(nil, a+uintptr(l))) = v
		return cpu.NoTrap
	}
	if t := e.Probe(cpu.Linear(l), 8, e.Data()|cpu.Write); t != cpu.NoTrap {
		return t
	}
	if t := e.WriteLinear(cpu.Linear(l), 4, uint32(v), e.Data()); t != cpu.NoTrap {
		return t
	}
	return e.WriteLinear(cpu.Linear(l+4), 4, uint32(v>>32), e.Data())
}

// run returns the bytes of memory from linear address l to the end of its
// page, when they may be accessed on the fast path, for string instructions.
func (e *Engine) run(l uint32, write bool) []byte {
	view := e.read
	if write {
		view = e.write
	}
	a := view[l>>12]
	if a == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Add(nil, a+uintptr(l))), mem.PageSize-l&0xfff)
}

// distance is how many bytes a starts above b in host memory.
func distance(a, b []byte) int {
	return int(uintptr(unsafe.Pointer(unsafe.SliceData(a))) - uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}
