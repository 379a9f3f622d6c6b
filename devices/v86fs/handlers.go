package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

// handlers answer the requests: each decodes the body and appends that of the
// reply, or reports false for a request that does not parse.
var handlers = [256]func(*Device, *wire.Reader) bool{
	wire.Mount: (*Device).mount, wire.Lookup: (*Device).lookup, wire.Getattr: (*Device).getattr,
	wire.Readdir: (*Device).readdir, wire.Open: (*Device).open, wire.Close: (*Device).close,
	wire.Read: (*Device).read, wire.Create: (*Device).create, wire.Write: (*Device).write,
	wire.Mkdir: (*Device).mkdir, wire.Setattr: (*Device).setattr, wire.Fsync: (*Device).fsync,
	wire.Unlink: (*Device).unlink, wire.Rename: (*Device).rename, wire.Symlink: (*Device).symlink,
	wire.Readlink: (*Device).readlink, wire.Statfs: (*Device).statfs,
}

// status appends the status and, when all is well, the body.
func (d *Device) status(err error, body func(*wire.Writer)) bool {
	d.reply.U32(uint32(errnoOf(err)))
	if err == nil && body != nil {
		body(&d.reply)
	}
	return true
}

// mount never fails: the protocol's first driver frees its memory twice then.
// A name that is no export, or an export that is gone, is an empty directory.
func (d *Device) mount(r *wire.Reader) bool {
	var m wire.NameRequest
	if m.Decode(r) != nil {
		return false
	}
	export, err := d.exportOf(m.Name)
	var root Attr
	if err == nil {
		root, err = d.exports[export].Backend.Root()
	}
	if err != nil {
		d.log.Warn("the guest mounts an export that is not there", "name", m.Name, "err", err)
		export = nowhereExport
		root, _ = nowhere.Backend.Root()
	}
	key := inode{uint32(export), root.Node}
	id, ok := d.number[key]
	if !ok {
		id = d.numbered(key) // beyond the limit if need be
	}
	return d.status(nil, (&wire.NodeResponse{Inode: uint64(id), Mode: root.Mode}).Encode)
}

func (d *Device) lookup(r *wire.Reader) bool {
	var m wire.EntryRequest
	if m.Decode(r) != nil {
		return false
	}
	var out wire.LookupResponse
	x, dir, err := d.target(m.Parent)
	if err == nil {
		err = CheckName(m.Name)
	}
	if err == nil {
		var a Attr
		if a, err = x.Backend.Lookup(dir.node, m.Name); err == nil {
			var id uint32
			id, err = d.inodeOf(dir.export, a.Node)
			out = wire.LookupResponse{Inode: uint64(id), Mode: a.Mode, Size: a.Size}
		}
	}
	d.reply.U32(uint32(errnoOf(err)))
	if err != nil {
		out = wire.LookupResponse{}
	}
	out.Encode(&d.reply)
	return true
}

func (d *Device) getattr(r *wire.Reader) bool {
	var m wire.InodeRequest
	if m.Decode(r) != nil {
		return false
	}
	x, i, err := d.target(m.Inode)
	var a Attr
	if err == nil {
		a, err = x.Backend.Getattr(i.node)
	}
	return d.status(err, (&wire.GetattrResponse{Mode: a.Mode, Size: a.Size, MtimeSec: a.Mtime.Sec, MtimeNsec: a.Mtime.Nsec}).Encode)
}

func (d *Device) readdir(r *wire.Reader) bool {
	var m wire.InodeRequest
	if m.Decode(r) != nil {
		return false
	}
	x, dir, err := d.target(m.Inode)
	var entries []Entry
	if err == nil {
		entries, err = x.Backend.Readdir(dir.node)
	}
	if err != nil {
		return d.status(err, nil)
	}
	// Whole entries, as many as fit, and their true number.
	room := min(d.chain.Writable(), readdirLimit) - wire.ReaddirFixed
	count := 0
	d.reply.U32(0)
	at := len(d.reply.B)
	d.reply.U32(0)
	for i := range entries {
		e := &entries[i]
		id, err := d.listed(x, dir, e)
		if err != nil {
			continue // it went in the meantime
		}
		if room -= wire.EntryFixed + len(e.Name); room < 0 {
			d.crowd(x, len(entries), count)
			break
		}
		wire.AppendEntry(&d.reply, uint64(id), e.Type, e.Name)
		count++
	}
	w := wire.Writer{B: d.reply.B[:at]}
	w.U32(uint32(count)) // in place: it overwrites the four bytes reserved
	return true
}

