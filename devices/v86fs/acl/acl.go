// Package acl has what POSIX access control lists are to a backend that keeps its
// own permissions: a list and a mode say the same, and a directory's default list
// is what new files begin with (Linux, "acl(5)").
package acl

import (
	"bytes"
	"encoding/binary"

	"github.com/gov86/gov86/devices/v86fs"
)

// The extended attributes that are access control lists, and the tags of
// their entries (Linux, "POSIX ACL on-disk format", version 2).
const (
	Access  = "system.posix_acl_access"
	Default = "system.posix_acl_default"

	version   = 2
	headSize  = 4
	entrySize = 8

	tagUserOwner = 0x01
	tagGroup     = 0x04
	tagMask      = 0x10
	tagOther     = 0x20
)

// classes are the tags of a mode's three digits, the last one first.
var classes = [3]uint16{tagOther, tagGroup, tagUserOwner}

// permissions finds in a list where each class of permissions is: what mode
// shows of the group is the mask, if there is one.
func permissions(list []byte) (at map[uint16]int, err error) {
	if len(list) < headSize || (len(list)-headSize)%entrySize != 0 || binary.LittleEndian.Uint32(list) != version {
		return nil, v86fs.EINVAL
	}
	at = map[uint16]int{}
	for i := headSize; i < len(list); i += entrySize {
		at[binary.LittleEndian.Uint16(list[i:])] = i + 2
	}
	for _, tag := range classes {
		if at[tag] == 0 {
			return nil, v86fs.EINVAL
		}
	}
	if at[tagMask] != 0 {
		at[tagGroup] = at[tagMask]
	}
	return at, nil
}

// Mode is mode with the permissions that a list of access has. Minimal says that
// the list says no more than the mode, and need not be kept. EINVAL is for what is
// no list.
func Mode(list []byte, mode uint32) (with uint32, minimal bool, err error) {
	at, err := permissions(list)
	if err != nil {
		return 0, false, err
	}
	for i, tag := range classes {
		mode = mode&^(7<<(3*i)) | uint32(list[at[tag]]&7)<<(3*i)
	}
	return mode, len(list) == headSize+len(classes)*entrySize, nil
}

// Chmod is a list of access that says what mode does.
func Chmod(list []byte, mode uint32) []byte {
	out := bytes.Clone(list)
	if at, err := permissions(out); err == nil {
		for i, tag := range classes {
			out[at[tag]] = byte(mode >> (3 * i) & 7)
		}
	}
	return out
}

// Inherit is the list of access of a new file, from its directory's default list:
// no more than its maker asked for.
func Inherit(list []byte, mode uint32) []byte {
	out := bytes.Clone(list)
	if at, err := permissions(out); err == nil {
		for i, tag := range classes {
			out[at[tag]] &= byte(mode >> (3 * i) & 7)
		}
	}
	return out
}

// Set is what setting the list name does to a file: it returns the file's mode with
// it, and whether the list is to be kept.
func Set(name string, list []byte, mode, flags uint32) (with uint32, keep bool, err error) {
	with, minimal, err := Mode(list, mode)
	switch {
	case err != nil:
		return mode, false, err
	case mode&v86fs.ModeType == v86fs.ModeSymlink:
		return mode, false, v86fs.EOPNOTSUPP
	case name == Default && mode&v86fs.ModeType != v86fs.ModeDir:
		return mode, false, v86fs.EACCES
	case name == Default:
		return mode, true, nil
	}
	if flags&v86fs.XattrNoSGID != 0 {
		with &^= 0o2000
	}
	return with, !minimal, nil
}
