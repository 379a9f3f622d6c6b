package memfs

import (
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/acl"
)

// entry puts a file under a name that is free.
func (f *FS) entry(d *file, name string, p *file) {
	d.entries[name] = p
	p.names++
	if p.isDir() {
		p.parent = d
		p.attr.Nlink = 2
		for _, q := range p.entries {
			if q.isDir() {
				p.attr.Nlink++
			}
		}
		d.attr.Nlink++
	} else {
		p.attr.Nlink = uint32(p.names)
	}
	f.modified(d)
	f.changed(p)
}

// leave takes a name away, and the file with its last one.
func (f *FS) leave(d *file, name string, p *file) {
	delete(d.entries, name)
	p.names--
	if p.isDir() {
		p.attr.Nlink = 0
		d.attr.Nlink--
	} else {
		p.attr.Nlink = uint32(p.names)
	}
	f.modified(d)
	f.changed(p)
}

func (f *FS) remove(d *file, name string, p *file) {
	f.leave(d, name, p)
	f.drop(p)
}

// room is a directory in which a name is free.
func (f *FS) room(dir v86fs.Node, name string) (*file, error) {
	d, err := f.dir(dir)
	switch {
	case err != nil:
	case d.names == 0:
		err = v86fs.ENOENT // the directory was removed
	case d.entries[name] != nil:
		err = v86fs.EEXIST
	}
	return d, err
}

// Create implements v86fs.Backend.
func (f *FS) Create(dir v86fs.Node, name string, w v86fs.NewFile) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.room(dir, name)
	if err != nil {
		return v86fs.Attr{}, err
	}
	p, err := f.inherit(d, w)
	if err != nil {
		return v86fs.Attr{}, err
	}
	f.entry(d, name, p)
	if w.Open {
		p.opens++
	}
	return attrOf(p), nil
}

// Tmpfile implements v86fs.Backend.
func (f *FS) Tmpfile(dir v86fs.Node, w v86fs.NewFile) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(dir)
	if err != nil {
		return v86fs.Attr{}, err
	}
	p, err := f.inherit(d, w)
	if err != nil {
		return v86fs.Attr{}, err
	}
	p.opens, p.noLink = 1, w.NoLink
	return attrOf(p), nil
}

// inherit makes a file without a name as its directory wants it.
func (f *FS) inherit(d *file, w v86fs.NewFile) (*file, error) {
	if len(f.files) >= maxFiles {
		return nil, v86fs.ENOSPC
	}
	list := d.xattrs[acl.Default]
	if list != nil && w.Mode&v86fs.ModeType != v86fs.ModeSymlink {
		w.Umask = 0
	}
	p := f.make(w)
	if list != nil && p.kind() != v86fs.ModeSymlink {
		p.inheritACL(list)
	}
	return p, nil
}

// Link implements v86fs.Backend.
func (f *FS) Link(n, dir v86fs.Node, name string) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return v86fs.Attr{}, err
	}
	d, err := f.room(dir, name)
	switch {
	case err != nil:
		return v86fs.Attr{}, err
	case p.isDir():
		return v86fs.Attr{}, v86fs.EPERM
	case p.noLink:
		return v86fs.Attr{}, v86fs.ENOENT
	case p.names >= maxLinks:
		return v86fs.Attr{}, v86fs.EMLINK
	}
	f.entry(d, name, p)
	return attrOf(p), nil
}

// Readlink implements v86fs.Backend.
func (f *FS) Readlink(n v86fs.Node) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err == nil && p.kind() != v86fs.ModeSymlink {
		err = v86fs.EINVAL
	}
	if err != nil {
		return "", err
	}
	return p.target, nil
}

// find is a name in a directory.
func (f *FS) find(dir v86fs.Node, name string) (d, p *file, err error) {
	if d, err = f.dir(dir); err != nil {
		return nil, nil, err
	}
	p, ok := d.entries[name]
	if !ok {
		return nil, nil, v86fs.ENOENT
	}
	return d, p, nil
}

// Unlink implements v86fs.Backend.
func (f *FS) Unlink(dir v86fs.Node, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, p, err := f.find(dir, name)
	switch {
	case err != nil:
		return err
	case p.isDir():
		return v86fs.EISDIR
	}
	f.remove(d, name, p)
	return nil
}

// Rmdir implements v86fs.Backend.
func (f *FS) Rmdir(dir v86fs.Node, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, p, err := f.find(dir, name)
	switch {
	case err != nil:
		return err
	case !p.isDir():
		return v86fs.ENOTDIR
	case len(p.entries) > 0:
		return v86fs.ENOTEMPTY
	}
	f.remove(d, name, p)
	return nil
}

// within reports whether d is p or in p.
func within(d, p *file) bool {
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
	from, p, err := f.find(oldDir, oldName)
	if err != nil {
		return err
	}
	to, err := f.dir(newDir)
	if err != nil {
		return err
	}
	old := to.entries[newName]
	switch {
	case within(to, p):
		return v86fs.EINVAL // into itself
	case to.names == 0:
		return v86fs.ENOENT
	case flags&v86fs.RenameNoReplace != 0 && old != nil:
		return v86fs.EEXIST
	case flags&v86fs.RenameExchange != 0:
		return f.exchange(from, oldName, p, to, newName, old)
	case old == p:
		return nil
	}
	if err := f.makeWay(to, newName, p, old); err != nil {
		return err
	}
	f.move(from, oldName, p, to, newName)
	if flags&v86fs.RenameWhiteout != 0 {
		f.entry(from, oldName, f.make(v86fs.NewFile{Mode: v86fs.ModeChar}))
	}
	return nil
}

// makeWay removes what is under the name that p is to have.
func (f *FS) makeWay(to *file, name string, p, old *file) error {
	switch {
	case old == nil:
		return nil
	case !old.isDir() && p.isDir():
		return v86fs.ENOTDIR
	case old.isDir() && !p.isDir():
		return v86fs.EISDIR
	case len(old.entries) > 0:
		return v86fs.ENOTEMPTY
	}
	f.remove(to, name, old)
	return nil
}

func (f *FS) move(from *file, oldName string, p, to *file, newName string) {
	f.leave(from, oldName, p)
	f.entry(to, newName, p)
}

// exchange has two files swap their names.
func (f *FS) exchange(from *file, oldName string, p, to *file, newName string, old *file) error {
	switch {
	case old == nil:
		return v86fs.ENOENT
	case within(from, old):
		return v86fs.EINVAL
	case old == p:
		return nil
	}
	f.leave(from, oldName, p)
	f.leave(to, newName, old)
	f.entry(to, newName, p)
	f.entry(from, oldName, old)
	return nil
}