// crowd warns, once, that a listing did not fit.
func (d *Device) crowd(x *Export, entries, shown int) {
	if !d.crowded {
		d.log.Warn("a directory is too large for the driver's buffer", "export", x.Name, "entries", entries, "shown", shown)
	}
	d.crowded = true
}

func (d *Device) open(r *wire.Reader) bool {
	var m wire.OpenRequest
	if m.Decode(r) != nil {
		return false
	}
	const accessMode = 3 // O_ACCMODE: creation and truncation are the guest's
	writable := m.Flags&accessMode != 0
	x, i, err := d.target(m.Inode)
	switch {
	case err != nil:
	case len(d.handles) >= handleLimit:
		err = ENFILE
	case writable && x.ReadOnly:
		err = EROFS
	default:
		err = x.Backend.Open(i.node, writable)
	}
	h := d.next
	if err == nil {
		d.next++
		d.handles[h] = handle{d.number[i]}
	}
	return d.status(err, func(w *wire.Writer) { w.U64(h) })
}

func (d *Device) close(r *wire.Reader) bool {
	var m wire.InodeRequest
	if m.Decode(r) != nil {
		return false
	}
	if _, ok := d.handles[m.Inode]; !ok {
		return d.status(EBADF, nil)
	}
	d.closeHandle(m.Inode)
	return d.status(nil, nil)
}

func (d *Device) read(r *wire.Reader) bool {
	var m wire.ReadRequest
	if m.Decode(r) != nil {
		return false
	}
	x, i, err := d.target(m.Handle)
	if err != nil {
		return d.status(err, nil)
	}
	size := min(int(min(m.Size, readLimit)), max(d.chain.Writable()-wire.ReadFixed, 0))
	if size > len(d.data) {
		d.data = make([]byte, size)
	}
	n, err := x.Backend.Read(i.node, [][]byte{d.data[:size]}, m.Offset)
	return d.status(err, func(w *wire.Writer) {
		w.U32(uint32(n))
		w.B = append(w.B, d.data[:n]...)
	})
}

func (d *Device) write(r *wire.Reader) bool {
	var m wire.WriteRequest
	if m.Decode(r) != nil {
		return false
	}
	x, i, err := d.writable(m.Inode)
	n := 0
	if err == nil {
		_, n, err = x.Backend.Write(i.node, [][]byte{m.Data}, m.Offset, 0)
	}
	if err == nil {
		d.wrotePart(x.Backend, i, m.Offset, uint64(n))
	}
	d.status(err, nil)
	d.reply.U32(uint32(n))
	return true
}

// node answers with a node that was made.
func (d *Device) node(export uint32, a Attr, err error) bool {
	var id uint32
	if err == nil {
		id, err = d.inodeOf(export, a.Node)
	}
	return d.status(err, (&wire.NodeResponse{Inode: uint64(id), Mode: a.Mode}).Encode)
}

// entry opens a directory for a change of the entry name.
func (d *Device) entry(parent uint64, name string) (*Export, inode, error) {
	x, dir, err := d.writable(parent)
	if err == nil {
		err = CheckName(name)
	}
	return x, dir, err
}

func (d *Device) create(r *wire.Reader) bool {
	var m wire.CreateRequest
	if m.Decode(r) != nil {
		return false
	}
	x, dir, err := d.entry(m.Parent, m.Name)
	var a Attr
	if err == nil {
		a, err = x.Backend.Create(dir.node, m.Name, NewFile{Mode: ModeRegular | m.Mode&0o7777})
	}
	return d.node(dir.export, a, err)
}

