//go:build linux && amd64

package window

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// Size is what 32-bit addresses reach, guard what an access that begins below
	// may touch beyond.
	Size     = 1 << 32
	guard    = 1 << 16
	pageSize = 4096
)

// A Window is a range of the host's addresses that stands for the linear addresses
// of a guest: what is shown there is what the guest may access right away.
// Everything else faults.
type Window struct{ memory []byte }

// Lacking says why this host cannot have windows, or nothing: programs must be let
// use FSGSBASE (Linux, getauxval(3), "AT_HWCAP2").
func Lacking() error {
	const hwcap2, fsgsbase = 26, 1 << 1
	aux, err := unix.Auxv()
	if err != nil {
		return err
	}
	for _, v := range aux {
		if v[0] == hwcap2 && v[1]&fsgsbase != 0 {
			return nil
		}
	}
	return errors.New("the system does not let programs use FSGSBASE")
}

// New reserves an empty window.
func New() (w Window, err error) {
	w.memory, err = unix.Mmap(-1, 0, Size+guard, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return w, fmt.Errorf("reserve a window: %w", err)
	}
	return w, nil
}

// Close returns the window's addresses.
func (w Window) Close() error { return unix.Munmap(w.memory) }

// Base is the address that stands for linear address zero.
func (w Window) Base() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(w.memory))) }

// Show maps n pages from page on to the frames of the file from frame on. What
// was there is gone. To touch memory has the system make it present at once.
func (w Window) Show(page, n uint32, file int, frame uint32, writable, touch bool) error {
	prot, flags := unix.PROT_READ, unix.MAP_SHARED|unix.MAP_FIXED
	if writable {
		prot |= unix.PROT_WRITE
	}
	if touch {
		flags |= unix.MAP_POPULATE
	}
	return w.replace(page, n, prot, flags, file, int64(frame)*pageSize)
}

// Hide makes n pages from page on fault.
func (w Window) Hide(page, n uint32) error {
	return w.replace(page, n, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED, -1, 0)
}

func (w Window) replace(page, n uint32, prot, flags, file int, offset int64) error {
	at := w.memory[int(page)*pageSize:]
	// SAFETY: the pages lie in the window, which nothing in Go points into.
	_, err := unix.MmapPtr(file, offset, unsafe.Pointer(unsafe.SliceData(at)), uintptr(n)*pageSize, prot, flags)
	return err
}

// Protect makes n pages that are shown read-only.
func (w Window) Protect(page, n uint32) error {
	return unix.Mprotect(w.memory[int(page)*pageSize:int(page+n)*pageSize], unix.PROT_READ)
}

// Clear makes the whole window fault. The system can always take away the whole of
// a range with many mappings, though it may refuse to cut out more: then the window
// moves.
func (w *Window) Clear() error {
	if w.Hide(0, Size/pageSize) == nil {
		return nil
	}
	if err := w.Close(); err != nil {
		return err
	}
	var err error
	*w, err = New()
	return err
}
