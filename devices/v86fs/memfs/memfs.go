// Package memfs is a v86fs backend in memory: a tree of files that lives as
// long as the process, with all that the protocol can ask for. It is the model
// that other backends are compared with.
package memfs

import (
	"sort"
	"sync"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	// DefaultLimit bounds the bytes of all files together.
	DefaultLimit = 256 << 20
	maxFiles     = 1 << 20
	maxLinks     = 65000
	blockSize    = 4096
	// magic is what statfs calls the kind of file system: Linux's tmpfs.
	magic = 0x01021994
)

// A file is a node of any type.
type file struct {
	attr    v86fs.Attr
	pages   map[uint64]*[blockSize]byte // of a regular file, by number; those not there are holes
	target  string
	entries map[string]*file // of a directory
	xattrs  map[string][]byte
	opens   int
	names   int // directory entries that name it; the root has one
	parent  *file
	noLink  bool
}

func (p *file) kind() uint32 { return p.attr.Mode & v86fs.ModeType }
func (p *file) isDir() bool  { return p.entries != nil }

// A FS is a tree. Its methods are those of v86fs.Backend; any goroutine may
// call them.
type FS struct {
	mu    sync.Mutex
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
	f.root = f.make(v86fs.NewFile{Mode: v86fs.ModeDir | 0o755})
	f.root.names, f.root.attr.Nlink = 1, 2
	return f
}

// make makes a file without a name.
func (f *FS) make(w v86fs.NewFile) *file {
	f.next++
	n := &file{attr: v86fs.Attr{Node: f.next, Ino: uint64(f.next), Generation: 1, Mode: w.Mode &^ w.Umask, UID: w.UID, GID: w.GID,
		Blksize: blockSize, Flags: v86fs.AttrBtime | v86fs.AttrNoXattr}}
	switch n.kind() {
	case v86fs.ModeDir:
		n.entries = map[string]*file{}
	case v86fs.ModeRegular:
		n.pages = map[uint64]*[blockSize]byte{}
	case v86fs.ModeSymlink:
		n.target, n.attr.Size = w.Target, uint64(len(w.Target))
	case v86fs.ModeChar, v86fs.ModeBlock:
		n.attr.RdevMajor, n.attr.RdevMinor = w.Major, w.Minor
	}
	f.modified(n)
	n.attr.Atime, n.attr.Btime = n.attr.Mtime, n.attr.Mtime
	f.files[f.next] = n
	return n
}

func (f *FS) time() v86fs.Time {
	sec, nsec := f.now()
	return v86fs.Time{Sec: sec, Nsec: nsec}
}

// changed notes a change of attributes, and modified one of content.
func (f *FS) changed(n *file) {
	n.attr.Ctime = f.time()
	n.attr.Change++
}

func (f *FS) modified(n *file) {
	f.changed(n)
	n.attr.Mtime = n.attr.Ctime
}

// file finds a node that still exists.
func (f *FS) file(n v86fs.Node) (*file, error) {
	if p, ok := f.files[n]; ok {
		return p, nil
	}
	return nil, v86fs.ESTALE
}

func (f *FS) dir(n v86fs.Node) (*file, error) {
	p, err := f.file(n)
	if err == nil && !p.isDir() {
		err = v86fs.ENOTDIR
	}
	return p, err
}

// regular finds a node with content.
func (f *FS) regular(n v86fs.Node) (*file, error) {
	p, err := f.file(n)
	switch {
	case err != nil:
	case p.isDir():
		err = v86fs.EISDIR
	case p.kind() != v86fs.ModeRegular:
		err = v86fs.EINVAL
	}
	return p, err
}

// drop forgets a file without names and opens.
func (f *FS) drop(p *file) {
	if p.names == 0 && p.opens == 0 {
		f.used -= uint64(len(p.pages)) * blockSize
		delete(f.files, p.attr.Node)
	}
}

// Traits implements v86fs.Backend.
func (f *FS) Traits() v86fs.Traits {
	return v86fs.Traits{Flags: v86fs.HasXattr | v86fs.HasACL | v86fs.HasLocks | v86fs.HasOwners, Concurrent: true}
}

// Root implements v86fs.Backend.
func (f *FS) Root() (v86fs.Attr, error) { return f.Getattr(f.root.attr.Node) }

// attrOf is what is told of a file: nobody else changes the tree, so that all of
// it is watched.
func attrOf(p *file) v86fs.Attr {
	a := p.attr
	a.Blocks = uint64(len(p.pages)) * (blockSize / 512)
	a.Watched, a.DirWatched = true, true
	return a
}

