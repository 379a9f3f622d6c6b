package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

// named decodes a request with a name, and checks it.
func (c *call) named(m wire.Message, name *string) error {
	if err := c.decode(m); err != nil {
		return err
	}
	return CheckName(*name)
}

// entry is the response with a node that a name led to, or that was made.
func (c *call) entry(a *Attr) (wire.Message, error) {
	n, err := c.s.meet(c.mount, a)
	if err != nil {
		return nil, err
	}
	w := c.s.block(n, a, c.node)
	return &w, nil
}

// planLookup is LOOKUP2.
func (s *session) planLookup(c *call) (plan, error) {
	var m wire.Name2Request
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	dir := c.node.node
	var a Attr
	return plan{
		work:   func() (err error) { a, err = c.x.Backend.Lookup(dir, m.Name); return err },
		finish: func() (wire.Message, error) { return c.entry(&a) },
		failed: func(err error) error {
			c.node.watched = a.DirWatched
			return err
		},
	}, nil
}

// make is the plan of what makes a file under a name.
func (s *session) make(c *call, name string, w NewFile) (plan, error) {
	dir := c.node.node
	w.UID, w.GID = c.req.UID, c.req.GID
	var a Attr
	return plan{
		work: func() (err error) { a, err = c.x.Backend.Create(dir, name, w); return err },
		finish: func() (wire.Message, error) {
			s.others(c.mount).Entry(dir, name, a.Node, EventCreate|isDir(&a), 0)
			return c.entry(&a)
		},
	}, nil
}

// isDir is EventIsDir for a directory.
func isDir(a *Attr) uint32 {
	if a.Mode&ModeType == ModeDir {
		return EventIsDir
	}
	return 0
}

// planMknod is MKNOD.
func (s *session) planMknod(c *call) (plan, error) {
	var m wire.MknodRequest
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	kind := m.Mode & ModeType
	switch kind {
	case 0:
		kind = ModeRegular
	case ModeRegular, ModeFIFO, ModeSocket, ModeChar, ModeBlock:
	default:
		return plan{}, EINVAL
	}
	return s.make(c, m.Name, NewFile{Mode: kind | m.Mode&0o7777, Umask: m.Umask & 0o777, Major: m.Major, Minor: m.Minor})
}

// planMkdir is MKDIR2.
func (s *session) planMkdir(c *call) (plan, error) {
	var m wire.Mkdir2Request
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	return s.make(c, m.Name, NewFile{Mode: ModeDir | m.Mode&0o7777, Umask: m.Umask & 0o777})
}

// planSymlink is SYMLINK2.
func (s *session) planSymlink(c *call) (plan, error) {
	var m wire.Symlink2Request
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	switch {
	case len(m.Target) > wire.MaxTarget:
		return plan{}, ENAMETOOLONG
	case m.Target == "":
		return plan{}, ENOENT
	}
	return s.make(c, m.Name, NewFile{Mode: ModeSymlink | 0o777, Target: m.Target})
}

// planLink is LINK.
func (s *session) planLink(c *call) (plan, error) {
	var m wire.LinkRequest
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	file := c.mount.nodes[m.File]
	if file == nil {
		return plan{}, ESTALE
	}
	n, dir := file.node, c.node.node
	var a Attr
	return plan{
		work: func() (err error) { a, err = c.x.Backend.Link(n, dir, m.Name); return err },
		finish: func() (wire.Message, error) {
			s.others(c.mount).Entry(dir, m.Name, n, EventCreate, 0)
			s.others(c.mount).Changed(n, InvalAttr, EventAttrib, 0, 0)
			return c.entry(&a)
		},
	}, nil
}

// planUnlink is UNLINK2.
func (s *session) planUnlink(c *call) (plan, error) {
	return s.remove(c, c.x.Backend.Unlink, EventDelete)
}

// planRmdir is RMDIR.
func (s *session) planRmdir(c *call) (plan, error) {
	return s.remove(c, c.x.Backend.Rmdir, EventDelete|EventIsDir)
}

// remove is the plan of what removes a name.
func (s *session) remove(c *call, fn func(Node, string) error, events uint32) (plan, error) {
	var m wire.Name2Request
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	dir := c.node.node
	return plan{
		work: func() error { return fn(dir, m.Name) },
		finish: func() (wire.Message, error) {
			s.others(c.mount).Entry(dir, m.Name, 0, events, 0)
			return nil, nil
		},
	}, nil
}

