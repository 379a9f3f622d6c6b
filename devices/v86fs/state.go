package v86fs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/snapshot"
)

// What is saved are the numbers that the guest has, and of each the place where a
// Keeper finds the file again. Requests are finished before; those that wait for a
// lock cannot be.

type keptInode struct {
	export uint32
	place  Place
}

type keptHandle struct {
	id    uint64
	inode uint32
}

type keptMount struct {
	id, export uint32
	readOnly   bool
	root       uint64
}

type keptNode struct {
	mount   uint32
	id      uint64
	kind    uint32
	lookups uint64
	place   Place
}

type keptOpened struct {
	id             uint64
	mount          uint32
	node           uint64
	writable, read bool
	entries        []keptEntry
}

type keptEntry struct {
	ino  uint64
	kind uint8
	name string
}

type keptLock struct {
	handle, owner    uint64
	mount, pid, kind uint32
	flock            bool
	start, end       uint64
}

type keptNotice struct {
	kind         uint8
	node         uint64
	name, path   string
	what         uint32
	offset, size uint64
}

// state is all that is saved.
type state struct {
	exports   []string // names, which stand for them
	listening bool
	next      uint64
	version   uint64
	unique    uint64
	inodes    []keptInode
	handles   []keptHandle
	lastMount uint32
	lastNode  uint64
	mounts    []keptMount
	nodes     []keptNode
	opened    []keptOpened
	locks     []keptLock
	notices   []keptNotice
}

// pathLimit is more than the path of a file in a shared directory has.
const pathLimit = 1 << 16

// list is a list of what each does.
func list[T any](c *snapshot.Codec, name string, v *[]T, limit int, each func(*T)) {
	n := len(*v)
	c.Len(name, &n, limit)
	if !c.Loading() {
		for i := range *v {
			each(&(*v)[i])
		}
		return
	}
	*v = nil
	for range n {
		var t T
		if each(&t); c.Err() != nil {
			return
		}
		*v = append(*v, t)
	}
}

func (p *Place) sync(c *snapshot.Codec) {
	c.String("path", &p.Path, pathLimit)
	c.String("identity", &p.Identity, 256)
}

func (s *state) sync(c *snapshot.Codec) {
	c.Version(2)
	list(c, "exports", &s.exports, 1<<16, func(name *string) { c.String("export", name, 1<<12) })
	c.Bool("listening", &s.listening)
	c.Uint64("next", &s.next)
	c.Uint64("version", &s.version)
	c.Uint64("unique", &s.unique)
	list(c, "inodes", &s.inodes, nodeLimit, func(i *keptInode) {
		c.Uint32("export", &i.export)
		i.place.sync(c)
	})
	list(c, "handles", &s.handles, handleLimit, func(h *keptHandle) {
		c.Uint64("id", &h.id)
		c.Uint32("inode", &h.inode)
	})
	s.syncSession(c)
	list(c, "notices", &s.notices, noticeLimit, func(n *keptNotice) {
		c.Uint8("kind", &n.kind)
		c.Uint64("node", &n.node)
		c.String("name", &n.name, noticeRoom)
		c.String("path", &n.path, noticeRoom)
		c.Uint32("what", &n.what)
		c.Uint64("offset", &n.offset)
		c.Uint64("size", &n.size)
	})
}

// syncSession is what the extended protocol has.
func (s *state) syncSession(c *snapshot.Codec) {
	c.Uint32("last mount", &s.lastMount)
	c.Uint64("last node", &s.lastNode)
	list(c, "mounts", &s.mounts, mountLimit, func(m *keptMount) {
		c.Uint32("id", &m.id)
		c.Uint32("export", &m.export)
		c.Bool("read-only", &m.readOnly)
		c.Uint64("root", &m.root)
	})
	list(c, "nodes", &s.nodes, nodeLimit, func(n *keptNode) {
		c.Uint32("mount", &n.mount)
		c.Uint64("id", &n.id)
		c.Uint32("kind", &n.kind)
		c.Uint64("lookups", &n.lookups)
		n.place.sync(c)
	})
	list(c, "open files", &s.opened, handleLimit, func(o *keptOpened) {
		c.Uint64("id", &o.id)
		c.Uint32("mount", &o.mount)
		c.Uint64("node", &o.node)
		c.Bool("writable", &o.writable)
		c.Bool("read", &o.read)
		list(c, "entries", &o.entries, listedLimit, func(e *keptEntry) {
			c.Uint64("ino", &e.ino)
			c.Uint8("kind", &e.kind)
			c.String("name", &e.name, wire.MaxName)
		})
	})
	list(c, "locks", &s.locks, lockLimit, func(l *keptLock) {
		c.Uint64("handle", &l.handle)
		c.Uint64("owner", &l.owner)
		c.Uint32("mount", &l.mount)
		c.Uint32("pid", &l.pid)
		c.Uint32("kind", &l.kind)
		c.Bool("flock", &l.flock)
		c.Uint64("start", &l.start)
		c.Uint64("end", &l.end)
	})
}

