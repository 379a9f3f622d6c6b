package v86fs

import (
	"github.com/gov86/gov86/devices/v86fs/wire"
)

const pageSize = 4096

// A notice is something to tell the guest unasked.
type notice struct {
	dir          bool
	inode        uint32
	offset, size uint64 // size 0 is the whole file
}

// notices wait for a safe point and for a buffer. Each inode is in the queue
// once: ranges of one file grow together.
type notices struct {
	queue []notice
	// at is where in all that was ever queued an inode's notice stands, and
	// taken how many are gone.
	at    map[noticeKey]int
	taken int
}

type noticeKey struct {
	dir   bool
	inode uint32
}

// add queues a notice, joined with the one of the same inode that waits.
func (q *notices) add(n notice) {
	key := noticeKey{n.dir, n.inode}
	i, ok := q.at[key]
	if !ok {
		if q.at == nil {
			q.at = map[noticeKey]int{}
		}
		q.at[key] = q.taken + len(q.queue)
		q.queue = append(q.queue, n)
		return
	}
	w := &q.queue[i-q.taken]
	if w.size == 0 || n.size == 0 {
		w.offset, w.size = 0, 0
		return
	}
	first := min(w.offset, n.offset)
	last := max(w.offset+w.size, n.offset+n.size)
	w.offset, w.size = first, last-first
}

// take removes the first notice.
func (q *notices) take() notice {
	n := q.queue[0]
	q.queue = q.queue[1:]
	q.taken++
	delete(q.at, noticeKey{n.dir, n.inode})
	return n
}

// wrotePart queues the invalidation of pages that a WRITE covered in part: the
// protocol's first driver zero-fills the rest of such a page in its cache. A
// write from a page boundary to the end of the file needs none.
func (d *Device) wrotePart(i inode, off, n uint64) {
	if n == 0 || off%pageSize == 0 {
		return
	}
	first := off &^ (pageSize - 1)
	last := (off + n + pageSize - 1) &^ (pageSize - 1)
	d.notices.add(notice{inode: d.number[i], offset: first, size: last - first})
}

// Pending reports whether there is something to deliver.
func (d *Device) Pending() bool { return len(d.notices.queue) > 0 && d.listening && d.q != nil }

// Deliver tells the guest what waits, as far as it has given buffers. The
// machine calls it at safe points only: while the guest is halted with
// interrupts enabled, or in user mode, when no driver is in the middle of
// adding a request.
func (d *Device) Deliver() {
	for d.Pending() && d.q[queueNotify].Pop(&d.chain) {
		n := d.notices.take()
		if n.dir {
			d.reply.Begin(wire.InvalidateDir, 0)
			d.reply.U64(uint64(n.inode))
		} else {
			d.reply.Begin(wire.Invalidate, 0)
			wire.AppendInvalidate(&d.reply, uint64(n.inode), n.offset, n.size)
		}
		d.send()
	}
}

// send writes the message in d.reply to the chain and gives it back.
func (d *Device) send() {
	out := d.chain.Writer()
	written, _ := out.Write(d.reply.End())
	d.q[queueNotify].Push(&d.chain, written)
}

// notifier is what a backend tells its export's changes.
type notifier struct {
	d      *Device
	export uint32
}

// Invalidate implements Notifier. A node the guest never saw is no news.
func (n *notifier) Invalidate(node Node, off, size uint64) {
	if id, ok := n.d.number[inode{n.export, node}]; ok {
		n.d.notices.add(notice{inode: id, offset: off, size: size})
	}
}

// InvalidateDir implements Notifier.
func (n *notifier) InvalidateDir(node Node) {
	if id, ok := n.d.number[inode{n.export, node}]; ok {
		n.d.notices.add(notice{dir: true, inode: id})
	}
}

// InvalidateAll implements Notifier.
func (n *notifier) InvalidateAll() {
	for i, key := range n.d.inodes {
		if key.export == n.export {
			n.d.notices.add(notice{inode: uint32(i + 1)})
			n.d.notices.add(notice{dir: true, inode: uint32(i + 1)})
		}
	}
}
