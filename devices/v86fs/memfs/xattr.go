package memfs

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
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
	if name == aclAccess || name == aclDefault {
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

// The extended attributes that are access control lists, and the tags of
// their entries (Linux, "POSIX ACL on-disk format", version 2).
const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"

	aclVersion   = 2
	aclHead      = 4
	aclEntry     = 8
	aclUserOwner = 0x01
	aclGroup     = 0x04
	aclMask      = 0x10
	aclOther     = 0x20
)

// permissions finds in a list where each class of permissions is: what mode
// shows of the group is the mask, if there is one.
func permissions(acl []byte) (at map[uint16]int, err error) {
	if len(acl) < aclHead || (len(acl)-aclHead)%aclEntry != 0 || binary.LittleEndian.Uint32(acl) != aclVersion {
		return nil, v86fs.EINVAL
	}
	at = map[uint16]int{}
	for i := aclHead; i < len(acl); i += aclEntry {
		at[binary.LittleEndian.Uint16(acl[i:])] = i + 2
	}
	for _, tag := range []uint16{aclUserOwner, aclGroup, aclOther} {
		if at[tag] == 0 {
			return nil, v86fs.EINVAL
		}
	}
	if at[aclMask] != 0 {
		at[aclGroup] = at[aclMask]
	}
	return at, nil
}

// classes are the tags of a mode's three digits.
var classes = [3]uint16{aclOther, aclGroup, aclUserOwner}

// setACL sets a list; the list of access changes the mode with it.
func (p *file) setACL(name string, acl []byte, flags uint32) error {
	at, err := permissions(acl)
	switch {
	case err != nil:
		return err
	case p.kind() == v86fs.ModeSymlink:
		return v86fs.EOPNOTSUPP
	case name == aclDefault:
		if !p.isDir() {
			return v86fs.EACCES
		}
		p.set(name, acl)
		return nil
	}
	for i, tag := range classes {
		bits := uint32(acl[at[tag]] & 7)
		p.attr.Mode = p.attr.Mode&^(7<<(3*i)) | bits<<(3*i)
	}
	if flags&v86fs.XattrNoSGID != 0 {
		p.attr.Mode &^= 0o2000
	}
	if len(acl) == aclHead+3*aclEntry {
		p.unset(name) // it says no more than the mode
		return nil
	}
	p.set(name, acl)
	return nil
}

// chmodACL has the list of access say what the mode does.
func (p *file) chmodACL() {
	acl := p.xattrs[aclAccess]
	if at, err := permissions(acl); err == nil {
		for i, tag := range classes {
			acl[at[tag]] = byte(p.attr.Mode >> (3 * i) & 7)
		}
	}
}

// inheritACL gives a new file what its directory has for new files, no more
// than its maker asked for.
func (p *file) inheritACL(acl []byte) {
	if p.isDir() {
		p.set(aclDefault, acl)
	}
	own := bytes.Clone(acl)
	at, err := permissions(own)
	if err != nil {
		return
	}
	for i, tag := range classes {
		own[at[tag]] &= byte(p.attr.Mode >> (3 * i) & 7)
	}
	p.setACL(aclAccess, own, 0)
}
