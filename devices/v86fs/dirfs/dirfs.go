// Package dirfs is a v86fs backend on a directory of the host.
//
// On Linux each directory the guest knows is reached through a descriptor of
// its own, and each name is one component, never followed if it is a symbolic
// link: no name the guest or the host makes leads outside. A node is an identity
// (device, inode number, birth time); where a name leads to another identity
// than it did, the old node is stale. FIFOs, sockets and devices are seen but
// never opened. Elsewhere os.Root does the same, more slowly.
package dirfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Check reports why dir cannot be shared, in words for a person.
func Check(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such directory", dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: it is not a directory", dir)
	}
	return nil
}
