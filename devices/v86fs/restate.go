package v86fs

import (
	"cmp"
	"fmt"

	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/snapshot"
)

// A Keeper is a Backend whose files are found again by another process.
type Keeper interface {
	// Keep is where a node is. It fails when the node has no name any more.
	Keep(n Node) (Place, error)
	// Find finds the file of a Place and counts lookups of it. It is ESTALE when
	// there is another now, or none.
	Find(p Place, lookups uint64) (Attr, error)
}

// A Place is where a file was: its path from the root of the export on, names with
// slashes between, and what made it that file and no other. The root's is empty.
type Place struct{ Path, Identity string }

func compareLocks(a, b keptLock) int {
	return cmp.Or(cmp.Compare(a.handle, b.handle), cmp.Compare(a.owner, b.owner), cmp.Compare(a.start, b.start))
}

// corrupt is what a state is that the device could not have saved.
func corrupt(what string, n uint64) error {
	return fmt.Errorf("%s %d: %w", what, n, snapshot.ErrCorrupt)
}

// Load implements hw.Device. No backend is called: files are looked for by Resume.
func (d *Device) Load(c *snapshot.Codec) error {
	var s state
	s.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if err := d.renumber(&s); err != nil {
		return err
	}
	next := newSession(d)
	if err := next.load(&s); err != nil {
		return err
	}
	if s.next < firstHandle {
		return corrupt("next handle", s.next)
	}
	for _, h := range s.handles {
		if h.inode == 0 || int(h.inode) > len(s.inodes) || h.id < firstHandle || h.id >= s.next {
			return corrupt("handle", h.id)
		}
	}
	d.forgetAll()
	d.session = next
	d.listening, d.next, d.version = s.listening, s.next, s.version
	d.inodes, d.number, d.lost = nil, map[inode]uint32{}, map[uint32]*Place{}
	for k := range s.inodes {
		d.inodes = append(d.inodes, inode{s.inodes[k].export, 0})
		d.lost[uint32(k+1)] = &s.inodes[k].place
	}
	for _, h := range s.handles {
		d.handles[h.id] = handle{h.inode}
	}
	d.notices.unique = s.unique
	for _, n := range s.notices {
		d.notices.add(notice{noticeKey: noticeKey{kind: wire.Type(n.kind), node: n.node, name: n.name},
			path: n.path, what: n.what, offset: n.offset, size: n.size})
	}
	return nil
}

// renumber has the numbers of exports be those of this device.
func (d *Device) renumber(s *state) error {
	number := make([]uint32, len(s.exports))
	for i, name := range s.exports {
		found := false
		for k, x := range d.exports {
			if x.Name == name {
				number[i], found = uint32(k), true
			}
		}
		if !found {
			return fmt.Errorf("there is no shared directory %q", name)
		}
	}
	for i := range s.inodes {
		if s.inodes[i].export == nowhereExport {
			continue
		}
		if int(s.inodes[i].export) >= len(number) {
			return corrupt("export", uint64(s.inodes[i].export))
		}
		s.inodes[i].export = number[s.inodes[i].export]
	}
	for i := range s.mounts {
		if int(s.mounts[i].export) >= len(number) {
			return corrupt("export", uint64(s.mounts[i].export))
		}
		s.mounts[i].export = number[s.mounts[i].export]
	}
	return nil
}

// load fills a session that is new.
func (s *session) load(from *state) error {
	s.lastMount, s.lastNode = from.lastMount, from.lastNode
	for _, k := range from.mounts {
		if k.id == 0 || k.id > s.lastMount || s.mounts[k.id] != nil {
			return corrupt("mount", uint64(k.id))
		}
		x := &s.d.exports[k.export]
		s.mounts[k.id] = &mount{id: k.id, export: k.export, x: x, readOnly: k.readOnly || x.ReadOnly,
			traits: x.Backend.Traits(), nodes: map[uint64]*node{}, known: map[Node]*node{}}
	}
	for i := range from.nodes {
		k := &from.nodes[i]
		m := s.mounts[k.mount]
		if m == nil || k.id == 0 || k.id > s.lastNode || m.nodes[k.id] != nil {
			return corrupt("node", k.id)
		}
		m.nodes[k.id] = &node{id: k.id, kind: k.kind, lookups: k.lookups, lost: &k.place}
	}
	s.nodes = len(from.nodes)
	for _, k := range from.mounts {
		m := s.mounts[k.id]
		if m.root = m.nodes[k.root]; m.root == nil {
			return corrupt("root", k.root)
		}
	}
	if err := s.loadOpened(from); err != nil {
		return err
	}
	return s.loadLocks(from)
}

