package dirfs

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

const (
	// dirLimit bounds the descriptors kept for directories; see keepLimit, too.
	dirLimit = 512
	// nodeLimit bounds the nodes a guest can make us remember.
	nodeLimit = 1 << 22

	statMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME
)

// An identity is what makes a file of the host the same file.
type identity struct {
	major, minor uint32
	ino          uint64
	birth        unix.StatxTimestamp
}

func identityOf(st *unix.Statx_t) identity {
	id := identity{major: st.Dev_major, minor: st.Dev_minor, ino: st.Ino}
	if st.Mask&unix.STATX_BTIME != 0 {
		id.birth = st.Btime
	}
	return id
}

// A node is a file the guest knows: its identity, and the name it was last
// seen under.
type node struct {
	fs     *FS
	number v86fs.Node
	id     identity
	parent *node // nil for the root
	name   string
	mode   uint32
	stands uint32 // with OwnersMapped, the type that a regular file stands for

	lookups uint64        // that the guest has not given back
	dirfd   int           // of a directory, or -1
	lru     *list.Element // its place among the directories with descriptors
	file    *openFile     // while the guest has it open
	opens   int           // of a directory, which has no openFile
	lock    *hostLocks    // that the host holds for the guest, if any
	watchState
}

// A FS is a shared directory. Its methods are those of v86fs.Backend; they may
// be called at the same time.
//
// mu guards the nodes and is held for calls about names and attributes. Content
// is read and written without it, by descriptors that openFile counts.
type FS struct {
	path   string
	owners Owners
	flags  uint32 // of Traits
	// readOnly has files opened so that nothing of them changes, not even when
	// they were read last.
	readOnly bool

	// appending is held from an append, or another use of a descriptor's position,
	// until the position was asked for.
	appending sync.Mutex

	mu    sync.Mutex
	root  *node
	nodes map[v86fs.Node]*node
	known map[identity]*node
	next  v86fs.Node
	dirs  *list.List // nodes with dirfd, latest used first
	watch *watcher
}

var _ v86fs.Backend = (*FS)(nil)

// Supported reports whether New works on this host.
const Supported = true

