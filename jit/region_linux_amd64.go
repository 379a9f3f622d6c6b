package jit

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/cpu"
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
