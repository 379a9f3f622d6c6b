package dirfs

import (
	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// change runs op with the descriptor of a directory, for a change of its
// entries; mu is held.
func (f *FS) change(number v86fs.Node, op func(d *node, dir int) error) error {
	d, err := f.node(number)
	if err != nil {
		return err
	}
	dir, err := f.directory(d)
	if err != nil {
		return err
	}
	err = fault(op(d, dir))
	d.moved = true
	return err
}

// Create implements v86fs.Backend.
func (f *FS) Create(number v86fs.Node, name string, w v86fs.NewFile) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var a v86fs.Attr
	err := f.change(number, func(d *node, dir int) error {
		if w.Open {
			if err := mayKeep(); err != nil {
				return err
			}
		}
		// Who makes a file asks for it soon, and for others.
		f.watchDir(d, dir)
		fd := -1
		if w.Mode&v86fs.ModeType == v86fs.ModeRegular {
			var err error
			fd, err = unix.Openat(dir, name, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, w.Mode&0o777)
			if err != nil {
				return err
			}
		} else if err := f.create(dir, name, &w); err != nil {
			return err
		}
		f.expect(d, name, unix.IN_CREATE)
		var st unix.Statx_t
		var n *node
		err := f.finish(dir, name, fd, &w, &st)
		if err == nil {
			n, err = f.meet(d, name, &st)
		}
		if err == nil {
			n.bare = f.bare(fd)
			a = f.entry(d, n, &st)
		}
		if err != nil || !w.Open || fd < 0 {
			if fd >= 0 {
				f.expect(d, name, unix.IN_CLOSE_WRITE)
				unix.Close(fd)
			}
			return err
		}
		kept.Add(1)
		f.opened(n, &openFile{fd: fd, writable: true})
		return nil
	})
	return a, err
}

// create makes what is no regular file.
func (f *FS) create(dir int, name string, w *v86fs.NewFile) error {
	if f.owners == OwnersMapped {
		return f.createMapped(dir, name, w)
	}
	return create(dir, name, w)
}

func create(dir int, name string, w *v86fs.NewFile) error {
	mode := w.Mode & (v86fs.ModeType | 0o777)
	switch w.Mode & v86fs.ModeType {
	case v86fs.ModeDir:
		return unix.Mkdirat(dir, name, w.Mode&0o777)
	case v86fs.ModeSymlink:
		return unix.Symlinkat(w.Target, dir, name)
	case v86fs.ModeFIFO, v86fs.ModeSocket:
		return unix.Mknodat(dir, name, mode, 0)
	case v86fs.ModeChar, v86fs.ModeBlock:
		return unix.Mknodat(dir, name, mode, int(unix.Mkdev(w.Major, w.Minor)))
	}
	return unix.EINVAL
}

// finish gives a file that was made its owner and its mode, which is before the
// guest's umask and not subject to the host's; fd is -1 for what is not open. What
// is right already is left alone: each change costs the host as much as the file.
// In the end st is what the file is like.
func (f *FS) finish(dir int, name string, fd int, w *v86fs.NewFile, st *unix.Statx_t) error {
	if f.owners == OwnersMapped {
		if err := f.finishMapped(dir, name, fd, w); err != nil {
			return err
		}
		return statx(dir, name, fd, st)
	}
	err := statx(dir, name, fd, st)
	if err != nil {
		return err
	}
	chown := f.owners == OwnersHost && (st.Uid != w.UID || st.Gid != w.GID)
	mode := w.Mode & 0o7777 &^ w.Umask
	// A default ACL stands in the place of a umask, and was applied already.
	chmod := w.Mode&v86fs.ModeType != v86fs.ModeSymlink && uint32(st.Mode)&0o7777 != mode && !f.hasDefaultACL(dir)
	if !chown && !chmod {
		return nil
	}
	if fd < 0 {
		if fd, err = unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	if chown {
		if err := unix.Fchownat(fd, "", int(w.UID), int(w.GID), unix.AT_EMPTY_PATH); err != nil {
			return err
		}
	}
	if chmod {
		if err := unix.Fchmodat(unix.AT_FDCWD, descriptorPath(fd), mode, 0); err != nil {
			return err
		}
	}
	return unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, st)
}

// statx asks about an open file, or a name in a directory if fd is -1.
func statx(dir int, name string, fd int, st *unix.Statx_t) error {
	if fd >= 0 {
		return unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, st)
	}
	return unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, st)
}

