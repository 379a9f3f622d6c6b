package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData waits until what was written to f is on the medium, and as much of
// the file's description as it takes to read it.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// punch makes a hole in f, and reports whether its file system has holes.
func punch(f *os.File, off, n int64) bool {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n) == nil
}
