package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

const (
	// mountLimit and listedLimit bound what a guest can make a session remember,
	// beside nodeLimit and handleLimit: mounts, and names in open directories.
	mountLimit  = 256
	listedLimit = 1 << 20
	// trust is how long names and attributes are good, in milliseconds, where
	// nothing is told of their changes.
	trust = 1000
)

// A session is what a driver of the extended protocol has, from one reset of
// the device to the next.
type session struct {
	d         *Device
	mounts    map[uint32]*mount
	handles   map[uint64]*opened
	locks     lockTable
	toLock    []keptLock // when their files are found
	lastMount uint32
	lastNode  uint64
	nodes     int // in all mounts
	listed    int // names in all open directories

	// waiting are requests that wait for a place among those in flight, and
	// outstanding all that are not answered, by queue.
	waiting     []*call
	inflight    int
	outstanding [queueNotify]int
	// stalled are queues with more than that allows.
	stalled [queueNotify]bool
	// blocked are requests that wait for a lock.
	blocked map[uint16]*call
	reply   []byte // the response being written
}

func newSession(d *Device) *session {
	return &session{d: d, mounts: map[uint32]*mount{}, handles: map[uint64]*opened{}, blocked: map[uint16]*call{}}
}

// A mount is an export mounted.
type mount struct {
	id, export uint32
	x          *Export
	readOnly   bool
	traits     Traits
	nodes      map[uint64]*node
	known      map[Node]*node
	root       *node
	// dead is set at UMOUNT: requests under way then find nothing any more.
	dead bool
}

// A node is what the guest knows by one number in a mount.
type node struct {
	id      uint64
	node    Node
	kind    uint32 // type bits of its mode
	lookups uint64
	opens   int
	watched bool
	// lost is where a node was that was loaded and not found. Its number at the
	// backend is 0, which is nobody's: requests for it are ESTALE.
	lost *Place
}

// An opened is an open file or directory.
type opened struct {
	id       uint64
	mount    *mount
	node     *node
	writable bool
	// entries are what a directory listed when it was read from the beginning.
	entries []Entry
	read    bool
}

// meet counts a lookup of what a backend returned, and returns its node.
func (s *session) meet(m *mount, a *Attr) (*node, error) {
	if m.dead {
		m.x.Backend.Forget(a.Node, 1)
		return nil, ESTALE
	}
	n, ok := m.known[a.Node]
	if !ok {
		if s.nodes >= nodeLimit {
			m.x.Backend.Forget(a.Node, 1)
			return nil, ENFILE
		}
		s.lastNode++
		n = &node{id: s.lastNode, node: a.Node, kind: a.Mode & ModeType}
		m.known[a.Node], m.nodes[n.id] = n, n
		s.nodes++
	}
	n.lookups++
	return n, nil
}

// forget takes lookups back.
func (s *session) forget(m *mount, id, lookups uint64) {
	n := m.nodes[id]
	if n == nil || n == m.root {
		return
	}
	lookups = min(lookups, n.lookups)
	n.lookups -= lookups
	m.x.Backend.Forget(n.node, lookups)
	s.drop(m, n)
}

// drop ends a node that the guest cannot name any more.
func (s *session) drop(m *mount, n *node) {
	if n.lookups == 0 && n.opens == 0 && m.nodes[n.id] == n {
		delete(m.nodes, n.id)
		if m.known[n.node] == n {
			delete(m.known, n.node)
		}
		s.nodes--
	}
}

// open gives an open file a handle.
func (s *session) open(m *mount, n *node, writable bool) (*opened, error) {
	switch {
	case m.dead:
		return nil, ESTALE
	case len(s.handles) >= handleLimit:
		return nil, ENFILE
	}
	h := &opened{id: s.d.next, mount: m, node: n, writable: writable}
	s.d.next++
	n.opens++
	s.handles[h.id] = h
	return h, nil
}

// release ends a handle; the backend's Close is the caller's.
func (s *session) release(h *opened) {
	delete(s.handles, h.id)
	s.listed -= len(h.entries)
	s.releaseLocks(h)
	h.node.opens--
	s.drop(h.mount, h.node)
}

// unmount ends a mount with all that belongs to it.
func (s *session) unmount(m *mount) {
	for _, h := range s.handles {
		if h.mount == m {
			s.release(h)
			m.x.Backend.Close(h.node.node)
		}
	}
	for _, n := range m.nodes {
		m.x.Backend.Forget(n.node, n.lookups)
	}
	s.nodes -= len(m.nodes)
	m.nodes, m.known, m.dead = nil, nil, true
	delete(s.mounts, m.id)
}

// end drops everything: the device was reset.
func (s *session) end() {
	for _, m := range s.mounts {
		s.unmount(m)
	}
}

// block is the attribute block of a node: dir is the directory whose entry led
// to it, nil for none.
func (s *session) block(n *node, a *Attr, dir *node) wire.Attr {
	w := wire.Attr{
		Node: n.id, Ino: a.Ino, Generation: a.Generation, Change: a.Change, Size: a.Size, Blocks: a.Blocks,
		Atime: a.Atime, Mtime: a.Mtime, Ctime: a.Ctime, Btime: a.Btime,
		Mode: a.Mode, Nlink: a.Nlink, UID: a.UID, GID: a.GID, RdevMajor: a.RdevMajor, RdevMinor: a.RdevMinor,
		Blksize: a.Blksize, Flags: a.Flags,
	}
	if w.Ino == 0 {
		w.Ino = uint64(a.Node)
	}
	n.watched = a.Watched
	w.AttrValid = s.valid(n)
	if dir != nil {
		dir.watched = a.DirWatched
		w.EntryValid = s.valid(dir)
	}
	return w
}

// valid is how long is good what was told of a node, in milliseconds.
func (s *session) valid(n *node) uint32 {
	if n.watched && s.d.features&wire.FeatureEvents != 0 {
		return wire.Forever
	}
	return trust
}

// others tells the other mounts of an export what a mount changed.
func (s *session) others(m *mount) Notifier { return &notifier{s.d, m.export, m} }