// loadOpened makes the handles.
func (s *session) loadOpened(from *state) error {
	for _, k := range from.opened {
		m := s.mounts[k.mount]
		if m == nil || m.nodes[k.node] == nil || k.id < firstHandle || k.id >= from.next || s.handles[k.id] != nil {
			return corrupt("open file", k.id)
		}
		h := &opened{id: k.id, mount: m, node: m.nodes[k.node], writable: k.writable, read: k.read}
		for _, e := range k.entries {
			h.entries = append(h.entries, Entry{Ino: e.ino, Type: e.kind, Name: e.name})
		}
		h.node.opens++
		s.listed += len(h.entries)
		s.handles[h.id] = h
	}
	if s.listed > listedLimit {
		return corrupt("names in directories", uint64(s.listed))
	}
	return nil
}

// loadLocks remembers the locks, which are taken when the files are found.
func (s *session) loadLocks(from *state) error {
	for _, l := range from.locks {
		if s.handles[l.handle] == nil || s.mounts[l.mount] == nil || l.kind != LockRead && l.kind != LockWrite || l.start > l.end {
			return corrupt("lock of handle", l.handle)
		}
	}
	s.toLock = from.locks
	return nil
}

// Resume looks for the files that the guest had when it was saved, opens those that
// were open, and tells the guest that nothing cached is good any more. The board
// calls it when everything is loaded.
func (d *Device) Resume() {
	for k := range d.inodes {
		id := uint32(k + 1)
		place := d.lost[id]
		if place == nil {
			continue
		}
		if a, ok := d.find(d.inodes[k].export, place, 1); ok {
			d.inodes[k].node = a.Node
			d.number[d.inodes[k]] = id
			delete(d.lost, id)
		}
	}
	for _, h := range d.handles {
		if x, i, err := d.target(uint64(h.inode)); err == nil && i.node != 0 {
			d.reopen(x, i.node, !x.ReadOnly)
		}
	}
	d.session.again()
}

// find finds a file, and tells the user of what is not there.
func (d *Device) find(export uint32, p *Place, lookups uint64) (a Attr, ok bool) {
	x := &d.exports[export]
	err := error(ESTALE)
	if k, ok := x.Backend.(Keeper); ok {
		a, err = k.Find(*p, lookups)
	}
	if err != nil {
		d.log.Warn("a file that the guest knew is gone", "export", x.Name, "path", p.Path, "err", err)
	}
	return a, err == nil
}

func (d *Device) reopen(x *Export, n Node, writable bool) {
	err := x.Backend.Open(n, writable)
	if err != nil && writable {
		err = x.Backend.Open(n, false)
	}
	if err != nil {
		d.log.Warn("a file that the guest had open cannot be opened", "export", x.Name, "err", err)
	}
}

// again finds the nodes of all mounts, opens what was open and locks what was locked.
func (s *session) again() {
	for _, m := range s.mounts {
		for _, n := range m.nodes {
			if n.lost == nil {
				continue
			}
			a, ok := s.d.find(m.export, n.lost, n.lookups)
			if !ok || a.Mode&ModeType != n.kind {
				continue
			}
			n.node, n.lost = a.Node, nil
			m.known[n.node] = n
		}
		s.d.tell(notice{noticeKey: noticeKey{kind: wire.InvalMount, mount: m.id}})
	}
	for _, h := range s.handles {
		if h.node.node != 0 {
			s.d.reopen(h.mount.x, h.node.node, h.writable)
		}
	}
	for _, k := range s.toLock {
		h := s.handles[k.handle]
		key := lockKey{h.mount.export, h.node.node, k.flock}
		l := heldLock{lockOwner: lockOwner{k.mount, k.owner}, handle: k.handle, pid: k.pid,
			Lock: Lock{k.flock, k.kind, k.start, k.end}}
		_, err := s.locks.set(key, l)
		if err == nil && h.node.node != 0 {
			err = h.mount.x.Backend.Lock(h.node.node, l.Lock, nil)
		}
		if err != nil {
			s.d.log.Warn("a lock that the guest held is not held on the host", "export", h.mount.x.Name, "err", err)
		}
	}
	s.toLock = nil
}