func (d *Device) mkdir(r *wire.Reader) bool {
	var m wire.CreateRequest
	if m.Decode(r) != nil {
		return false
	}
	x, dir, err := d.entry(m.Parent, m.Name)
	var a Attr
	if err == nil {
		a, err = x.Backend.Create(dir.node, m.Name, NewFile{Mode: ModeDir | m.Mode&0o7777})
	}
	return d.node(dir.export, a, err)
}

func (d *Device) symlink(r *wire.Reader) bool {
	var m wire.SymlinkRequest
	if m.Decode(r) != nil {
		return false
	}
	const targetLimit = 4095
	x, dir, err := d.entry(m.Parent, m.Name)
	if err == nil && (len(m.Target) > targetLimit || m.Target == "") {
		err = ENAMETOOLONG
	}
	var a Attr
	if err == nil {
		a, err = x.Backend.Create(dir.node, m.Name, NewFile{Mode: ModeSymlink | 0o777, Target: m.Target})
	}
	return d.node(dir.export, a, err)
}

func (d *Device) readlink(r *wire.Reader) bool {
	var m wire.InodeRequest
	if m.Decode(r) != nil {
		return false
	}
	x, i, err := d.target(m.Inode)
	var target string
	if err == nil {
		target, err = x.Backend.Readlink(i.node)
	}
	if len(target) > 4095 {
		err = ENAMETOOLONG
	}
	return d.status(err, func(w *wire.Writer) { w.Text(target) })
}

func (d *Device) unlink(r *wire.Reader) bool {
	var m wire.EntryRequest
	if m.Decode(r) != nil {
		return false
	}
	x, dir, err := d.entry(m.Parent, m.Name)
	if err == nil {
		if err = x.Backend.Unlink(dir.node, m.Name); errnoOf(err) == EISDIR {
			err = x.Backend.Rmdir(dir.node, m.Name)
		}
	}
	return d.status(err, nil)
}

func (d *Device) rename(r *wire.Reader) bool {
	var m wire.RenameRequest
	if m.Decode(r) != nil {
		return false
	}
	x, from, err := d.entry(m.OldParent, m.OldName)
	if err == nil {
		var to inode
		if _, to, err = d.entry(m.NewParent, m.NewName); err == nil {
			if to.export != from.export {
				err = EXDEV
			} else {
				err = x.Backend.Rename(from.node, m.OldName, to.node, m.NewName, 0)
			}
		}
	}
	return d.status(err, nil)
}

func (d *Device) setattr(r *wire.Reader) bool {
	var m wire.SetattrRequest
	if m.Decode(r) != nil {
		return false
	}
	x, i, err := d.writable(m.Inode)
	if err == nil && m.Valid&SetSize != 0 && m.Size > 1<<63-1 {
		err = EFBIG
	}
	if err == nil {
		_, err = x.Backend.Setattr(i.node, Change{Valid: m.Valid & setBase, Mode: m.Mode & 0o7777, Size: m.Size})
	}
	return d.status(err, nil)
}

func (d *Device) fsync(r *wire.Reader) bool {
	var m wire.InodeRequest
	if m.Decode(r) != nil {
		return false
	}
	x, i, err := d.target(m.Inode)
	if err == nil {
		err = x.Backend.Fsync(i.node, false)
	}
	return d.status(err, nil)
}

// statfs does not say which mount asks: the first export answers.
func (d *Device) statfs(*wire.Reader) bool {
	x := &nowhere
	if first, err := d.exportOf(""); err == nil {
		x = &d.exports[first]
	}
	s, err := x.Backend.Statfs()
	return d.status(err, (&wire.StatfsResponse{Blocks: s.Blocks, Free: s.Free, Available: s.Available,
		Files: s.Files, FilesFree: s.FilesFree, BlockSize: s.BlockSize}).Encode)
}
