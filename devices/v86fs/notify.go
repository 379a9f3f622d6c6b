package v86fs

import (
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/devices/virtio"
)

const (
	pageSize = 4096
	// noticeLimit bounds the notices of the extended protocol that wait; beyond it
	// a mount is told once that everything is stale.
	noticeLimit = 4096
)

// A noticeKey is what a notice is about. Those of one key are joined.
type noticeKey struct {
	kind  wire.Type
	mount uint32 // 0: of the base protocol
	node  uint64
	name  string
}

// A notice is something to tell the guest unasked.
type notice struct {
	noticeKey
	what, events uint32
	child        uint64
	cookie       uint32
	offset, size uint64 // size 0 is the whole file
	version      uint64
	path         string
}

// join adds what n tells.
func (w *notice) join(n notice) {
	if n.what&wire.InvalData != 0 {
		switch {
		case w.what&wire.InvalData == 0:
			w.offset, w.size = n.offset, n.size
		case w.size == 0 || n.size == 0:
			w.offset, w.size = min(w.offset, n.offset), 0
		default:
			first := min(w.offset, n.offset)
			last := max(w.offset+w.size, n.offset+n.size)
			w.offset, w.size = first, last-first
		}
	}
	if w.cookie != n.cookie {
		w.cookie = 0
	}
	w.what |= n.what
	w.events |= n.events
	w.child, w.version = n.child, n.version
}

// notices wait for a safe point and for a buffer. Each key is in the queue once.
type notices struct {
	queue []notice
	// at is where in all that was ever queued a key's notice stands, and taken how
	// many are gone.
	at    map[noticeKey]int
	taken int
	// unique numbers the notices that are not joined.
	unique uint64
}

// add queues a notice, joined with the one of the same key that waits.
func (q *notices) add(n notice) {
	if i, ok := q.at[n.noticeKey]; ok {
		q.queue[i-q.taken].join(n)
		return
	}
	if q.at == nil {
		q.at = map[noticeKey]int{}
	}
	q.at[n.noticeKey] = q.taken + len(q.queue)
	q.queue = append(q.queue, n)
}

// take removes the first notice.
func (q *notices) take() notice {
	n := q.queue[0]
	q.queue = q.queue[1:]
	q.taken++
	delete(q.at, n.noticeKey)
	return n
}

// base queues a notice of the base protocol.
func (d *Device) base(kind wire.Type, id uint32, off, size uint64) {
	d.tell(notice{noticeKey: noticeKey{kind: kind, node: uint64(id)}, what: wire.InvalData, offset: off, size: size})
}

// tell queues a notice, and delivers it at once to a driver that is ready for
// it at any time.
func (d *Device) tell(n notice) {
	if n.mount != 0 {
		d.version++
		n.version = d.version
		if len(d.notices.queue) >= noticeLimit {
			n = notice{noticeKey: noticeKey{kind: wire.InvalMount, mount: n.mount}, version: n.version}
		}
	}
	d.notices.add(n)
	if d.features&wire.FeatureAsync != 0 {
		d.Deliver()
	}
}

// wrotePart queues the invalidation of pages that a WRITE covered in part: the
// protocol's first driver zero-fills the rest of such a page in its cache. A
// write from a page boundary to the end of a page or of the file needs none.
func (d *Device) wrotePart(b Backend, i inode, off, n uint64) {
	end := off + n
	if n == 0 || off%pageSize == 0 && (end%pageSize == 0 || endsAt(b, i.node, end)) {
		return
	}
	first := off &^ (pageSize - 1)
	last := (end + pageSize - 1) &^ (pageSize - 1)
	d.base(wire.Invalidate, d.number[i], first, last-first)
}

// endsAt reports whether a file has nothing from end on.
func endsAt(b Backend, n Node, end uint64) bool {
	a, err := b.Getattr(n)
	return err == nil && a.Size <= end
}

// noticeRoom is what the buffers of the first drivers have room for.
const noticeRoom = 256

// MountNotify asks the guest to mount an export at a path. It reports false if
// they are too long for a notification.
func (d *Device) MountNotify(name, path string) bool {
	if wire.HeaderSize+2+len(name)+2+len(path) > noticeRoom {
		return false
	}
	d.notices.unique++
	d.tell(notice{noticeKey: noticeKey{kind: wire.MountNotify, node: d.notices.unique, name: name}, path: path})
	return true
}

// UmountNotify asks the guest to unmount what is at a path.
func (d *Device) UmountNotify(path string) bool {
	if wire.HeaderSize+2+len(path) > noticeRoom {
		return false
	}
	d.notices.unique++
	d.tell(notice{noticeKey: noticeKey{kind: wire.UmountNotify, node: d.notices.unique}, path: path})
	return true
}