// place is where a node is found again: as it was found itself, if it was not found
// yet.
func (d *Device) place(export uint32, n Node, was *Place) Place {
	if was != nil {
		return *was
	}
	k, ok := d.export(export).Backend.(Keeper)
	if !ok {
		return Place{}
	}
	p, err := k.Keep(n)
	if err != nil {
		return Place{} // it is gone already
	}
	return p
}

// Save implements hw.Device.
func (d *Device) Save(c *snapshot.Codec) {
	s, err := d.keep()
	if err != nil {
		c.Fail(err)
		return
	}
	s.sync(c)
}

// keep gathers what is to be saved.
func (d *Device) keep() (*state, error) {
	if n := len(d.session.blocked); n > 0 {
		return nil, fmt.Errorf("%d requests wait for locks on shared files: save the machine when they have them", n)
	}
	s := &state{listening: d.listening, next: d.next, version: d.version, unique: d.notices.unique,
		lastMount: d.session.lastMount, lastNode: d.session.lastNode}
	for _, x := range d.exports {
		s.exports = append(s.exports, x.Name)
	}
	for k, i := range d.inodes {
		if err := d.keeps(i.export); err != nil {
			return nil, err
		}
		s.inodes = append(s.inodes, keptInode{i.export, d.place(i.export, i.node, d.lost[uint32(k+1)])})
	}
	for _, id := range slices.Sorted(maps.Keys(d.handles)) {
		s.handles = append(s.handles, keptHandle{id, d.handles[id].inode})
	}
	for _, n := range d.notices.queue {
		if n.mount == 0 { // those of mounts are told that everything is stale
			s.notices = append(s.notices, keptNotice{uint8(n.kind), n.node, n.name, n.path, n.what, n.offset, n.size})
		}
	}
	return s, d.session.keep(s)
}

// keeps reports an export whose files cannot be found again.
func (d *Device) keeps(export uint32) error {
	x := d.export(export)
	if x == &nowhere {
		return nil
	}
	if _, ok := x.Backend.(Keeper); !ok {
		return fmt.Errorf("%q is in use, and its files could not be found again: unmount it in the guest, and save the machine then",
			x.Name)
	}
	return nil
}

// keep gathers what the extended protocol has.
func (s *session) keep(into *state) error {
	for _, id := range slices.Sorted(maps.Keys(s.mounts)) {
		m := s.mounts[id]
		if err := s.d.keeps(m.export); err != nil {
			return err
		}
		into.mounts = append(into.mounts, keptMount{m.id, m.export, m.readOnly, m.root.id})
		for _, id := range slices.Sorted(maps.Keys(m.nodes)) {
			n := m.nodes[id]
			into.nodes = append(into.nodes, keptNode{m.id, n.id, n.kind, n.lookups, s.d.place(m.export, n.node, n.lost)})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.handles)) {
		h := s.handles[id]
		o := keptOpened{id: h.id, mount: h.mount.id, node: h.node.id, writable: h.writable, read: h.read}
		for _, e := range h.entries {
			o.entries = append(o.entries, keptEntry{e.Ino, e.Type, e.Name})
		}
		into.opened = append(into.opened, o)
	}
	into.locks = slices.Clone(s.toLock)
	for _, held := range s.locks.held {
		for _, l := range held {
			into.locks = append(into.locks, keptLock{l.handle, l.lockOwner.id, l.mount, l.pid, l.Type, l.Flock, l.Start, l.End})
		}
	}
	slices.SortFunc(into.locks, compareLocks)
	return nil
}
