package dirfs

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

var _ v86fs.Keeper = (*FS)(nil)

// Keep implements v86fs.Keeper.
func (f *FS) Keep(number v86fs.Node) (v86fs.Place, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil || n == f.root {
		return v86fs.Place{}, err
	}
	var names []string
	for p := n; p != f.root; p = p.parent {
		names = append(names, p.name)
	}
	slices.Reverse(names)
	return v86fs.Place{Path: strings.Join(names, "/"), Identity: n.id.text()}, nil
}

// text is an identity for the time when the host has been started anew, and numbers
// its devices otherwise.
func (id identity) text() string {
	return fmt.Sprintf("%d %d.%09d", id.ino, id.birth.Sec, id.birth.Nsec)
}

// Find implements v86fs.Keeper. Each name is looked up in its directory, as a guest
// would, and no link is followed.
func (f *FS) Find(p v86fs.Place, lookups uint64) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.root
	for name := range strings.SplitSeq(p.Path, "/") {
		if p.Path == "" {
			break
		}
		if name == "" || name == "." || name == ".." || strings.ContainsRune(name, 0) {
			return v86fs.Attr{}, v86fs.ESTALE
		}
		dir, err := f.directory(n)
		if err != nil {
			return v86fs.Attr{}, v86fs.ESTALE
		}
		var st unix.Statx_t
		if err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, &st); err != nil {
			return v86fs.Attr{}, v86fs.ESTALE
		}
		if n, err = f.meet(n, name, &st); err != nil {
			return v86fs.Attr{}, err
		}
	}
	if n != f.root && n.id.text() != p.Identity {
		return v86fs.Attr{}, v86fs.ESTALE
	}
	n.lookups += lookups
	return f.getattr(n.number)
}
