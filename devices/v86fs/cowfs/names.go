package cowfs

import (
	"cmp"
	"errors"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/acl"
)

// Readdir implements v86fs.Backend: the names of the base in its order, then those
// of the overlay.
func (f *FS) Readdir(number v86fs.Node) ([]v86fs.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(number)
	if err != nil {
		return nil, err
	}
	return f.list(d)
}

func (f *FS) list(d *node) (out []v86fs.Entry, err error) {
	var own map[string]entry
	if d.saved != nil {
		own = d.saved.entries
	}
	if d.base != 0 && !d.gone {
		below, err := f.base.Readdir(d.base)
		if err != nil {
			return nil, err
		}
		for _, e := range below {
			if _, hidden := own[e.Name]; !hidden {
				e.Node = 0 // the base's number
				out = append(out, e)
			}
		}
	}
	first := len(out)
	for name, e := range own {
		if e.id != 0 {
			n := f.saved[e.id]
			out = append(out, v86fs.Entry{Node: n.number, Ino: n.saved.ino, Type: uint8(n.kind >> 12), Name: name})
		}
	}
	slices.SortFunc(out[first:], func(a, b v86fs.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// room is a directory in which a name is free.
func (f *FS) room(dir v86fs.Node, name string) (*node, error) {
	d, err := f.dir(dir)
	switch {
	case err != nil:
		return nil, err
	case d.gone:
		return nil, v86fs.ENOENT
	}
	if n, err := f.find(d, name); err == nil {
		f.settle(n)
		return nil, v86fs.EEXIST
	} else if !errors.Is(err, v86fs.ENOENT) {
		return nil, err
	}
	return d, nil
}

// Create implements v86fs.Backend.
func (f *FS) Create(dir v86fs.Node, name string, w v86fs.NewFile) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.step()
	d, err := f.room(dir, name)
	if err == nil {
		err = s.renamed(d)
	}
	if err != nil {
		return v86fs.Attr{}, err
	}
	n, err := s.make(d, w)
	if err != nil {
		return v86fs.Attr{}, err
	}
	if err := s.point(d, name, n); err != nil {
		return v86fs.Attr{}, err
	}
	n.saved.links = 1
	if n.isDir() {
		n.saved.links = 2
		s.subdirs(d, 1)
	}
	if err := s.end(); err != nil {
		return v86fs.Attr{}, err
	}
	if w.Open && n.data != 0 {
		if err := f.data.Open(n.data, true); err != nil {
			return v86fs.Attr{}, err
		}
		n.opens++
	}
	return f.counted(n)
}

// subdirs counts what a directory's number of names says of those in it. A host
// that does not count says 1.
func (s *step) subdirs(d *node, by int) {
	if r := d.saved; r.links > 1 {
		r.links = uint32(int(r.links) + by)
	}
}

// make makes a node with a record and no name, as its directory wants it.
func (s *step) make(d *node, w v86fs.NewFile) (*node, error) {
	f := s.f
	now := f.time()
	r := &record{own: true, mode: w.Mode &^ w.Umask, uid: w.UID, gid: w.GID, major: w.Major, minor: w.Minor, target: w.Target,
		atime: now, mtime: now, ctime: now, btime: now, hasBtime: true, xattrs: map[string][]byte{}}
	if w.Mode&v86fs.ModeType != v86fs.ModeSymlink {
		if err := f.inherit(d, r, w.Mode); err != nil {
			return nil, err
		}
	}
	n, err := f.add(&node{kind: w.Mode & v86fs.ModeType, parent: d})
	if err != nil {
		return nil, err
	}
	s.give(n, r)
	switch n.kind {
	case v86fs.ModeDir:
		r.entries = map[string]entry{}
	case v86fs.ModeRegular:
		if n.data, err = f.content(r.id); err != nil {
			delete(f.saved, r.id)
			delete(f.nodes, n.number)
			return nil, err
		}
		r.content = true
	}
	return n, nil
}

// inherit gives a new file the lists that its directory has for new files; its
// mode is then that before the umask.
func (f *FS) inherit(d *node, r *record, mode uint32) error {
	list, err := f.xattr(d, acl.Default)
	if errors.Is(err, v86fs.ENODATA) || errors.Is(err, v86fs.EOPNOTSUPP) {
		return nil
	}
	if err != nil {
		return err
	}
	own := acl.Inherit(list, mode)
	with, keep, err := acl.Set(acl.Access, own, mode, 0)
	if err != nil {
		return nil // the base has what is no list
	}
	r.mode = with
	if keep {
		r.xattrs[acl.Access] = own
	}
	if mode&v86fs.ModeType == v86fs.ModeDir {
		r.xattrs[acl.Default] = list
	}
	return nil
}

// Tmpfile implements v86fs.Backend. What has no name has no place in the overlay.
func (f *FS) Tmpfile(dir v86fs.Node, w v86fs.NewFile) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(dir)
	if err != nil {
		return v86fs.Attr{}, err
	}
	n, err := f.step().make(d, w)
	if err != nil {
		return v86fs.Attr{}, err
	}
	if err := f.data.Open(n.data, true); err != nil {
		return v86fs.Attr{}, err
	}
	n.opens++
	n.nameless, n.noLink, n.parent = true, w.NoLink, nil
	return f.counted(n)
}

// Link implements v86fs.Backend.
func (f *FS) Link(number, dir v86fs.Node, name string) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	d, err := f.room(dir, name)
	switch {
	case err != nil:
		return v86fs.Attr{}, err
	case n.isDir():
		return v86fs.Attr{}, v86fs.EPERM
	case n.gone, n.noLink:
		return v86fs.Attr{}, v86fs.ENOENT
	case n.saved != nil && n.saved.links >= linkMost:
		return v86fs.Attr{}, v86fs.EMLINK
	}
	s := f.step()
	if err := errors.Join(s.renamed(d), s.own(n)); err != nil {
		return v86fs.Attr{}, err
	}
	n.saved.links++
	n.nameless = false
	n.saved.ctime = f.time()
	if err := cmp.Or(s.point(d, name, n), s.end()); err != nil {
		return v86fs.Attr{}, err
	}
	return f.counted(n)
}

