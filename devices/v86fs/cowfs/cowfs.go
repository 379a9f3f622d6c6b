// Package cowfs is a v86fs backend that keeps changes apart: a base, which is
// never written to, and an overlay, which holds what is different.
//
// An overlay is a tree of records, from the root down to each file that was
// changed, and the content of files (docs/shared-directories.md, "Changes kept
// apart"). A directory's record lists only the names that are not as in the base.
// A record knows the file of the base that it began as, whatever becomes of its
// names: so a directory can be renamed with all that is in it, and a file keeps its
// number when its content is copied.
package cowfs

import (
	"errors"
	"sync"
	"time"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	// nodeLimit bounds the nodes a guest can make us remember.
	nodeLimit = 1 << 22
	// newInode is above the inode number of the first new file. They count down
	// from there, away from those of the base, and fit into 32 bits.
	newInode = 1<<32 - 1
	linkMost = 65000
	copyStep = 1 << 20
)

// A node is a file that the guest knows, or that has a record.
type node struct {
	number v86fs.Node
	kind   uint32     // type bits of its mode
	base   v86fs.Node // the file of the base that it is or began as; 0 for none
	// parent and name are where it was seen last, in the base while it has no
	// record. A directory's are where it is.
	parent *node
	name   string
	kids   int // nodes without record that have it as parent

	lookups uint64
	opens   int
	gone    bool // it has no name any more, and no place in the overlay
	// nameless is what never had a name, and noLink what must not get one.
	nameless, noLink bool
	version          uint64

	saved  *record
	places int // names in the overlay that lead to it
	// seen is a name of the base by which a file was found that has a record and
	// no places: all other names are gone.
	seenIn   *node
	seenName string
	data     v86fs.Node // its content in the overlay, or 0

	copying sync.Mutex // held while its content is copied; comes before FS.mu
}

func (n *node) isDir() bool { return n.kind == v86fs.ModeDir }

// A FS is a base and an overlay. Its methods are those of v86fs.Backend; they may
// be called at the same time.
type FS struct {
	base, data v86fs.Backend
	journal    journal
	dataRoot   v86fs.Node
	flags      uint32
	now        func() time.Time

	mu     sync.Mutex
	root   *node
	nodes  map[v86fs.Node]*node
	known  map[v86fs.Node]*node // by the base's
	saved  map[uint64]*node     // by number of the record
	next   v86fs.Node
	lastID uint64
	shut   func() error
}

var _ v86fs.Backend = (*FS)(nil)

// newFS returns a file system without records. shut is called by Shut.
func newFS(base, data v86fs.Backend, j journal, shut func() error) (*FS, error) {
	f := &FS{base: base, data: data, journal: j, now: time.Now, shut: shut,
		nodes: map[v86fs.Node]*node{}, known: map[v86fs.Node]*node{}, saved: map[uint64]*node{}}
	f.flags = v86fs.HasXattr | v86fs.HasACL | v86fs.HasLocks | v86fs.HasOwners | base.Traits().Flags&v86fs.IgnoresCase
	d, err := data.Root()
	if err != nil {
		return nil, err
	}
	f.dataRoot = d.Node
	a, err := base.Root()
	if err != nil {
		return nil, err
	}
	f.root, err = f.add(&node{kind: v86fs.ModeDir, base: a.Node})
	return f, err
}

// add gives a node its number.
func (f *FS) add(n *node) (*node, error) {
	if len(f.nodes) >= nodeLimit {
		return nil, v86fs.ENFILE
	}
	f.next++
	n.number = f.next
	f.nodes[n.number] = n
	if n.base != 0 {
		f.known[n.base] = n
	}
	return n, nil
}

// Traits implements v86fs.Backend.
func (f *FS) Traits() v86fs.Traits {
	return v86fs.Traits{Flags: f.flags, Concurrent: f.base.Traits().Concurrent && f.data.Traits().Concurrent}
}

// Shut implements v86fs.Backend.
func (f *FS) Shut() error {
	return errors.Join(f.base.Shut(), f.data.Shut(), f.shut())
}

func (f *FS) node(number v86fs.Node) (*node, error) {
	if n, ok := f.nodes[number]; ok {
		return n, nil
	}
	return nil, v86fs.ESTALE
}

// dir is node for a directory.
func (f *FS) dir(number v86fs.Node) (*node, error) {
	n, err := f.node(number)
	if err == nil && !n.isDir() {
		err = v86fs.ENOTDIR
	}
	return n, err
}

func (f *FS) time() v86fs.Time {
	t := f.now()
	return v86fs.Time{Sec: t.Unix(), Nsec: uint32(t.Nanosecond())}
}

// find returns the node under a name, without counting a lookup.
func (f *FS) find(d *node, name string) (*node, error) {
	if d.saved != nil {
		if e, ok := d.saved.entries[name]; ok {
			if e.id == 0 {
				return nil, v86fs.ENOENT
			}
			return f.saved[e.id], nil
		}
	}
	if d.base == 0 {
		return nil, v86fs.ENOENT
	}
	a, err := f.base.Lookup(d.base, name)
	if err != nil {
		return nil, err
	}
	n, err := f.meet(d, name, &a)
	if err == nil && n.saved != nil && n.places == 0 {
		n.seenIn, n.seenName = d, name
	}
	return n, err
}