// planRename is RENAME2.
func (s *session) planRename(c *call) (plan, error) {
	var m wire.Rename2Request
	if err := c.named(&m, &m.OldName); err != nil {
		return plan{}, err
	}
	if err := CheckName(m.NewName); err != nil {
		return plan{}, err
	}
	to := c.mount.nodes[m.NewDir]
	const known = RenameNoReplace | RenameExchange | RenameWhiteout
	switch {
	case to == nil:
		return plan{}, ESTALE
	case m.Flags&^known != 0, m.Flags&RenameExchange != 0 && m.Flags != RenameExchange:
		return plan{}, EINVAL
	}
	from, into := c.node.node, to.node
	return plan{
		work: func() error { return c.x.Backend.Rename(from, m.OldName, into, m.NewName, m.Flags) },
		finish: func() (wire.Message, error) {
			cookie := uint32(s.d.version) | 1
			s.others(c.mount).Entry(from, m.OldName, 0, EventMovedFrom, cookie)
			s.others(c.mount).Entry(into, m.NewName, 0, EventMovedTo, cookie)
			return nil, nil
		},
	}, nil
}

// planReadlink is READLINK2.
func (s *session) planReadlink(c *call) (plan, error) {
	n := c.node.node
	var target string
	return plan{
		work: func() (err error) { target, err = c.x.Backend.Readlink(n); return err },
		finish: func() (wire.Message, error) {
			if len(target) > c.room() {
				return nil, ERANGE
			}
			c.data = []byte(target)
			return nil, nil
		},
	}, nil
}

// planReaddir is READDIR2: pages of a listing that is taken when it is read
// from the beginning.
func (s *session) planReaddir(c *call) (plan, error) {
	var m wire.Readdir2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	h, err := c.handle(m.Handle, c.node)
	switch {
	case err != nil:
		return plan{}, err
	case h == nil:
		return plan{}, EBADF
	case c.node.kind != ModeDir:
		return plan{}, ENOTDIR
	case m.Size > wire.MaxData || int(m.Size) > c.room():
		return plan{}, EINVAL
	}
	p := page{dir: c.node.node, from: m.Cookie, size: int(m.Size), plus: m.Flags&wire.ReaddirPlus != 0, entries: h.entries}
	fresh := m.Cookie == 0 || !h.read
	return plan{
		work: func() error { return p.read(c.x.Backend, fresh) },
		finish: func() (wire.Message, error) {
			if s.handles[h.id] == h && fresh {
				if s.listed+len(p.entries)-len(h.entries) > listedLimit {
					p.forget(c.x.Backend)
					return nil, ENFILE
				}
				s.listed += len(p.entries) - len(h.entries)
				h.entries, h.read = p.entries, true
			}
			return nil, c.list(&p)
		},
	}, nil
}

// A page is a part of a listing.
type page struct {
	dir     Node
	from    uint64
	size    int
	plus    bool
	entries []Entry
	// attrs are those of the entries from From on that fit, with a lookup each;
	// Node 0 in them is what could not be looked up.
	attrs []Attr
	end   bool
}

// read fills a page; it runs beside the machine.
func (p *page) read(b Backend, fresh bool) (err error) {
	if fresh {
		if p.entries, err = b.Readdir(p.dir); err != nil {
			return err
		}
	}
	room := p.size
	for i := min(p.from, uint64(len(p.entries))); i < uint64(len(p.entries)); i++ {
		e := &p.entries[i]
		if room -= wire.DirEntrySize(len(e.Name), p.plus); room < 0 {
			if len(p.attrs) == 0 {
				return EINVAL
			}
			return nil
		}
		var a Attr
		if p.plus {
			if a, err = b.Lookup(p.dir, e.Name); err != nil {
				a = Attr{}
			}
		}
		p.attrs = append(p.attrs, a)
	}
	p.end = true
	return nil
}

// forget gives the lookups back.
func (p *page) forget(b Backend) {
	for i := range p.attrs {
		if p.attrs[i].Node != 0 {
			b.Forget(p.attrs[i].Node, 1)
		}
	}
}

// list puts a page into the response.
func (c *call) list(p *page) error {
	if p.end {
		c.flags = wire.ReplyEnd
	}
	for i := range p.attrs {
		e, a := &p.entries[p.from+uint64(i)], &p.attrs[i]
		w := wire.DirEntry{Cookie: p.from + uint64(i) + 1, Ino: e.Ino, Type: uint32(e.Type), Name: e.Name}
		if w.Ino == 0 {
			w.Ino = uint64(e.Node)
		}
		if p.plus {
			w.Attr = &wire.Attr{}
			if a.Node != 0 {
				if n, err := c.s.meet(c.mount, a); err == nil {
					*w.Attr = c.s.block(n, a, c.node)
				}
			}
		}
		c.data = wire.AppendMessage(c.data, &w)
	}
	return nil
}