// Readlink implements v86fs.Backend.
func (f *FS) Readlink(number v86fs.Node) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	switch {
	case err != nil:
		return "", err
	case n.kind != v86fs.ModeSymlink:
		return "", v86fs.EINVAL
	case n.saved != nil:
		return n.saved.target, nil
	}
	return f.base.Readlink(n.base)
}

// Unlink implements v86fs.Backend.
func (f *FS) Unlink(dir v86fs.Node, name string) error { return f.removal(dir, name, false) }

// Rmdir implements v86fs.Backend.
func (f *FS) Rmdir(dir v86fs.Node, name string) error { return f.removal(dir, name, true) }

func (f *FS) removal(dir v86fs.Node, name string, directory bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(dir)
	if err != nil {
		return err
	}
	n, err := f.find(d, name)
	if err != nil {
		return err
	}
	s := f.step()
	if err = f.removable(n, directory); err == nil {
		if err = s.renamed(d); err == nil {
			err = s.remove(d, name, n)
		}
	}
	if err != nil {
		f.settle(n)
		return err
	}
	return s.end()
}

// removable reports why a file of the kind asked for cannot be removed.
func (f *FS) removable(n *node, directory bool) error {
	switch {
	case n.isDir() && !directory:
		return v86fs.EISDIR
	case !n.isDir() && directory:
		return v86fs.ENOTDIR
	case !directory:
		return nil
	}
	list, err := f.list(n)
	if err == nil && len(list) > 0 {
		err = v86fs.ENOTEMPTY
	}
	return err
}

