// Package memfs is a v86fs backend in memory: a tree of files that lives as
// long as the process.
package memfs

import (
	"sort"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	// DefaultLimit bounds the bytes of all files together.
	DefaultLimit = 256 << 20
	maxFiles     = 1 << 20
	blockSize    = 4096
)

// A file is a regular file, a directory or a symbolic link.
type file struct {
	attr    v86fs.Attr
	pages   map[uint64]*[blockSize]byte // by number; those not there are holes
	target  string
	entries map[string]*file
	opens   int
	names   int // how many directory entries name it: 1, or 0 once unlinked
	parent  *file
}

// A FS is a tree. Its methods are those of v86fs.Backend.
type FS struct {
	root  *file
	files map[v86fs.Node]*file
	next  v86fs.Node
	used  uint64
	limit uint64
	now   func() (sec int64, nsec uint32)
}

var _ v86fs.Backend = (*FS)(nil)

// New returns an empty tree of at most limit bytes. now is the time of day,
// nil for always zero.
func New(limit uint64, now func() (sec int64, nsec uint32)) *FS {
	if now == nil {
		now = func() (int64, uint32) { return 0, 0 }
	}
	f := &FS{files: map[v86fs.Node]*file{}, limit: limit, now: now}
	f.root = f.make(v86fs.ModeDir | 0o755)
	f.root.names = 1
	return f
}

func (f *FS) make(mode uint32) *file {
	f.next++
	n := &file{attr: v86fs.Attr{Node: f.next, Mode: mode}}
	if mode&v86fs.ModeType == v86fs.ModeDir {
		n.entries = map[string]*file{}
	} else {
		n.pages = map[uint64]*[blockSize]byte{}
	}
	f.touch(n)
	f.files[f.next] = n
	return n
}

func (f *FS) touch(n *file) { n.attr.MtimeSec, n.attr.MtimeNsec = f.now() }

// file finds a node that still exists.
func (f *FS) file(n v86fs.Node) (*file, error) {
	if p, ok := f.files[n]; ok {
		return p, nil
	}
	return nil, v86fs.ESTALE
}

func (f *FS) dir(n v86fs.Node) (*file, error) {
	p, err := f.file(n)
	if err == nil && p.entries == nil {
		err = v86fs.ENOTDIR
	}
	return p, err
}

// regular finds a node with content.
func (f *FS) regular(n v86fs.Node) (*file, error) {
	p, err := f.file(n)
	switch {
	case err != nil:
	case p.entries != nil:
		err = v86fs.EISDIR
	case p.attr.Mode&v86fs.ModeType != v86fs.ModeRegular:
		err = v86fs.EINVAL
	}
	return p, err
}

// Root implements v86fs.Backend.
func (f *FS) Root() (v86fs.Attr, error) { return f.root.attr, nil }

// Lookup implements v86fs.Backend.
func (f *FS) Lookup(dir v86fs.Node, name string) (v86fs.Attr, error) {
	d, err := f.dir(dir)
	if err != nil {
		return v86fs.Attr{}, err
	}
	p, ok := d.entries[name]
	if !ok {
		return v86fs.Attr{}, v86fs.ENOENT
	}
	return p.attr, nil
}

// Getattr implements v86fs.Backend.
func (f *FS) Getattr(n v86fs.Node) (v86fs.Attr, error) {
	p, err := f.file(n)
	if err != nil {
		return v86fs.Attr{}, err
	}
	return p.attr, nil
}

