package mem

import "golang.org/x/sys/unix"

// allocate maps n bytes of a memory file: page-aligned, zero, sparse, never
// moved, outside the Go heap.
func allocate(n int) ([]byte, error) {
	fd, err := unix.MemfdCreate("gov86-ram", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, int64(n)); err != nil {
		return nil, err
	}
	return unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func release(b []byte) error { return unix.Munmap(b) }