// remove takes a name of a node away, and the node with its last one.
func (s *step) remove(d *node, name string, n *node) error {
	f := s.f
	if n.saved == nil {
		a, err := f.base.Getattr(n.base)
		if err != nil {
			return err
		}
		if !n.isDir() && a.Nlink > 1 {
			n.kept(d, name)
			if err := s.own(n); err != nil {
				return err
			}
		}
	}
	if err := s.clear(d, name); err != nil {
		return err
	}
	if n.isDir() {
		s.subdirs(d, -1)
		s.bury(n)
		return nil
	}
	if n.saved == nil {
		s.bury(n)
		return nil
	}
	n.saved.links--
	n.saved.ctime = f.time()
	s.touch(n)
	if n.saved.links == 0 {
		s.bury(n)
	}
	return nil
}

// kept notes by which of its names a file is about to get its record.
func (n *node) kept(d *node, name string) {
	if n.saved == nil && n.parent != d {
		n.parent.kids--
		d.kids++
	}
	n.parent, n.name = d, name
}

// within reports whether d is p or in p.
func within(d, p *node) bool {
	for ; d != nil; d = d.parent {
		if d == p {
			return true
		}
	}
	return false
}

// Rename implements v86fs.Backend.
func (f *FS) Rename(oldDir v86fs.Node, oldName string, newDir v86fs.Node, newName string, flags uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, err := f.dir(oldDir)
	if err != nil {
		return err
	}
	p, err := f.find(from, oldName)
	if err != nil {
		return err
	}
	to, err := f.dir(newDir)
	if err != nil {
		return err
	}
	old, err := f.find(to, newName)
	if err != nil && !errors.Is(err, v86fs.ENOENT) {
		return err
	}
	s := f.step()
	switch {
	case p.isDir() && within(to, p):
		return v86fs.EINVAL // into itself
	case to.gone:
		return v86fs.ENOENT
	case flags&v86fs.RenameNoReplace != 0 && old != nil:
		return v86fs.EEXIST
	case flags&v86fs.RenameExchange != 0 && old == nil:
		return v86fs.ENOENT
	case flags&v86fs.RenameExchange != 0 && old.isDir() && within(from, old):
		return v86fs.EINVAL
	case old == p:
		return nil
	}
	if old != nil && flags&v86fs.RenameExchange == 0 {
		if err := f.replaceable(p, old); err != nil {
			return err
		}
	}
	if err := s.move(from, oldName, p, to, newName, old, flags); err != nil {
		return err
	}
	return s.end()
}

// replaceable reports why p cannot take the place of old.
func (f *FS) replaceable(p, old *node) error {
	switch {
	case !old.isDir() && p.isDir():
		return v86fs.ENOTDIR
	case old.isDir() && !p.isDir():
		return v86fs.EISDIR
	}
	return f.removable(old, old.isDir())
}

// move renames p, over old or in exchange for it.
func (s *step) move(from *node, oldName string, p, to *node, newName string, old *node, flags uint32) error {
	exchange := flags&v86fs.RenameExchange != 0
	p.kept(from, oldName)
	if err := errors.Join(s.renamed(from), s.renamed(to), s.own(p)); err != nil {
		return err
	}
	if exchange {
		old.kept(to, newName)
		if err := s.own(old); err != nil {
			return err
		}
	} else if old != nil {
		if err := s.remove(to, newName, old); err != nil {
			return err
		}
	}
	if err := cmp.Or(s.clear(from, oldName), s.point(to, newName, p)); err != nil {
		return err
	}
	s.moved(p, from, to)
	switch {
	case exchange:
		s.moved(old, to, from)
		return s.point(from, oldName, old)
	case flags&v86fs.RenameWhiteout != 0:
		n, err := s.make(from, v86fs.NewFile{Mode: v86fs.ModeChar})
		if err != nil {
			return err
		}
		n.saved.links = 1
		return s.point(from, oldName, n)
	}
	return nil
}

// moved notes that a node went from one directory to another.
func (s *step) moved(n, from, to *node) {
	n.saved.ctime = s.f.time()
	if n.isDir() {
		s.subdirs(from, -1)
		s.subdirs(to, 1)
	}
}
