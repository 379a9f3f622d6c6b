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
