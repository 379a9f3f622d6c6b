package mem

import "golang.org/x/sys/unix"

// allocate maps n bytes of a memory file: page-aligned, zero, sparse, never
// moved, outside the Go heap.
func allocate(n int) (ram []byte, file int, err error) {
	fd, err := unix.MemfdCreate("gov86-ram", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, -1, err
	}
	if err = unix.Ftruncate(fd, int64(n)); err == nil {
		ram, err = unix.Mmap(fd, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		unix.Close(fd)
		return nil, -1, err
	}
	return ram, fd, nil
}

func release(ram []byte, file int) error {
	if err := unix.Munmap(ram); err != nil {
		return err
	}
	return unix.Close(file)
}
