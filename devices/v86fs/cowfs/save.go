package cowfs

import (
	"cmp"
	"errors"
	"fmt"
	"path"

	"github.com/gov86/gov86/devices/v86fs"
)

// A step is a change of the overlay: what of it is to be written down, at once.
type step struct {
	f *FS
	w writer
	// changed are the nodes whose records are written, in their last state.
	changed []*node
}

// step begins a change. mu is held until it ends.
func (f *FS) step() *step { return &step{f: f} }

// end writes the change down, in one piece.
func (s *step) end() error {
	done := map[*node]bool{}
	var w writer
	for _, n := range s.changed {
		if !done[n] && !n.gone && !n.nameless && n.saved != nil {
			w.record(n.saved)
		}
		done[n] = true
	}
	w.b = append(w.b, s.w.b...)
	if len(w.b) == 0 {
		return nil
	}
	return s.f.journal.append(w.b)
}

// touch notes that a node's record changed.
func (s *step) touch(n *node) {
	s.changed = append(s.changed, n)
	n.version++
}

// save gives a node a record, and each directory above it.
func (s *step) save(n *node) error {
	var chain []*node
	for p := n; p != nil && p.saved == nil; p = p.parent {
		chain = append(chain, p)
		if p.gone {
			break
		}
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if err := s.saveOne(chain[i]); err != nil {
			return err
		}
	}
	return nil
}

// saveOne gives a node of the base a record; the directory above it has one.
func (s *step) saveOne(n *node) error {
	a, err := s.f.base.Getattr(n.base)
	if err != nil {
		return err
	}
	r := &record{based: true, origin: s.f.origin(n)}
	r.take(&a)
	if n.isDir() {
		r.entries = map[string]entry{}
	}
	if n.kind == v86fs.ModeSymlink {
		if r.target, err = s.f.base.Readlink(n.base); err != nil {
			return err
		}
	}
	s.give(n, r)
	if n.parent == nil || n.gone {
		return nil
	}
	n.parent.kids--
	s.set(n.parent, n.name, entry{r.id, stampOf(&a)})
	return nil
}

// give makes r the record of a node.
func (s *step) give(n *node, r *record) {
	s.f.lastID++
	r.id = s.f.lastID
	if r.ino == 0 {
		r.ino = newInode - r.id
	}
	n.saved = r
	s.f.saved[r.id] = n
	s.touch(n)
}

// origin is the path in the base of a node that has no record.
func (f *FS) origin(n *node) string {
	switch p := n.parent; {
	case p == nil:
		return "."
	case p.saved != nil:
		return path.Join(p.saved.origin, n.name)
	default:
		return path.Join(f.origin(p), n.name)
	}
}

// own gives a node attributes that are the overlay's.
func (s *step) own(n *node) error {
	err := s.save(n)
	if err == nil {
		err = s.anchor(n)
	}
	if err != nil {
		return err
	}
	if r := n.saved; !r.own {
		a, err := s.f.base.Getattr(n.base)
		if err != nil {
			return err
		}
		links, ino := r.links, r.ino
		r.take(&a)
		r.links, r.ino, r.own = links, ino, true
	}
	s.touch(n)
	return nil
}

// set makes a name in a directory with a record lead somewhere.
func (s *step) set(d *node, name string, e entry) {
	s.left(d, name)
	if e.id != 0 {
		s.f.saved[e.id].places++
	}
	d.saved.entries[name] = e
	s.w.entry(d.saved.id, name, e)
}

// left notes that a name in the overlay does not lead where it did.
func (s *step) left(d *node, name string) {
	if n := s.f.saved[d.saved.entries[name].id]; n != nil {
		n.places--
	}
}

// anchor has a name of the overlay lead to a file whose record none leads to.
func (s *step) anchor(n *node) error {
	d := n.seenIn
	if n.places > 0 || n.gone || d == nil || d.gone {
		return nil
	}
	if found, err := s.f.find(d, n.seenName); err != nil || found != n {
		return nil // it went from there
	}
	if err := s.save(d); err != nil {
		return err
	}
	return s.point(d, n.seenName, n)
}

// hidden is what the base has under a name.
func (f *FS) hidden(d *node, name string) (stamp, error) {
	if e, ok := d.saved.entries[name]; ok {
		return e.hid, nil
	}
	if d.base == 0 {
		return stamp{}, nil
	}
	return f.current(d.base, name)
}

// point has a name lead to a node that has a record.
func (s *step) point(d *node, name string, n *node) error {
	hid, err := s.f.hidden(d, name)
	if err != nil {
		return err
	}
	s.set(d, name, entry{n.saved.id, hid})
	if n.isDir() || n.parent == nil {
		n.parent, n.name = d, name
	}
	return nil
}

