package cpu

import "golang.org/x/sys/unix"

// Apart is how many times its size a Table is from the next. Where it is four,
// the rest is zero: a page's number with the address's low two bits above it finds
// nothing unless these are zero.
const Apart = 4

// reserve returns n zero bytes outside the Go heap, page-aligned and sparse:
// pages cost nothing until they are written.
func reserve(n int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err == nil && n >= 1<<21 {
		// Huge pages would make every touched table resident in 2 MiB steps.
		// Kernels without them refuse, which is as good.
		_ = unix.Madvise(b, unix.MADV_NOHUGEPAGE)
	}
	return b, err
}

// release returns what reserve gave.
func release(b []byte) error { return unix.Munmap(b) }