// New opens dir for sharing; owners says whose the files are that the guest sees
// and makes.
func New(dir string, owners Owners) (*FS, error) {
	if err := Check(dir); err != nil {
		return nil, err
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	f := &FS{path: dir, owners: owners.resolve(), nodes: map[v86fs.Node]*node{}, known: map[identity]*node{}, dirs: list.New()}
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	f.root = f.add(nil, "", &st)
	f.root.dirfd = fd
	f.flags = f.abilities()
	if f.owners == OwnersMapped && f.flags&v86fs.HasXattr == 0 {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: its file system keeps no extended attributes, in which mapped owners are", dir)
	}
	return f, nil
}

// NewReadOnly opens dir for sharing with a guest that may change nothing.
func NewReadOnly(dir string, owners Owners) (v86fs.Backend, error) {
	f, err := New(dir, owners)
	if err != nil {
		return nil, err
	}
	f.readOnly = true
	return v86fs.Protect(f), nil
}

// Traits implements v86fs.Backend.
func (f *FS) Traits() v86fs.Traits { return v86fs.Traits{Flags: f.flags, Concurrent: true} }

// Shut implements v86fs.Backend.
func (f *FS) Shut() error {
	f.watch.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.nodes {
		if n.file != nil {
			n.file.drop()
			n.file = nil
		}
		if n.dirfd >= 0 {
			unix.Close(n.dirfd)
			n.dirfd = -1
		}
	}
	return nil
}

// fault turns an error of the host into one for the guest. The numbers of
// Linux are the protocol's.
func fault(err error) error {
	var e unix.Errno
	if errors.As(err, &e) {
		return v86fs.Errno(e)
	}
	return err
}

func (f *FS) add(parent *node, name string, st *unix.Statx_t) *node {
	f.next++
	n := &node{fs: f, number: f.next, id: identityOf(st), parent: parent, name: name, mode: uint32(st.Mode), dirfd: -1}
	n.watchState = watchState{watch: -1, seen: stampOf(st)}
	f.nodes[n.number] = n
	f.known[n.id] = n
	return n
}

// meet returns the node of what lies under a name, new if it is not known.
func (f *FS) meet(parent *node, name string, st *unix.Statx_t) (*node, error) {
	if n, ok := f.known[identityOf(st)]; ok && n.mode&unix.S_IFMT == uint32(st.Mode)&unix.S_IFMT {
		if n != f.root && (n.parent != parent || n.name != name) && !f.under(parent, n) {
			n.parent, n.name = parent, name
		}
		n.mode = uint32(st.Mode)
		return n, nil
	}
	if len(f.nodes) >= nodeLimit {
		return nil, v86fs.ENFILE
	}
	return f.add(parent, name, st), nil
}

// under reports whether n is dir or above it.
func (f *FS) under(dir, n *node) bool {
	for ; dir != nil; dir = dir.parent {
		if dir == n {
			return true
		}
	}
	return false
}

func (f *FS) attrOf(n *node, st *unix.Statx_t) v86fs.Attr {
	a := v86fs.Attr{
		Node: n.number, Ino: st.Ino, Mode: uint32(st.Mode), Nlink: st.Nlink,
		Size: st.Size, Blocks: st.Blocks, Blksize: st.Blksize, RdevMajor: st.Rdev_major, RdevMinor: st.Rdev_minor,
		Atime: timeOf(st.Atime), Mtime: timeOf(st.Mtime), Ctime: timeOf(st.Ctime), Btime: timeOf(st.Btime),
		Change:  uint64(st.Ctime.Sec)*1e9 + uint64(st.Ctime.Nsec),
		Watched: f.watched(n, st.Nlink),
	}
	if n.bare && stampOf(st) == n.seen {
		a.Flags |= v86fs.AttrNoXattr
	}
	a.UID, a.GID = f.owners.shown(st.Uid, st.Gid)
	if f.owners == OwnersMapped {
		f.show(n, &a, st)
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		a.Flags |= v86fs.AttrBtime
	}
	if st.Attributes&unix.STATX_ATTR_IMMUTABLE != 0 {
		a.Flags |= v86fs.AttrImmutable
	}
	if st.Attributes&unix.STATX_ATTR_APPEND != 0 {
		a.Flags |= v86fs.AttrAppend
	}
	return a
}

func timeOf(t unix.StatxTimestamp) v86fs.Time { return v86fs.Time{Sec: t.Sec, Nsec: t.Nsec} }

func (f *FS) node(n v86fs.Node) (*node, error) {
	if p, ok := f.nodes[n]; ok {
		return p, nil
	}
	return nil, v86fs.ESTALE
}

// directory returns a descriptor of a directory, opened anew by its name in its
// parent if need be and checked to be the same directory.
func (f *FS) directory(n *node) (int, error) {
	if n.mode&unix.S_IFMT != unix.S_IFDIR {
		return -1, v86fs.ENOTDIR
	}
	if n.dirfd >= 0 {
		if n.lru != nil {
			f.dirs.MoveToFront(n.lru)
		}
		return n.dirfd, nil
	}
	// From the first ancestor with a descriptor down; no recursion, the guest
	// decides the depth.
	chain := []*node{n}
	for p := n.parent; p != nil && p.dirfd < 0; p = p.parent {
		chain = append(chain, p)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if err := f.openDir(chain[i]); err != nil {
			return -1, err
		}
	}
	return n.dirfd, nil
}

func (f *FS) openDir(n *node) error {
	fd, err := unix.Openat(n.parent.dirfd, n.name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP {
			return v86fs.ESTALE
		}
		return fault(err)
	}
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		unix.Close(fd)
		return fault(err)
	}
	if identityOf(&st) != n.id {
		unix.Close(fd)
		return v86fs.ESTALE
	}
	n.dirfd, n.lru = fd, f.dirs.PushFront(n)
	if f.dirs.Len() > int(min(dirLimit, keepLimit()/4)) {
		f.forgetDir(n.parent)
	}
	return nil
}

// forgetDir closes the directory descriptor used longest ago, but not keep's.
func (f *FS) forgetDir(keep *node) {
	for e := f.dirs.Back(); e != nil; e = e.Prev() {
		if old := e.Value.(*node); old != keep {
			f.dirs.Remove(e)
			unix.Close(old.dirfd)
			old.dirfd, old.lru = -1, nil
			return
		}
	}
}

// stat asks the host about a node, and reports ESTALE when its name leads to
// another file now.
func (f *FS) stat(n *node, st *unix.Statx_t) error {
	if n.file != nil {
		return fault(unix.Statx(n.file.fd, "", unix.AT_EMPTY_PATH, statMask, st))
	}
	if n.parent == nil || n.opens > 0 && n.dirfd >= 0 {
		return fault(unix.Statx(n.dirfd, "", unix.AT_EMPTY_PATH, statMask, st))
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return err
	}
	if err := unix.Statx(dir, n.name, unix.AT_SYMLINK_NOFOLLOW, statMask, st); err != nil {
		if err == unix.ENOENT {
			return v86fs.ESTALE
		}
		return fault(err)
	}
	if identityOf(st) != n.id {
		return v86fs.ESTALE
	}
	return nil
}

// Root implements v86fs.Backend.
func (f *FS) Root() (v86fs.Attr, error) { return f.Getattr(f.root.number) }

