package jit

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// A jumpTable says for each linear address where an indirect jump to it leads, as
// the distance from the start of the code. That is zero where nothing is known,
// and there the miss stub is. Almost all of it is never touched.
type jumpTable struct {
	entries []uint32
	bytes   []byte
	// writable are the chunks that may be written. Only these count as memory
	// that the system has promised.
	writable []uint32
}

const (
	jumpTableSize = 4 << 32
	// chunkSize is of what is made writable together: the entries of 1 MiB.
	chunkSize = 4 << 20
)

// newJumpTable reserves a table.
func newJumpTable() (*jumpTable, error) {
	b, err := unix.Mmap(-1, 0, jumpTableSize, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("16 GiB of address space for a table of jumps: %w", err)
	}
	// Huge pages would make much of it resident; kernels without them refuse.
	_ = unix.Madvise(b, unix.MADV_NOHUGEPAGE)
	return &jumpTable{entries: doublewords(b), bytes: b}, nil
}

func (t *jumpTable) close() error {
	if err := unix.Munmap(t.bytes); err != nil {
		return fmt.Errorf("table of jumps: %w", err)
	}
	return nil
}

// lead has jumps to linear address l go to code[off]. Where the system refuses
// the memory for it, they go on leaving to the engine.
func (t *jumpTable) lead(l uint32, off int) {
	chunk := l / (chunkSize / 4)
	if !slices.Contains(t.writable, chunk) {
		b := t.bytes[int(chunk)*chunkSize:][:chunkSize]
		if unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE) != nil {
			return
		}
		t.writable = append(t.writable, chunk)
	}
	t.entries[l] = uint32(off)
}

// forget has jumps to l go nowhere, if they go to code[off].
func (t *jumpTable) forget(l uint32, off int) {
	if t.entries[l] == uint32(off) && off != 0 {
		t.entries[l] = 0
	}
}

// clear empties the table.
func (t *jumpTable) clear() {
	for _, chunk := range t.writable {
		b := t.bytes[int(chunk)*chunkSize:][:chunkSize]
		if unix.Madvise(b, unix.MADV_DONTNEED) != nil {
			clear(b) // memory that is locked cannot be given back
		}
	}
}