// Pending reports whether there is something to deliver.
func (d *Device) Pending() bool { return len(d.notices.queue) > 0 && d.listening && d.q != nil }

// Deliver tells the guest what waits, as far as it has given buffers. The
// machine calls it at safe points only: while the guest is halted with
// interrupts enabled, or in user mode, when no driver is in the middle of
// adding a request.
func (d *Device) Deliver() {
	var chain virtio.Chain
	for d.Pending() && d.q[queueNotify].Pop(&chain) {
		n := d.notices.take()
		out := chain.Writer()
		written, _ := out.Write(n.encode())
		d.q[queueNotify].Push(&chain, written)
	}
}

// encode is the message of a notice.
func (n *notice) encode() []byte {
	var w wire.Writer
	w.Begin(n.kind, 0)
	switch n.kind {
	case wire.Invalidate:
		wire.AppendInvalidate(&w, n.node, n.offset, n.size)
	case wire.InvalidateDir:
		w.U64(n.node)
	case wire.MountNotify:
		w.Text(n.name)
		w.Text(n.path)
	case wire.UmountNotify:
		w.Text(n.path)
	default:
		return n.extended()
	}
	return w.End()
}

// extended is the message of a notice of the extended protocol.
func (n *notice) extended() []byte {
	p := wire.Notice{Type: n.kind, Mount: n.mount, Version: n.version}
	switch n.kind {
	case wire.InvalNode:
		return p.Append(nil, &wire.InvalNodeNotice{Node: n.node, What: n.what, Events: n.events, Offset: n.offset, Size: n.size})
	case wire.InvalEntry:
		return p.Append(nil, &wire.InvalEntryNotice{Dir: n.node, Node: n.child, Events: n.events, Cookie: n.cookie, Name: n.name})
	case wire.InvalDir:
		return p.Append(nil, &wire.InvalDirNotice{Dir: n.node})
	}
	return p.Append(nil, nil)
}

// notifier is what a backend tells its export's changes.
type notifier struct {
	d      *Device
	export uint32
	// but is a mount that made the change itself, and is not told.
	but *mount
}

// mounts calls fn with each mount that may have cached something, and tells
// it of all that is known there under a node.
func (n *notifier) mounts(fn func(m *mount)) {
	const needs = wire.FeatureExtended | wire.FeatureEvents
	if n.d.features&needs != needs {
		return
	}
	for _, m := range n.d.session.mounts {
		if m.export == n.export && m != n.but {
			fn(m)
		}
	}
}

// Changed implements Notifier. A node the guest never saw is no news.
func (n *notifier) Changed(node Node, what, events uint32, off, size uint64) {
	if id, ok := n.d.number[inode{n.export, node}]; ok && n.but == nil {
		n.d.base(wire.Invalidate, id, off, size)
	}
	n.mounts(func(m *mount) {
		if k, ok := m.known[node]; ok {
			n.d.tell(notice{noticeKey: noticeKey{kind: wire.InvalNode, mount: m.id, node: k.id},
				what: what, events: events, offset: off, size: size})
		}
	})
}

// Entry implements Notifier.
func (n *notifier) Entry(dir Node, name string, node Node, events, cookie uint32) {
	if id, ok := n.d.number[inode{n.export, dir}]; ok && n.but == nil {
		n.d.base(wire.InvalidateDir, id, 0, 0)
	}
	n.mounts(func(m *mount) {
		k, ok := m.known[dir]
		if !ok {
			return
		}
		t := notice{noticeKey: noticeKey{kind: wire.InvalEntry, mount: m.id, node: k.id, name: name}, events: events, cookie: cookie}
		if c, ok := m.known[node]; ok {
			t.child = c.id
		}
		n.d.tell(t)
	})
}

// InvalidateDir implements Notifier.
func (n *notifier) InvalidateDir(dir Node) {
	if id, ok := n.d.number[inode{n.export, dir}]; ok && n.but == nil {
		n.d.base(wire.InvalidateDir, id, 0, 0)
	}
	n.mounts(func(m *mount) {
		if k, ok := m.known[dir]; ok {
			n.d.tell(notice{noticeKey: noticeKey{kind: wire.InvalDir, mount: m.id, node: k.id}})
		}
	})
}

// InvalidateAll implements Notifier.
func (n *notifier) InvalidateAll() {
	for i, key := range n.d.inodes {
		if key.export == n.export {
			n.d.base(wire.Invalidate, uint32(i+1), 0, 0)
			n.d.base(wire.InvalidateDir, uint32(i+1), 0, 0)
		}
	}
	n.mounts(func(m *mount) {
		n.d.tell(notice{noticeKey: noticeKey{kind: wire.InvalMount, mount: m.id}})
	})
}
