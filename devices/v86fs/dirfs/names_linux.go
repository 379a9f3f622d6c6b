package dirfs

import (
	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// change runs op with the descriptor of a directory, for a change of its entries.
func (f *FS) change(number v86fs.Node, op func(d *node, dir int) error) (*node, int, error) {
	d, err := f.node(number)
	if err != nil {
		return nil, -1, err
	}
	dir, err := f.directory(d)
	if err != nil {
		return nil, -1, err
	}
	err = fault(op(d, dir))
	f.left(d)
	return d, dir, err
}

// left notes what the guest's own change left of a directory.
func (f *FS) left(d *node) {
	var st unix.Statx_t
	if f.stat(d, &st) == nil {
		d.seen = stampOf(&st)
	}
}

// Create implements v86fs.Backend.
func (f *FS) Create(number v86fs.Node, name string, w v86fs.NewFile) (v86fs.Attr, error) {
	mode := w.Mode & 0o7777 &^ w.Umask
	var a v86fs.Attr
	var err error
	switch w.Mode & v86fs.ModeType {
	case v86fs.ModeRegular:
		a, err = f.create(number, name, mode)
	case v86fs.ModeDir:
		a, err = f.mkdir(number, name, mode)
	case v86fs.ModeSymlink:
		a, err = f.symlink(number, name, w.Target)
	default:
		err = v86fs.EOPNOTSUPP
	}
	if err == nil && w.Open {
		err = f.Open(a.Node, true)
	}
	return a, err
}

func (f *FS) create(number v86fs.Node, name string, mode uint32) (v86fs.Attr, error) {
	d, dir, err := f.change(number, func(_ *node, dir int) error {
		fd, err := unix.Openat(dir, name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode&0o777)
		if err != nil {
			return err
		}
		// The guest applied its umask; the host's must not be added.
		err = unix.Fchmod(fd, mode)
		unix.Close(fd)
		return err
	})
	if err != nil {
		return v86fs.Attr{}, err
	}
	return f.look(d, dir, name)
}

func (f *FS) mkdir(number v86fs.Node, name string, mode uint32) (v86fs.Attr, error) {
	d, dir, err := f.change(number, func(_ *node, dir int) error { return unix.Mkdirat(dir, name, mode) })
	if err != nil {
		return v86fs.Attr{}, err
	}
	a, err := f.look(d, dir, name)
	if err == nil && a.Mode&0o7777 != mode {
		if f.chmod(f.nodes[a.Node], mode) == nil {
			a.Mode = a.Mode&unix.S_IFMT | mode
		}
	}
	return a, err
}

func (f *FS) symlink(number v86fs.Node, name, target string) (v86fs.Attr, error) {
	d, dir, err := f.change(number, func(_ *node, dir int) error { return unix.Symlinkat(target, dir, name) })
	if err != nil {
		return v86fs.Attr{}, err
	}
	return f.look(d, dir, name)
}

// Readlink implements v86fs.Backend.
func (f *FS) Readlink(number v86fs.Node) (string, error) {
	n, err := f.node(number)
	if err != nil {
		return "", err
	}
	var st unix.Statx_t
	if err := f.stat(n, &st); err != nil {
		return "", err
	}
	if n.mode&unix.S_IFMT != unix.S_IFLNK {
		return "", v86fs.EINVAL
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return "", err
	}
	buf := make([]byte, unix.PathMax+1)
	k, err := unix.Readlinkat(dir, n.name, buf)
	return string(buf[:max(k, 0)]), fault(err)
}

// Unlink implements v86fs.Backend.
func (f *FS) Unlink(number v86fs.Node, name string) error { return f.remove(number, name, 0) }

// Rmdir implements v86fs.Backend.
func (f *FS) Rmdir(number v86fs.Node, name string) error {
	return f.remove(number, name, unix.AT_REMOVEDIR)
}

func (f *FS) remove(number v86fs.Node, name string, flags int) error {
	_, _, err := f.change(number, func(_ *node, dir int) error {
		var st unix.Statx_t
		if err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, &st); err != nil {
			return err
		}
		if flags == 0 && uint32(st.Mode)&unix.S_IFMT == unix.S_IFDIR {
			return unix.EISDIR // other systems than Linux say EPERM
		}
		if err := unix.Unlinkat(dir, name, flags); err != nil {
			return err
		}
		f.gone(&st)
		return nil
	})
	return err
}

// gone notes that a name of a file was removed: of its last name, the identity
// may come again for another file, so that this node must not answer to it.
func (f *FS) gone(st *unix.Statx_t) {
	n, ok := f.known[identityOf(st)]
	if !ok || st.Nlink > 1 && uint32(st.Mode)&unix.S_IFMT != unix.S_IFDIR {
		return
	}
	delete(f.known, n.id)
	if n.file == nil {
		f.forget(n)
	}
}

// forget drops a node for good; its number is not used again.
func (f *FS) forget(n *node) {
	if n == f.root {
		return
	}
	if n.dirfd >= 0 {
		f.dirs.Remove(n.lru)
		unix.Close(n.dirfd)
		n.dirfd = -1
	}
	f.watch.remove(n)
	delete(f.nodes, n.number)
	if f.known[n.id] == n {
		delete(f.known, n.id)
	}
}

// Rename implements v86fs.Backend.
func (f *FS) Rename(oldNumber v86fs.Node, oldName string, newNumber v86fs.Node, newName string, flags uint32) error {
	if flags&^unix.RENAME_NOREPLACE != 0 {
		return v86fs.EOPNOTSUPP
	}
	to, err := f.node(newNumber)
	if err != nil {
		return err
	}
	toDir, err := f.directory(to)
	if err != nil {
		return err
	}
	_, _, err = f.change(oldNumber, func(_ *node, dir int) error {
		// The first directory's descriptor may have made room for the second.
		if toDir, err = f.directory(to); err != nil {
			return err
		}
		var moved, replaced unix.Statx_t
		if err := unix.Statx(dir, oldName, unix.AT_SYMLINK_NOFOLLOW, statMask, &moved); err != nil {
			return err
		}
		had := unix.Statx(toDir, newName, unix.AT_SYMLINK_NOFOLLOW, statMask, &replaced) == nil
		if err := unix.Renameat2(dir, oldName, toDir, newName, uint(flags)); err != nil {
			return err
		}
		if had && identityOf(&replaced) != identityOf(&moved) {
			f.gone(&replaced)
		}
		if n, ok := f.known[identityOf(&moved)]; ok {
			n.parent, n.name = to, newName
		}
		return nil
	})
	f.left(to)
	return err
}
