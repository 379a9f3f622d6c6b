package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

// createTries bounds how often a name may come and go while it is created.
const createTries = 8

// wants reports whether open flags ask to write.
func wants(flags uint32) bool { return flags&wire.OpenAccess != 0 }

// An opening is an open under way: what the backend has opened, and how.
type opening struct {
	attr    Attr
	flags   uint32
	created bool
}

// finish gives an opened file its handle.
func (o *opening) finish(c *call, n *node, dir *node) (wire.Message, error) {
	h, err := c.s.open(c.mount, n, wants(o.flags))
	if err != nil {
		c.x.Backend.Close(n.node)
		return nil, err
	}
	out := &wire.OpenResponse{Attr: c.s.block(n, &o.attr, dir), Handle: h.id}
	if o.created {
		out.Flags = wire.OpenedCreated
	}
	return out, nil
}

// meet is finish for a file that the open was a lookup of, too.
func (o *opening) meet(c *call) (wire.Message, error) {
	n, err := c.s.meet(c.mount, &o.attr)
	if err != nil {
		c.x.Backend.Close(o.attr.Node)
		return nil, err
	}
	m, err := o.finish(c, n, c.node)
	if err != nil {
		c.s.forget(c.mount, n.id, 1)
	}
	return m, err
}

// planCreate is CREATE2.
func (s *session) planCreate(c *call) (plan, error) {
	var m wire.Create2Request
	if err := c.named(&m, &m.Name); err != nil {
		return plan{}, err
	}
	dir := c.node.node
	w := NewFile{Mode: ModeRegular | m.Mode&0o7777, Umask: m.Umask & 0o777, UID: c.req.UID, GID: c.req.GID, Open: true}
	o := &opening{flags: m.Flags}
	return plan{
		work: func() error { return o.create(c.x.Backend, dir, m.Name, w) },
		finish: func() (wire.Message, error) {
			switch {
			case o.created:
				s.others(c.mount).Entry(dir, m.Name, o.attr.Node, EventCreate, 0)
			case m.Flags&wire.OpenTrunc != 0:
				s.others(c.mount).Changed(o.attr.Node, InvalAttr|InvalData|InvalSure, EventModify, 0, 0)
			}
			return o.meet(c)
		},
	}, nil
}

// create makes a file and opens it, or opens the one that is there.
func (o *opening) create(b Backend, dir Node, name string, w NewFile) (err error) {
	for range createTries {
		if o.attr, err = b.Create(dir, name, w); errnoOf(err) != EEXIST || o.flags&wire.OpenExcl != 0 {
			o.created = err == nil
			return err
		}
		if o.attr, err = b.Lookup(dir, name); errnoOf(err) == ENOENT {
			continue // it has gone in the meantime
		}
		if err != nil {
			return err
		}
		if o.attr.Mode&ModeType != ModeRegular {
			err = EEXIST
		} else {
			err = o.existing(b, o.attr.Node)
		}
		if err == nil {
			return nil
		}
		b.Forget(o.attr.Node, 1)
		if errnoOf(err) != ESTALE {
			return err
		}
	}
	return err
}

// existing opens a node, and cuts it if the flags say so.
func (o *opening) existing(b Backend, n Node) error {
	err := b.Open(n, wants(o.flags))
	if err != nil {
		return err
	}
	var a Attr
	if o.flags&wire.OpenTrunc != 0 {
		a, err = b.Setattr(n, Change{Valid: SetSize | SetMtime | KillSUID | KillSGID | KillPriv})
	} else {
		a, err = b.Getattr(n)
	}
	if err != nil {
		b.Close(n)
		return err
	}
	a.DirWatched = o.attr.DirWatched
	o.attr = a
	return nil
}

// planOpen is OPEN2.
func (s *session) planOpen(c *call) (plan, error) {
	var m wire.Open2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	changes := wants(m.Flags) || m.Flags&wire.OpenTrunc != 0
	switch {
	case c.node.kind == ModeSymlink:
		return plan{}, ELOOP
	case c.node.kind == ModeDir && changes:
		return plan{}, EISDIR
	case c.node.kind != ModeDir && c.node.kind != ModeRegular:
		return plan{}, EACCES
	case changes && c.mount.readOnly:
		return plan{}, EROFS
	}
	n := c.node
	// The node must outlive a FORGET until the handle keeps it.
	n.opens++
	o := &opening{flags: m.Flags}
	return plan{
		work: func() error { return o.existing(c.x.Backend, n.node) },
		failed: func(err error) error {
			n.opens--
			s.drop(c.mount, n)
			return err
		},
		finish: func() (wire.Message, error) {
			if m.Flags&wire.OpenTrunc != 0 {
				s.others(c.mount).Changed(n.node, InvalAttr|InvalData|InvalSure, EventModify, 0, 0)
			}
			out, err := o.finish(c, n, nil)
			n.opens--
			s.drop(c.mount, n)
			return out, err
		},
	}, nil
}

// planTmpfile is TMPFILE.
func (s *session) planTmpfile(c *call) (plan, error) {
	var m wire.TmpfileRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	dir := c.node.node
	w := NewFile{Mode: ModeRegular | m.Mode&0o7777, Umask: m.Umask & 0o777, UID: c.req.UID, GID: c.req.GID,
		Open: true, NoLink: m.Flags&wire.OpenExcl != 0}
	o := &opening{flags: m.Flags, created: true}
	return plan{
		work:   func() (err error) { o.attr, err = c.x.Backend.Tmpfile(dir, w); return err },
		finish: func() (wire.Message, error) { return o.meet(c) },
	}, nil
}
