package jit

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// newRegion reserves codeSize bytes for code, behind the context and the stack.
func newRegion(state *cpu.State, codeSize int) (*region, error) {
	b, err := mapCode(stackSize + codeSize)
	if err != nil {
		return nil, err
	}
	r := &region{data: b[:stackSize:stackSize], code: b[stackSize:]}
	if err := unix.Mprotect(r.data, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		unix.Munmap(b)
		return nil, fmt.Errorf("stack for generated code: %w", err)
	}
	r.context = newContext(r.data, state)
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

// close returns the memory.
func (r *region) close() error {
	if err := unix.Munmap(r.all()); err != nil {
		return fmt.Errorf("memory of the translator: %w", err)
	}
	return nil
}

// prepare derives from the state what generated code needs.
func (e *Engine) prepare() {
	r := e.region
	if e.besideEpoch != e.TLB.Epoch {
		e.besideEpoch = e.TLB.Epoch
		r.beside = [besideSlots]writtenPage{}
	}
	r.pending = e.Attention()
	mode := e.Mode()
	if e.key&keySegmented != 0 {
		e.prepareSegments(mode)
	}
	for _, s := range [...]isa.Seg{isa.FS, isa.GS} {
		r.segments[s], r.flat[s] = e.Seg[s].Base, uint32(mode>>s/cpu.ModeFlatES&1)
		r.reach[s] = unreachable * uint64(1-r.flat[s])
	}
	r.cpl = uint32(e.CPL)
	r.window = e.windows.enter(e.key)
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