// meet returns the node of a file of the base, of which it holds one lookup.
func (f *FS) meet(d *node, name string, a *v86fs.Attr) (*node, error) {
	if n, ok := f.known[a.Node]; ok {
		f.base.Forget(a.Node, 1)
		return n, nil
	}
	n, err := f.add(&node{kind: a.Mode & v86fs.ModeType, base: a.Node, parent: d, name: name})
	if err != nil {
		f.base.Forget(a.Node, 1)
		return nil, err
	}
	d.kids++
	return n, nil
}

// settle drops a node that nobody can name any more, and those above it that
// were kept for it.
func (f *FS) settle(n *node) {
	for n != nil && n != f.root && n.opens == 0 && n.kids == 0 && (n.gone || n.lookups == 0 && n.saved == nil) {
		if f.nodes[n.number] != n {
			return
		}
		delete(f.nodes, n.number)
		if n.base != 0 {
			delete(f.known, n.base)
			f.base.Forget(n.base, 1)
		}
		if n.data != 0 {
			f.data.Forget(n.data, 1)
		}
		if n.saved != nil || n.base == 0 || n.parent == nil {
			return
		}
		n = n.parent
		n.kids--
	}
}

// Root implements v86fs.Backend.
func (f *FS) Root() (v86fs.Attr, error) { return f.Getattr(f.root.number) }

// Lookup implements v86fs.Backend.
func (f *FS) Lookup(dir v86fs.Node, name string) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.dir(dir)
	if err != nil {
		return v86fs.Attr{}, err
	}
	n, err := f.find(d, name)
	if err != nil {
		return v86fs.Attr{}, err
	}
	return f.counted(n)
}

// counted is a node's attributes, with a lookup.
func (f *FS) counted(n *node) (v86fs.Attr, error) {
	a, err := f.attr(n)
	if err != nil {
		f.settle(n)
		return a, err
	}
	n.lookups++
	return a, nil
}

// Forget implements v86fs.Backend.
func (f *FS) Forget(number v86fs.Node, lookups uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n, ok := f.nodes[number]; ok {
		n.lookups -= min(lookups, n.lookups)
		f.settle(n)
	}
}

// Getattr implements v86fs.Backend.
func (f *FS) Getattr(number v86fs.Node) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	return f.attr(n)
}

// attr is what a node is like: what its record says, and its content.
func (f *FS) attr(n *node) (v86fs.Attr, error) {
	var a v86fs.Attr
	var err error
	if n.base != 0 {
		a, err = f.base.Getattr(n.base)
	}
	if r := n.saved; r != nil {
		if err = f.overlaid(n, &a, err); err != nil {
			return a, err
		}
	} else if err != nil {
		return a, err
	}
	a.Node = n.number
	if n.gone {
		a.Nlink = 0
		if n.saved != nil && !n.isDir() {
			a.Nlink = n.saved.links
		}
	}
	a.Change += n.version
	return a, nil
}

// overlaid lays a record, and content in the overlay, over the attributes of the
// base, which are not to be had if missing says so.
func (f *FS) overlaid(n *node, a *v86fs.Attr, missing error) error {
	r := n.saved
	if n.base == 0 || missing != nil {
		*a = v86fs.Attr{Blksize: 4096, Size: uint64(len(r.target)), Watched: true}
	}
	if r.own || n.base == 0 || missing != nil {
		r.lay(a)
	}
	a.Ino, a.Nlink, a.Generation = r.ino, r.links, 0
	a.Flags &^= v86fs.AttrNoXattr
	if r.xattrs != nil && len(r.xattrs) == 0 {
		a.Flags |= v86fs.AttrNoXattr
	}
	if n.data == 0 {
		if r.content || missing != nil && n.kind == v86fs.ModeRegular {
			return v86fs.EIO // its content is not in the overlay, or not in the base any more
		}
		return nil
	}
	c, err := f.data.Getattr(n.data)
	if err != nil {
		return err
	}
	a.Size, a.Blocks, a.Blksize, a.Atime, a.Mtime, a.Watched = c.Size, c.Blocks, c.Blksize, c.Atime, c.Mtime, true
	if before(a.Ctime, c.Ctime) {
		a.Ctime = c.Ctime
	}
	a.Change = uint64(a.Ctime.Sec)*1e9 + uint64(a.Ctime.Nsec)
	return nil
}

func before(a, b v86fs.Time) bool { return a.Sec < b.Sec || a.Sec == b.Sec && a.Nsec < b.Nsec }

// Statfs implements v86fs.Backend: there is room where the overlay is.
func (f *FS) Statfs() (v86fs.Statfs, error) {
	s, err := f.data.Statfs()
	if err != nil {
		return s, err
	}
	b, err := f.base.Statfs()
	s.ID, s.NameLength = b.ID^1, b.NameLength
	return s, err
}

// Lock implements v86fs.Backend: what is locked is not what others have.
func (f *FS) Lock(v86fs.Node, v86fs.Lock, <-chan struct{}) error { return nil }

// TestLock implements v86fs.Backend.
func (f *FS) TestLock(v86fs.Node, v86fs.Lock) (v86fs.Lock, error) {
	return v86fs.Lock{Type: v86fs.LockNone}, nil
}