// Lookup implements v86fs.Backend.
func (f *FS) Lookup(dir v86fs.Node, name string) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(dir)
	if err != nil {
		return v86fs.Attr{}, err
	}
	p, ok := d.entries[name]
	if !ok {
		return v86fs.Attr{DirWatched: true}, v86fs.ENOENT
	}
	return attrOf(p), nil
}

// Forget implements v86fs.Backend. A node is the file itself, and goes with it.
func (f *FS) Forget(v86fs.Node, uint64) {}

// Getattr implements v86fs.Backend.
func (f *FS) Getattr(n v86fs.Node) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return v86fs.Attr{}, err
	}
	return attrOf(p), nil
}

// Setattr implements v86fs.Backend.
func (f *FS) Setattr(n v86fs.Node, c v86fs.Change) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.file(n)
	if err != nil {
		return v86fs.Attr{}, err
	}
	if c.Valid&v86fs.SetSize != 0 {
		if _, err := f.regular(n); err != nil {
			return v86fs.Attr{}, err
		}
		f.truncate(p, c.Size)
	}
	if c.Valid&v86fs.SetMode != 0 {
		p.attr.Mode = p.kind() | c.Mode&0o7777
		p.chmodACL()
	}
	if c.Valid&v86fs.SetUID != 0 {
		p.attr.UID = c.UID
	}
	if c.Valid&v86fs.SetGID != 0 {
		p.attr.GID = c.GID
	}
	p.kill(c.Valid&v86fs.KillSUID != 0, c.Valid&v86fs.KillSGID != 0, c.Valid&v86fs.KillPriv != 0)
	f.setTimes(p, c)
	return attrOf(p), nil
}

// setTimes sets the times that a change names, and the time of the change.
func (f *FS) setTimes(p *file, c v86fs.Change) {
	f.changed(p)
	set := func(t *v86fs.Time, when, to uint32, given v86fs.Time) {
		switch {
		case c.Valid&when == 0:
		case c.Valid&to != 0:
			*t = given
		default:
			*t = f.time()
		}
	}
	set(&p.attr.Atime, v86fs.SetAtime, v86fs.SetAtimeTo, c.Atime)
	set(&p.attr.Mtime, v86fs.SetMtime, v86fs.SetMtimeTo, c.Mtime)
	set(&p.attr.Ctime, v86fs.SetCtime, v86fs.SetCtime, c.Ctime)
}

// kill takes privileges that a change of the file takes away.
func (p *file) kill(suid, sgid, capability bool) {
	if suid {
		p.attr.Mode &^= 0o4000
	}
	if sgid && p.attr.Mode&0o010 != 0 {
		p.attr.Mode &^= 0o2000
	}
	if capability {
		p.unset("security.capability")
	}
}

// Readdir implements v86fs.Backend, in order of names.
func (f *FS) Readdir(dir v86fs.Node) ([]v86fs.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(dir)
	if err != nil {
		return nil, err
	}
	out := make([]v86fs.Entry, 0, len(d.entries))
	for name, p := range d.entries {
		out = append(out, v86fs.Entry{Node: p.attr.Node, Ino: p.attr.Ino, Type: uint8(p.attr.Mode >> 12), Name: name})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Statfs implements v86fs.Backend.
func (f *FS) Statfs() (v86fs.Statfs, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	free := (f.limit - f.used) / blockSize
	return v86fs.Statfs{Blocks: f.limit / blockSize, Free: free, Available: free, Files: maxFiles,
		FilesFree: uint64(max(maxFiles-len(f.files), 0)), BlockSize: blockSize, FragmentSize: blockSize, NameLength: 255, Kind: magic}, nil
}

// Sync implements v86fs.Backend.
func (f *FS) Sync() error { return nil }

// Lock implements v86fs.Backend: no other process has these files.
func (f *FS) Lock(v86fs.Node, v86fs.Lock, <-chan struct{}) error { return nil }

// TestLock implements v86fs.Backend.
func (f *FS) TestLock(v86fs.Node, v86fs.Lock) (v86fs.Lock, error) {
	return v86fs.Lock{Type: v86fs.LockNone}, nil
}

// Watch implements v86fs.Backend: nobody else changes the tree.
func (f *FS) Watch(v86fs.Notifier, func(func())) error { return nil }

// Shut implements v86fs.Backend.
func (f *FS) Shut() error { return nil }