// Tmpfile implements v86fs.Backend.
func (f *FS) Tmpfile(number v86fs.Node, w v86fs.NewFile) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	dir, err := f.directory(d)
	if err != nil {
		return v86fs.Attr{}, err
	}
	if err := mayKeep(); err != nil {
		return v86fs.Attr{}, err
	}
	flags := unix.O_TMPFILE | unix.O_RDWR | unix.O_CLOEXEC
	if w.NoLink {
		flags |= unix.O_EXCL
	}
	fd, err := unix.Openat(dir, ".", flags, w.Mode&0o777)
	if err != nil {
		return v86fs.Attr{}, fault(err)
	}
	var st unix.Statx_t
	if err = f.finish(dir, "", fd, &w, &st); err == nil && len(f.nodes) >= nodeLimit {
		err = unix.ENFILE
	}
	if err != nil {
		unix.Close(fd)
		return v86fs.Attr{}, fault(err)
	}
	n := f.add(d, "", &st)
	n.lookups++
	kept.Add(1)
	f.opened(n, &openFile{fd: fd, writable: true})
	return f.attrOf(n, &st), nil
}

// Link implements v86fs.Backend.
func (f *FS) Link(number, into v86fs.Node, name string) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var a v86fs.Attr
	n, err := f.node(number)
	if err != nil {
		return a, err
	}
	if n.mode&unix.S_IFMT == unix.S_IFDIR {
		return a, v86fs.EPERM
	}
	err = f.change(into, func(d *node, dir int) error {
		err := f.hold(n, func(fd int) error {
			return unix.Linkat(unix.AT_FDCWD, descriptorPath(fd), dir, name, unix.AT_SYMLINK_FOLLOW)
		})
		if err != nil {
			return err
		}
		// Its descriptor may have made room for the file's directory.
		if dir, err = f.directory(d); err != nil {
			return err
		}
		f.expect(d, name, unix.IN_CREATE)
		if n.name == "" {
			n.parent, n.name = d, name
		}
		a, err = f.look(d, dir, name)
		return err
	})
	return a, err
}

// Readlink implements v86fs.Backend.
func (f *FS) Readlink(number v86fs.Node) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return "", err
	}
	if n.mode&unix.S_IFMT != unix.S_IFLNK && n.stands != unix.S_IFLNK {
		return "", v86fs.EINVAL
	}
	var target string
	err = f.hold(n, func(fd int) error {
		if n.stands != 0 {
			target, err = readStandIn(fd)
			return err
		}
		buf := [unix.PathMax + 1]byte{}
		k, err := unix.Readlinkat(fd, "", buf[:])
		target = string(buf[:max(k, 0)])
		return err
	})
	return target, err
}

// Unlink implements v86fs.Backend.
func (f *FS) Unlink(number v86fs.Node, name string) error { return f.remove(number, name, 0) }

// Rmdir implements v86fs.Backend.
func (f *FS) Rmdir(number v86fs.Node, name string) error {
	return f.remove(number, name, unix.AT_REMOVEDIR)
}

func (f *FS) remove(number v86fs.Node, name string, flags int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.change(number, func(d *node, dir int) error {
		var st unix.Statx_t
		if err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, &st); err != nil {
			return err
		}
		if flags == 0 && uint32(st.Mode)&unix.S_IFMT == unix.S_IFDIR {
			return unix.EISDIR // other systems than Linux say EPERM
		}
		if err := f.keep(d, name, &st); err != nil {
			return err
		}
		if err := unix.Unlinkat(dir, name, flags); err != nil {
			return err
		}
		f.expect(d, name, unix.IN_DELETE)
		f.gone(&st)
		return nil
	})
}

// keep holds a directory that is open in the guest and about to be removed, so
// that what is asked of it afterwards finds it.
func (f *FS) keep(d *node, name string, st *unix.Statx_t) error {
	n, ok := f.known[identityOf(st)]
	if !ok || n.opens == 0 || n.parent != d || n.name != name {
		return nil
	}
	_, err := f.directory(n)
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
	if n.file == nil && n.opens == 0 {
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
	f.mu.Lock()
	defer f.mu.Unlock()
	to, err := f.node(newNumber)
	if err != nil {
		return err
	}
	if _, err = f.directory(to); err != nil {
		return err
	}
	to.moved = true
	return f.change(oldNumber, func(from *node, dir int) error {
		// The first directory's descriptor may have made room for the second.
		toDir, err := f.directory(to)
		if err != nil {
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
		f.expect(from, oldName, unix.IN_MOVED_FROM)
		f.expect(to, newName, unix.IN_MOVED_TO)
		if flags&unix.RENAME_EXCHANGE != 0 {
			f.expect(to, newName, unix.IN_MOVED_FROM)
			f.expect(from, oldName, unix.IN_MOVED_TO)
		}
		if flags&unix.RENAME_WHITEOUT != 0 {
			f.expect(from, oldName, unix.IN_CREATE)
		}
		if had && flags&unix.RENAME_EXCHANGE != 0 {
			if n, ok := f.known[identityOf(&replaced)]; ok {
				n.parent, n.name = from, oldName
			}
		} else if had && identityOf(&replaced) != identityOf(&moved) {
			f.gone(&replaced)
		}
		if n, ok := f.known[identityOf(&moved)]; ok {
			n.parent, n.name = to, newName
		}
		return nil
	})
}
