package memfs

import (
	"bytes"
	"maps"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/acl"
)

// xattrLimit bounds the extended attributes of one file, names and values.
const xattrLimit = 128 << 10

// Getxattr implements v86fs.Backend.
func (f *FS) Getxattr(n v86fs.Node, name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return nil, err
	}
	v, ok := p.xattrs[name]
	if !ok {
		return nil, v86fs.ENODATA
	}
	return bytes.Clone(v), nil
}

// Setxattr implements v86fs.Backend.
func (f *FS) Setxattr(n v86fs.Node, name string, value []byte, flags uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return err
	}
	old, ok := p.xattrs[name]
	switch {
	case ok && flags&v86fs.XattrCreate != 0:
		return v86fs.EEXIST
	case !ok && flags&v86fs.XattrReplace != 0:
		return v86fs.ENODATA
	}
	size := len(name) + len(value) - len(old)
	for k, v := range p.xattrs {
		size += len(k) + len(v)
	}
	if size > xattrLimit {
		return v86fs.ENOSPC
	}
	if name == acl.Access || name == acl.Default {
		if err := p.setACL(name, value, flags); err != nil {
			return err
		}
	} else {
		p.set(name, value)
	}
	f.changed(p)
	return nil
}

func (p *file) set(name string, value []byte) {
	if p.xattrs == nil {
		p.xattrs = map[string][]byte{}
	}
	p.xattrs[name] = append([]byte{}, value...)
	p.attr.Flags &^= v86fs.AttrNoXattr
}

func (p *file) unset(name string) {
	delete(p.xattrs, name)
	if len(p.xattrs) == 0 {
		p.attr.Flags |= v86fs.AttrNoXattr
	}
}

// Listxattr implements v86fs.Backend, in order of names.
func (f *FS) Listxattr(n v86fs.Node) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(p.xattrs)), nil
}

// Removexattr implements v86fs.Backend.
func (f *FS) Removexattr(n v86fs.Node, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return err
	}
	if _, ok := p.xattrs[name]; !ok {
		return v86fs.ENODATA
	}
	p.unset(name)
	f.changed(p)
	return nil
}

// setACL sets a list; the list of access changes the mode with it.
func (p *file) setACL(name string, list []byte, flags uint32) error {
	mode, keep, err := acl.Set(name, list, p.attr.Mode, flags)
	if err != nil {
		return err
	}
	p.attr.Mode = mode
	if keep {
		p.set(name, list)
	} else {
		p.unset(name)
	}
	return nil
}

// chmodACL has the list of access say what the mode does.
func (p *file) chmodACL() {
	if list, ok := p.xattrs[acl.Access]; ok {
		p.xattrs[acl.Access] = acl.Chmod(list, p.attr.Mode)
	}
}

// inheritACL gives a new file what its directory has for new files.
func (p *file) inheritACL(list []byte) {
	if p.isDir() {
		p.set(acl.Default, list)
	}
	p.setACL(acl.Access, acl.Inherit(list, p.attr.Mode), 0)
}
