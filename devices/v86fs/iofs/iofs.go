// Package iofs is a read-only v86fs backend on an io/fs.FS: files embedded in the
// program, a ZIP archive, or a tree in memory.
//
// A node is a path, and a path that comes to lead to a file of another type gets a
// new node. Symbolic links are shown as such if the FS is a ReadLinkFS; otherwise
// what the FS does with them is seen. Names that are no valid UTF-8, which an FS
// cannot have, are not there.
package iofs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	blockSize = 4096
	// magic is what statfs calls the kind of file system: Linux's romfs, which is
	// as unchangeable.
	magic = 0x7275
	root  = 1
)

// A node is a path that the guest has seen.
type node struct {
	number v86fs.Node
	path   string
	kind   uint32 // type bits of its mode

	mu     sync.Mutex // guards what follows, and is held while the file is read
	opens  int
	stream *stream // of a file that is open
}

// A FS shows an io/fs.FS to a guest. Its methods are those of v86fs.Backend; any
// goroutine may call them if those of the io/fs.FS allow it, as all of the
// standard library's do.
type FS struct {
	v86fs.Unchangeable
	fsys fs.FS

	mu    sync.Mutex
	nodes []*node // by number less one; they are never dropped, so that numbers stay
	known map[string]*node
}

var _ v86fs.Backend = (*FS)(nil)

// New returns a backend on fsys. It fails if the root of fsys is no directory.
func New(fsys fs.FS) (*FS, error) {
	f := &FS{fsys: fsys, known: map[string]*node{}}
	a, err := f.meet(".")
	switch {
	case err != nil:
		return nil, err
	case a.Mode&v86fs.ModeType != v86fs.ModeDir:
		return nil, errors.New("the root of the file system is no directory")
	}
	return f, nil
}

// Traits implements v86fs.Backend.
func (f *FS) Traits() v86fs.Traits { return v86fs.Traits{Concurrent: true} }

// fault is what the guest is told of an error of the FS.
func fault(err error) error {
	for _, c := range []struct {
		is   error
		told v86fs.Errno
	}{{fs.ErrNotExist, v86fs.ENOENT}, {fs.ErrPermission, v86fs.EACCES}, {fs.ErrInvalid, v86fs.EINVAL}, {fs.ErrClosed, v86fs.ESTALE}} {
		if errors.Is(err, c.is) {
			return c.told
		}
	}
	return err
}

// meet finds what is at a path, and its node.
func (f *FS) meet(name string) (v86fs.Attr, error) {
	info, err := fs.Lstat(f.fsys, name)
	if err != nil {
		return v86fs.Attr{}, fault(err)
	}
	mode := modeOf(info.Mode())
	f.mu.Lock()
	n := f.known[name]
	if n == nil || n.kind != mode&v86fs.ModeType {
		n = &node{number: v86fs.Node(len(f.nodes) + 1), path: name, kind: mode & v86fs.ModeType}
		f.nodes = append(f.nodes, n)
		f.known[name] = n
	}
	f.mu.Unlock()
	return attrOf(n, info, mode), nil
}

func attrOf(n *node, info fs.FileInfo, mode uint32) v86fs.Attr {
	size := uint64(max(info.Size(), 0))
	if mode&v86fs.ModeType == v86fs.ModeDir {
		size = 0
	}
	t := v86fs.Time{}
	if m := info.ModTime(); !m.IsZero() {
		t = v86fs.Time{Sec: m.Unix(), Nsec: uint32(m.Nanosecond())}
	}
	a := v86fs.Attr{Node: n.number, Ino: uint64(n.number), Mode: mode, Nlink: 1, Size: size, Blocks: (size + 511) / 512,
		Blksize: blockSize, Atime: t, Mtime: t, Ctime: t, Flags: v86fs.AttrNoXattr}
	if mode&v86fs.ModeType == v86fs.ModeDir {
		a.Nlink = 2
	}
	return a
}

// modeOf is a mode as Linux has it.
func modeOf(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for _, b := range []struct {
		has fs.FileMode
		bit uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.has != 0 {
			mode |= b.bit
		}
	}
	return mode | kindOf(m)
}

