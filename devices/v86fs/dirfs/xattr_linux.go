package dirfs

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"

	xattrMost = 65536 // bytes of a value, and of a list of names
)

// abilities finds out what the file system of the shared directory can do.
func (f *FS) abilities() uint32 {
	flags := uint32(v86fs.HasLocks)
	if f.owners != OwnersSquash {
		flags |= v86fs.HasOwners
	}
	root := descriptorPath(f.root.dirfd)
	if _, err := unix.Listxattr(root, nil); err == nil {
		flags |= v86fs.HasXattr
	}
	if f.owners == OwnersMapped {
		return flags | v86fs.HasACL // lists are attributes like others
	}
	if _, err := unix.Getxattr(root, aclDefault, nil); err == nil || err == unix.ENODATA {
		flags |= v86fs.HasACL
	}
	return flags
}

// permitted reports whether the guest may have an attribute. What gives rights on
// the host is for those who share their owners with it.
func (f *FS) permitted(name string) bool {
	return strings.HasPrefix(name, "user.") || name == aclAccess || name == aclDefault ||
		f.owners == OwnersHost && (strings.HasPrefix(name, "trusted.") || strings.HasPrefix(name, "security."))
}

// named runs op with a name by which the host finds a node's attributes, and what
// it calls the attribute.
func (f *FS) named(number v86fs.Node, attribute string, op func(path, name string) error) error {
	name := f.hostName(attribute)
	if attribute != "" && name == "" {
		return v86fs.EOPNOTSUPP
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return err
	}
	return f.hold(n, func(fd int) error { return op(descriptorPath(fd), name) })
}

// alter is named for a change.
func (f *FS) alter(number v86fs.Node, attribute string, op func(path, name string) error) error {
	return f.named(number, attribute, func(path, name string) error {
		n := f.nodes[number]
		n.bare = false
		f.begin(n)
		defer f.end(n)
		return op(path, name)
	})
}

// Getxattr implements v86fs.Backend.
func (f *FS) Getxattr(number v86fs.Node, name string) ([]byte, error) {
	var value []byte
	err := f.named(number, name, func(path, name string) (err error) {
		value, err = getxattr(path, name)
		return err
	})
	return value, err
}

func getxattr(path, name string) ([]byte, error) {
	var small [256]byte
	k, err := unix.Getxattr(path, name, small[:])
	if err == nil {
		return bytes.Clone(small[:k]), nil
	}
	if err != unix.ERANGE {
		return nil, err
	}
	big := make([]byte, xattrMost)
	k, err = unix.Getxattr(path, name, big)
	return big[:max(k, 0)], err
}

// Setxattr implements v86fs.Backend.
func (f *FS) Setxattr(number v86fs.Node, name string, value []byte, flags uint32) error {
	if f.owners == OwnersMapped && (name == aclAccess || name == aclDefault) {
		return f.setListOf(number, name, value, flags)
	}
	return f.alter(number, name, func(path, name string) error {
		how := int(flags & (v86fs.XattrCreate | v86fs.XattrReplace))
		if err := unix.Setxattr(path, name, value, how); err != nil {
			if err == unix.EOPNOTSUPP && f.flags&v86fs.HasACL != 0 && strings.HasPrefix(name, "system.") {
				return unix.EINVAL // it is not of the version that is known
			}
			return err
		}
		if name != aclAccess || flags&v86fs.XattrNoSGID == 0 {
			return nil
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil || st.Mode&unix.S_ISGID == 0 {
			return err
		}
		return unix.Chmod(path, st.Mode&0o7777&^unix.S_ISGID)
	})
}

// Listxattr implements v86fs.Backend.
func (f *FS) Listxattr(number v86fs.Node) ([]string, error) {
	var names []string
	err := f.named(number, "", func(path, _ string) error {
		list := make([]byte, xattrMost)
		k, err := unix.Listxattr(path, list)
		if err != nil {
			return err
		}
		for name := range strings.SplitSeq(string(list[:k]), "\x00") {
			if name = f.guestName(name); name != "" {
				names = append(names, name)
			}
		}
		return nil
	})
	return names, err
}

// Removexattr implements v86fs.Backend.
func (f *FS) Removexattr(number v86fs.Node, name string) error {
	return f.alter(number, name, func(path, name string) error { return unix.Removexattr(path, name) })
}

// bare reports whether an open file that was just made has no attributes, which
// the guest would ask for before it first writes. A descriptor of -1 is none.
func (f *FS) bare(fd int) bool {
	if f.watch == nil || fd < 0 || f.flags&v86fs.HasXattr == 0 {
		return false
	}
	n, err := unix.Flistxattr(fd, nil)
	return err == nil && n == 0
}

// hasDefaultACL reports whether a directory gives an ACL to what is made in it.
func (f *FS) hasDefaultACL(dir int) bool {
	if f.flags&v86fs.HasACL == 0 {
		return false
	}
	n, err := unix.Getxattr(descriptorPath(dir), aclDefault, nil)
	return err == nil && n > 0
}