// Readdir implements v86fs.Backend, in order of names.
func (f *FS) Readdir(dir v86fs.Node) ([]v86fs.Entry, error) {
	d, err := f.dir(dir)
	if err != nil {
		return nil, err
	}
	out := make([]v86fs.Entry, 0, len(d.entries))
	for name, p := range d.entries {
		out = append(out, v86fs.Entry{Node: p.attr.Node, Type: uint8(p.attr.Mode >> 12), Name: name})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Open implements v86fs.Backend.
func (f *FS) Open(n v86fs.Node, _ bool) error {
	p, err := f.regular(n)
	if err == nil {
		p.opens++
	}
	return err
}

// Close implements v86fs.Backend.
func (f *FS) Close(n v86fs.Node) {
	if p, ok := f.files[n]; ok && p.opens > 0 {
		p.opens--
		f.drop(p)
	}
}

// drop forgets a file without names and opens.
func (f *FS) drop(p *file) {
	if p.names == 0 && p.opens == 0 {
		f.used -= uint64(len(p.pages)) * blockSize
		delete(f.files, p.attr.Node)
	}
}

// Read implements v86fs.Backend.
func (f *FS) Read(n v86fs.Node, b []byte, off uint64) (int, error) {
	p, err := f.regular(n)
	if err != nil || off >= p.attr.Size {
		return 0, err
	}
	b = b[:min(uint64(len(b)), p.attr.Size-off)]
	for done := 0; done < len(b); {
		at := off + uint64(done)
		k := min(len(b)-done, blockSize-int(at%blockSize))
		if page := p.pages[at/blockSize]; page != nil {
			copy(b[done:done+k], page[at%blockSize:])
		} else {
			clear(b[done : done+k])
		}
		done += k
	}
	return len(b), nil
}

// Write implements v86fs.Backend.
func (f *FS) Write(n v86fs.Node, b []byte, off uint64) (int, error) {
	p, err := f.regular(n)
	if err != nil {
		return 0, err
	}
	end := off + uint64(len(b))
	if end < off || end > 1<<63-1 {
		return 0, v86fs.EFBIG
	}
	done := 0
	for done < len(b) {
		at := off + uint64(done)
		page := p.pages[at/blockSize]
		if page == nil {
			if f.used+blockSize > f.limit {
				break
			}
			f.used += blockSize
			page = new([blockSize]byte)
			p.pages[at/blockSize] = page
		}
		done += copy(page[at%blockSize:], b[done:])
	}
	if done == 0 && len(b) > 0 {
		return 0, v86fs.ENOSPC
	}
	p.attr.Size = max(p.attr.Size, off+uint64(done))
	f.touch(p)
	return done, nil
}

// truncate drops what lies beyond size.
func (f *FS) truncate(p *file, size uint64) {
	for number, page := range p.pages {
		switch at := number * blockSize; {
		case at >= size:
			delete(p.pages, number)
			f.used -= blockSize
		case at+blockSize > size:
			clear(page[size-at:])
		}
	}
	p.attr.Size = size
	f.touch(p)
}

// add makes a file under a name that is free.
func (f *FS) add(dir v86fs.Node, name string, mode uint32) (*file, error) {
	d, err := f.dir(dir)
	switch {
	case err != nil:
		return nil, err
	case d.names == 0:
		return nil, v86fs.ENOENT // the directory was removed
	case d.entries[name] != nil:
		return nil, v86fs.EEXIST
	case len(f.files) >= maxFiles:
		return nil, v86fs.ENOSPC
	}
	p := f.make(mode)
	p.names, p.parent = 1, d
	d.entries[name] = p
	f.touch(d)
	return p, nil
}

func attrOf(p *file, err error) (v86fs.Attr, error) {
	if err != nil {
		return v86fs.Attr{}, err
	}
	return p.attr, nil
}

// Create implements v86fs.Backend.
func (f *FS) Create(dir v86fs.Node, name string, mode uint32) (v86fs.Attr, error) {
	return attrOf(f.add(dir, name, v86fs.ModeRegular|mode&0o7777))
}

// Mkdir implements v86fs.Backend.
func (f *FS) Mkdir(dir v86fs.Node, name string, mode uint32) (v86fs.Attr, error) {
	return attrOf(f.add(dir, name, v86fs.ModeDir|mode&0o7777))
}

// Symlink implements v86fs.Backend.
func (f *FS) Symlink(dir v86fs.Node, name, target string) (v86fs.Attr, error) {
	p, err := f.add(dir, name, v86fs.ModeSymlink|0o777)
	if err == nil {
		p.target, p.attr.Size = target, uint64(len(target))
	}
	return attrOf(p, err)
}

// Readlink implements v86fs.Backend.
func (f *FS) Readlink(n v86fs.Node) (string, error) {
	p, err := f.file(n)
	if err == nil && p.attr.Mode&v86fs.ModeType != v86fs.ModeSymlink {
		err = v86fs.EINVAL
	}
	if err != nil {
		return "", err
	}
	return p.target, nil
}

// Unlink implements v86fs.Backend.
func (f *FS) Unlink(dir v86fs.Node, name string) error {
	d, err := f.dir(dir)
	if err != nil {
		return err
	}
	p, ok := d.entries[name]
	switch {
	case !ok:
		return v86fs.ENOENT
	case len(p.entries) > 0:
		return v86fs.ENOTEMPTY
	}
	f.remove(d, name, p)
	return nil
}

func (f *FS) remove(d *file, name string, p *file) {
	delete(d.entries, name)
	p.names--
	f.touch(d)
	f.drop(p)
}

// Rename implements v86fs.Backend.
func (f *FS) Rename(oldDir v86fs.Node, oldName string, newDir v86fs.Node, newName string) error {
	from, err := f.dir(oldDir)
	if err != nil {
		return err
	}
	to, err := f.dir(newDir)
	if err != nil {
		return err
	}
	p, ok := from.entries[oldName]
	if !ok {
		return v86fs.ENOENT
	}
	for up := to; up != nil; up = up.parent {
		if up == p {
			return v86fs.EINVAL // into itself
		}
	}
	if to.names == 0 {
		return v86fs.ENOENT
	}
	if old, ok := to.entries[newName]; ok {
		switch {
		case old == p:
			return nil
		case old.entries == nil && p.entries != nil:
			return v86fs.ENOTDIR
		case old.entries != nil && p.entries == nil:
			return v86fs.EISDIR
		case len(old.entries) > 0:
			return v86fs.ENOTEMPTY
		}
		f.remove(to, newName, old)
	}
	delete(from.entries, oldName)
	to.entries[newName] = p
	p.parent = to
	f.touch(from)
	f.touch(to)
	return nil
}

// Setattr implements v86fs.Backend.
func (f *FS) Setattr(n v86fs.Node, c v86fs.Change) error {
	p, err := f.file(n)
	if err != nil {
		return err
	}
	if c.Valid&v86fs.SetSize != 0 {
		if _, err := f.regular(n); err != nil {
			return err
		}
		f.truncate(p, c.Size)
	}
	if c.Valid&v86fs.SetMode != 0 {
		p.attr.Mode = p.attr.Mode&v86fs.ModeType | c.Mode&0o7777
	}
	if c.Valid&v86fs.KillSUID != 0 {
		p.attr.Mode &^= 0o4000
	}
	if c.Valid&v86fs.KillSGID != 0 && p.attr.Mode&0o010 != 0 {
		p.attr.Mode &^= 0o2000
	}
	if c.Valid&v86fs.SetMtime != 0 {
		f.touch(p)
	}
	return nil
}

// Fsync implements v86fs.Backend.
func (f *FS) Fsync(n v86fs.Node) error {
	_, err := f.file(n)
	return err
}

// Statfs implements v86fs.Backend.
func (f *FS) Statfs() (v86fs.Statfs, error) {
	free := (f.limit - f.used) / blockSize
	return v86fs.Statfs{Blocks: f.limit / blockSize, Free: free, Available: free,
		Files: maxFiles, FilesFree: uint64(maxFiles - len(f.files)), BlockSize: blockSize}, nil
}

// Watch implements v86fs.Backend: nobody else changes the tree.
func (f *FS) Watch(v86fs.Notifier, func(func())) error { return nil }

// Shut implements v86fs.Backend.
func (f *FS) Shut() error { return nil }