// Getattr implements v86fs.Backend.
func (f *FS) Getattr(number v86fs.Node) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.getattr(number)
}

func (f *FS) getattr(number v86fs.Node) (v86fs.Attr, error) {
	n, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	var st unix.Statx_t
	if err := f.stat(n, &st); err != nil {
		return v86fs.Attr{}, err
	}
	if n == f.root && st.Nlink == 0 {
		return v86fs.Attr{}, v86fs.ESTALE // the shared directory was removed
	}
	return f.attrOf(n, &st), nil
}

// Lookup implements v86fs.Backend.
func (f *FS) Lookup(number v86fs.Node, name string) (v86fs.Attr, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	dir, err := f.directory(d)
	if err != nil {
		return v86fs.Attr{}, err
	}
	f.watchDir(d, dir)
	return f.look(d, dir, name)
}

// look finds a name in a directory with descriptor dir, and counts a lookup.
func (f *FS) look(d *node, dir int, name string) (v86fs.Attr, error) {
	var st unix.Statx_t
	if err := unix.Statx(dir, name, unix.AT_SYMLINK_NOFOLLOW, statMask, &st); err != nil {
		return v86fs.Attr{DirWatched: d.watch >= 0}, fault(err)
	}
	n, err := f.meet(d, name, &st)
	if err != nil {
		return v86fs.Attr{}, err
	}
	return f.entry(d, n, &st), nil
}

// entry is the answer to who asked for, or made, a name in d that leads to n; it
// counts a lookup.
func (f *FS) entry(d, n *node, st *unix.Statx_t) v86fs.Attr {
	n.lookups++
	// Who watches a directory in the guest asks for it and then for nothing.
	if f.watch != nil && n.watch < 0 && n.mode&unix.S_IFMT == unix.S_IFDIR {
		if fd, err := f.directory(n); err == nil {
			f.watchDir(n, fd)
		}
	}
	a := f.attrOf(n, st)
	a.DirWatched = d.watch >= 0
	return a
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

// settle drops a node that the guest can name no more.
func (f *FS) settle(n *node) {
	if n.lookups == 0 && n.file == nil && n.opens == 0 {
		f.forget(n)
	}
}

// Readdir implements v86fs.Backend, in the host's order. It names no nodes: most
// of them the guest never asks for.
func (f *FS) Readdir(number v86fs.Node) ([]v86fs.Entry, error) {
	f.mu.Lock()
	d, err := f.node(number)
	var dir, fd int
	if err == nil {
		dir, err = f.directory(d)
	}
	if err == nil {
		f.watchDir(d, dir)
		// An O_PATH descriptor cannot be read: open the directory itself.
		fd, err = f.openToRead(dir, ".", unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW)
	}
	f.mu.Unlock()
	if err != nil {
		return nil, fault(err)
	}
	defer unix.Close(fd)
	list, err := readEntries(fd)
	if f.owners == OwnersMapped {
		f.types(fd, list)
	}
	return list, err
}

// readEntries reads the names in a directory, without "." and "..".
func readEntries(fd int) ([]v86fs.Entry, error) {
	var out []v86fs.Entry
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return out, fault(err)
		}
		out = appendEntries(out, buf[:n])
	}
}

// appendEntries takes a buffer of struct linux_dirent64 apart.
func appendEntries(out []v86fs.Entry, b []byte) []v86fs.Entry {
	const (
		offReclen = 16
		offType   = 18
		offName   = 19
	)
	for len(b) > offName {
		size := int(binary.NativeEndian.Uint16(b[offReclen:]))
		if size <= offName || size > len(b) {
			break
		}
		name, _, _ := bytes.Cut(b[offName:size], []byte{0})
		if s := string(name); s != "." && s != ".." {
			out = append(out, v86fs.Entry{Ino: binary.NativeEndian.Uint64(b), Type: b[offType], Name: s})
		}
		b = b[size:]
	}
	return out
}

// Statfs implements v86fs.Backend.
func (f *FS) Statfs() (v86fs.Statfs, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(f.root.dirfd, &s); err != nil {
		return v86fs.Statfs{}, fault(err)
	}
	return v86fs.Statfs{Blocks: s.Blocks, Free: s.Bfree, Available: s.Bavail, Files: s.Files, FilesFree: s.Ffree,
		BlockSize: uint32(s.Bsize), FragmentSize: uint32(s.Frsize), NameLength: uint32(s.Namelen), Kind: uint32(s.Type),
		ID: uint64(uint32(s.Fsid.Val[0])) | uint64(uint32(s.Fsid.Val[1]))<<32}, nil
}

// Sync implements v86fs.Backend.
func (f *FS) Sync() error {
	fd, err := unix.Openat(f.root.dirfd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fault(err)
	}
	defer unix.Close(fd)
	return fault(unix.Syncfs(fd))
}
