//go:build linux && amd64

package kvm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctl makes a request whose argument is the structure at p.
//
// SAFETY: the kernel reads or writes the size that the request's number
// encodes, which is that of T; p is alive during the call.
func ioctl[T any](fd int, request uintptr, p *T) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// request makes a request whose argument is a number.
func request(fd int, request, argument uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, argument)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// place is the address of b, which must be mapped memory: the kernel keeps it.
//
// SAFETY: b is of mmap(2), so the garbage collector neither moves nor frees it.
func place(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }
