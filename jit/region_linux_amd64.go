package jit

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// newRegion reserves codeSize bytes for code.
func newRegion(state *cpu.State, codeSize int) (*region, error) {
	data, err := unix.Mmap(-1, 0, stackSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("stack for generated code: %w", err)
	}
	code, err := mapCode(codeSize)
	if err != nil {
		unix.Munmap(data)
		return nil, err
	}
	r := &region{data: data, code: code}
	r.context = newContext(data, state)
	return r, nil
}

// mapCode reserves memory for code.
func mapCode(size int) ([]byte, error) {
	code, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("the system refuses memory that is writable and executable: %w", err)
	}
	return code, nil
}

// newTable reserves a table of indirect jumps.
func (r *region) newTable() ([]uintptr, error) {
	b, err := unix.Mmap(-1, 0, 8*tableSlots, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("table of jumps: %w", err)
	}
	r.tables = append(r.tables, b)
	return words(b), nil
}

// close returns the memory.
func (r *region) close() error {
	for _, b := range append(r.tables, r.data, r.code) {
		if err := unix.Munmap(b); err != nil {
			return fmt.Errorf("memory of the translator: %w", err)
		}
	}
	return nil
}

// prepare derives from the state what generated code needs.
func (e *Engine) prepare() {
	r := e.region
	r.pending = e.Attention()
	mode := e.Mode()
	for _, s := range [...]isa.Seg{isa.FS, isa.GS} {
		r.segments[s], r.flat[s] = e.Seg[s].Base, uint32(mode>>s/cpu.ModeFlatES&1)
	}
	r.cpl = uint32(e.CPL)
	r.gdt = e.TLB.View[cpu.ReadView][e.GDTR.Base>>12]
	if r.gdt != 0 {
		r.gdt += uintptr(e.GDTR.Base)
		if e.GDTR.Base&0xfff > 0x1000-8*loadSlots || e.GDTR.Limit < 8*loadSlots-1 {
			r.gdt = 0
		}
	}
	r.view = view(&e.TLB, e.DataView())
	r.normal, r.override = r.view, r.view
	if e.CPL != 3 {
		r.normal = view(&e.TLB, 0)
		r.override = r.normal
		if e.CR4&cpu.CR4SMAP != 0 && e.CR0&cpu.CR0PG != 0 {
			r.override = view(&e.TLB, cpu.OverrideView)
		}
	}
}