func kindOf(m fs.FileMode) uint32 {
	switch {
	case m.IsDir():
		return v86fs.ModeDir
	case m&fs.ModeSymlink != 0:
		return v86fs.ModeSymlink
	case m&fs.ModeNamedPipe != 0:
		return v86fs.ModeFIFO
	case m&fs.ModeSocket != 0:
		return v86fs.ModeSocket
	case m&fs.ModeCharDevice != 0:
		return v86fs.ModeChar
	case m&fs.ModeDevice != 0:
		return v86fs.ModeBlock
	case m&fs.ModeIrregular != 0:
		return v86fs.ModeFIFO // seen, and never opened
	}
	return v86fs.ModeRegular
}

func (f *FS) node(n v86fs.Node) (*node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n < root || n > v86fs.Node(len(f.nodes)) {
		return nil, v86fs.ESTALE
	}
	return f.nodes[n-1], nil
}

// directory is node for a directory.
func (f *FS) directory(number v86fs.Node) (*node, error) {
	n, err := f.node(number)
	if err == nil && n.kind != v86fs.ModeDir {
		err = v86fs.ENOTDIR
	}
	return n, err
}

// Root implements v86fs.Backend.
func (f *FS) Root() (v86fs.Attr, error) { return f.Getattr(root) }

// Lookup implements v86fs.Backend.
func (f *FS) Lookup(dir v86fs.Node, name string) (v86fs.Attr, error) {
	d, err := f.directory(dir)
	if err != nil {
		return v86fs.Attr{}, err
	}
	at := path.Join(d.path, name)
	if !fs.ValidPath(at) {
		return v86fs.Attr{}, v86fs.ENOENT
	}
	return f.meet(at)
}

// Getattr implements v86fs.Backend.
func (f *FS) Getattr(number v86fs.Node) (v86fs.Attr, error) {
	n, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	a, err := f.meet(n.path)
	if errors.Is(err, v86fs.ENOENT) || err == nil && a.Node != number {
		return v86fs.Attr{}, v86fs.ESTALE
	}
	return a, err
}

// Readdir implements v86fs.Backend, in order of names.
func (f *FS) Readdir(number v86fs.Node) ([]v86fs.Entry, error) {
	d, err := f.directory(number)
	if err != nil {
		return nil, err
	}
	list, err := fs.ReadDir(f.fsys, d.path)
	if err != nil {
		return nil, fault(err)
	}
	out := make([]v86fs.Entry, 0, len(list))
	for _, e := range list {
		a, err := f.meet(path.Join(d.path, e.Name()))
		if err != nil {
			continue // it has gone in the meantime
		}
		out = append(out, v86fs.Entry{Node: a.Node, Ino: a.Ino, Type: uint8(a.Mode >> 12), Name: e.Name()})
	}
	slices.SortFunc(out, func(a, b v86fs.Entry) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Readlink implements v86fs.Backend.
func (f *FS) Readlink(number v86fs.Node) (string, error) {
	n, err := f.node(number)
	switch {
	case err != nil:
		return "", err
	case n.kind != v86fs.ModeSymlink:
		return "", v86fs.EINVAL
	}
	target, err := fs.ReadLink(f.fsys, n.path)
	return target, fault(err)
}

// Statfs implements v86fs.Backend: an FS does not say how large it is.
func (f *FS) Statfs() (v86fs.Statfs, error) {
	return v86fs.Statfs{BlockSize: blockSize, FragmentSize: blockSize, NameLength: 255, Kind: magic}, nil
}

// Lock implements v86fs.Backend: no other process has these files.
func (f *FS) Lock(v86fs.Node, v86fs.Lock, <-chan struct{}) error { return nil }

// Shut implements v86fs.Backend.
func (f *FS) Shut() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var wrong []error
	for _, n := range f.nodes {
		n.mu.Lock()
		if err := n.stream.close(); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", n.path, err))
		}
		n.stream = nil
		n.mu.Unlock()
	}
	return errors.Join(wrong...)
}
