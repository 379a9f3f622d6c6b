//go:build !linux

package cpu

import "unsafe"

// Apart is how many times its size a Table is from the next.
const Apart = 1

// reserve returns n zero bytes that hold no pointers, aligned to 4096.
func reserve(n int) ([]byte, error) {
	const align = 4096
	b := make([]byte, n+align)
	// SAFETY: the address is only measured, never kept as a number; the Go heap
	// does not move.
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (align - 1)
	return b[skip : skip+n : skip+n], nil
}

// release leaves what reserve gave to the collector.
func release([]byte) error { return nil }
