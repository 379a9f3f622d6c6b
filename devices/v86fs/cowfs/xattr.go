package cowfs

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/acl"
)

// xattrLimit bounds the extended attributes of one file, names and values.
const xattrLimit = 128 << 10

// xattr is an extended attribute of a node.
func (f *FS) xattr(n *node, name string) ([]byte, error) {
	if n.saved == nil || n.saved.xattrs == nil {
		if n.base == 0 {
			return nil, v86fs.ENODATA
		}
		v, err := f.base.Getxattr(n.base, name)
		if errors.Is(err, v86fs.EOPNOTSUPP) {
			err = v86fs.ENODATA // the overlay can have it
		}
		return v, err
	}
	if v, ok := n.saved.xattrs[name]; ok {
		return bytes.Clone(v), nil
	}
	return nil, v86fs.ENODATA
}

// takeXattrs has the record of a node hold all extended attributes.
func (f *FS) takeXattrs(n *node) error {
	if n.saved.xattrs != nil {
		return nil
	}
	all := map[string][]byte{}
	names, err := f.base.Listxattr(n.base)
	if err != nil && !errors.Is(err, v86fs.EOPNOTSUPP) {
		return err
	}
	for _, name := range names {
		if all[name], err = f.base.Getxattr(n.base, name); err != nil {
			return err
		}
	}
	n.saved.xattrs = all
	return nil
}

// Getxattr implements v86fs.Backend.
func (f *FS) Getxattr(number v86fs.Node, name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return nil, err
	}
	return f.xattr(n, name)
}

// Listxattr implements v86fs.Backend.
func (f *FS) Listxattr(number v86fs.Node) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return nil, err
	}
	if n.saved == nil || n.saved.xattrs == nil {
		names, err := f.base.Listxattr(n.base)
		if errors.Is(err, v86fs.EOPNOTSUPP) {
			err = nil
		}
		return names, err
	}
	return slices.Sorted(maps.Keys(n.saved.xattrs)), nil
}

// alter changes the extended attributes of a node.
func (f *FS) alter(number v86fs.Node, fn func(n *node, r *record) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return err
	}
	s := f.step()
	if err := s.own(n); err != nil {
		return err
	}
	if err := f.takeXattrs(n); err != nil {
		return err
	}
	err = fn(n, n.saved)
	if err == nil {
		n.saved.ctime = f.time()
	}
	return errors.Join(err, s.end())
}

// Setxattr implements v86fs.Backend.
func (f *FS) Setxattr(number v86fs.Node, name string, value []byte, flags uint32) error {
	return f.alter(number, func(n *node, r *record) error {
		old, ok := r.xattrs[name]
		switch {
		case ok && flags&v86fs.XattrCreate != 0:
			return v86fs.EEXIST
		case !ok && flags&v86fs.XattrReplace != 0:
			return v86fs.ENODATA
		}
		size := len(name) + len(value) - len(old)
		for k, v := range r.xattrs {
			size += len(k) + len(v)
		}
		if size > xattrLimit {
			return v86fs.ENOSPC
		}
		if name == acl.Access || name == acl.Default {
			mode, keep, err := acl.Set(name, value, r.mode, flags)
			if err != nil {
				return err
			}
			if mode != r.mode {
				r.mode = mode
				r.touched |= touchedMode
			}
			if !keep {
				delete(r.xattrs, name)
				return nil
			}
		}
		r.xattrs[name] = append([]byte{}, value...)
		return nil
	})
}

// Removexattr implements v86fs.Backend.
func (f *FS) Removexattr(number v86fs.Node, name string) error {
	return f.alter(number, func(n *node, r *record) error {
		if _, ok := r.xattrs[name]; !ok {
			return v86fs.ENODATA
		}
		delete(r.xattrs, name)
		return nil
	})
}
