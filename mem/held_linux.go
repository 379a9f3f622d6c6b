package mem

import (
	"errors"

	"golang.org/x/sys/unix"
)

// findHeld adds to held the pages of RAM that the host has a page for. It reports
// whether the host could say.
func (s *Space) findHeld(held PageSet) bool {
	for at := int64(0); at < int64(len(s.ram)); {
		first, err := unix.Seek(s.file, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return true // nothing but a hole follows
		}
		if err != nil {
			return false
		}
		if at, err = unix.Seek(s.file, first, unix.SEEK_HOLE); err != nil {
			return false
		}
		held.add(int(first>>pageShift), int((at+pageMask)>>pageShift))
	}
	return true
}