// clear takes a name away. In the base it may be there.
func (s *step) clear(d *node, name string) error {
	hid, err := s.f.hidden(d, name)
	if err != nil {
		return err
	}
	if hid.kind != 0 {
		s.set(d, name, entry{0, hid})
		return nil
	}
	s.left(d, name)
	delete(d.saved.entries, name)
	s.w.num(itemAsBase)
	s.w.num(d.saved.id)
	s.w.text(name)
	return nil
}

// renamed notes that a directory's names changed.
func (s *step) renamed(d *node) error {
	if err := s.own(d); err != nil {
		return err
	}
	d.saved.mtime = s.f.time()
	d.saved.ctime = d.saved.mtime
	return nil
}

// bury takes a node out of the overlay: it has no name any more.
func (s *step) bury(n *node) {
	n.gone = true
	if r := n.saved; r != nil {
		s.w.num(itemDrop)
		s.w.num(r.id)
		delete(s.f.saved, r.id)
		if n.data != 0 {
			s.f.data.Unlink(s.f.dataRoot, dataName(r.id))
		}
	} else if n.parent != nil {
		// It is kept no more for what is below it.
		n.parent.kids--
		n.parent = nil
	}
	s.f.settle(n)
}

// dataName is the name of a file's content in the overlay.
func dataName(id uint64) string { return fmt.Sprintf("%016x", id) }

// content makes an empty file for the content of a node, and returns it.
func (f *FS) content(id uint64) (v86fs.Node, error) {
	a, err := f.data.Create(f.dataRoot, dataName(id), v86fs.NewFile{Mode: v86fs.ModeRegular | 0o600})
	return a.Node, err
}

// copyUp has the overlay hold a file's content, of which the first limit bytes are
// wanted.
func (f *FS) copyUp(number v86fs.Node, limit uint64) (*node, error) {
	f.mu.Lock()
	n, err := f.node(number)
	f.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case n.isDir():
		return nil, v86fs.EISDIR
	case n.kind != v86fs.ModeRegular:
		return nil, v86fs.EINVAL
	}
	n.copying.Lock()
	defer n.copying.Unlock()
	f.mu.Lock()
	if n.data != 0 {
		f.mu.Unlock()
		return n, nil
	}
	s := f.step()
	err = s.own(n)
	if err == nil {
		err = s.end()
	}
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	data, err := f.content(n.saved.id)
	if err == nil {
		err = f.copyContent(n.base, data, limit)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		err = f.switchTo(n, data)
	}
	if err != nil {
		if data != 0 {
			f.data.Unlink(f.dataRoot, dataName(n.saved.id))
			f.data.Forget(data, 1)
		}
		return nil, err
	}
	return n, nil
}

// switchTo has a node's content be that in the overlay.
func (f *FS) switchTo(n *node, data v86fs.Node) error {
	r := n.saved
	times := v86fs.Change{Valid: v86fs.SetAtime | v86fs.SetAtimeTo | v86fs.SetMtime | v86fs.SetMtimeTo, Atime: r.atime, Mtime: r.mtime}
	if _, err := f.data.Setattr(data, times); err != nil {
		return err
	}
	if n.opens > 0 {
		if err := f.data.Open(data, true); err != nil {
			return err
		}
	}
	r.content = true
	s := f.step()
	s.touch(n)
	if err := s.end(); err != nil {
		r.content = false
		return err
	}
	if n.opens > 0 {
		f.base.Close(n.base)
	}
	n.data = data
	if n.gone {
		f.data.Unlink(f.dataRoot, dataName(r.id))
	}
	return nil
}

// copyContent copies the first limit bytes of a file of the base.
func (f *FS) copyContent(from, to v86fs.Node, limit uint64) error {
	a, err := f.base.Getattr(from)
	if err != nil {
		return err
	}
	return pour(f.base, from, f.data, to, min(a.Size, limit))
}

// pour writes the first size bytes of a file, but for its holes, into an empty one.
func pour(in v86fs.Backend, from v86fs.Node, out v86fs.Backend, to v86fs.Node, size uint64) error {
	buf := make([]byte, min(size, copyStep))
	for off := uint64(0); off < size; {
		if at, err := in.Seek(from, off, v86fs.SeekData); err == nil {
			off = max(off, at)
		} else if errors.Is(err, v86fs.ENXIO) {
			break
		}
		if off >= size {
			break
		}
		n, err := in.Read(from, [][]byte{buf[:min(uint64(len(buf)), size-off)]}, off)
		if err != nil {
			return err
		}
		if n == 0 {
			break // it became shorter
		}
		if _, k, err := out.Write(to, [][]byte{buf[:n]}, off, 0); err != nil || k < n {
			return cmp.Or(err, error(v86fs.ENOSPC))
		}
		off += uint64(n)
	}
	_, err := out.Setattr(to, v86fs.Change{Valid: v86fs.SetSize, Size: size})
	return err
}
