package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

// checkXattr refuses what cannot be the name of an extended attribute.
func checkXattr(name string) error {
	if len(name) > wire.MaxName || name == "" {
		return ERANGE
	}
	for i := range len(name) {
		if name[i] == 0 {
			return EINVAL
		}
	}
	return nil
}

// planGetxattr is GETXATTR.
func (s *session) planGetxattr(c *call) (plan, error) {
	var m wire.GetxattrRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if err := checkXattr(m.Name); err != nil {
		return plan{}, err
	}
	n := c.node.node
	var value []byte
	return plan{
		work:   func() (err error) { value, err = c.x.Backend.Getxattr(n, m.Name); return err },
		finish: func() (wire.Message, error) { return c.value(value, m.Size) },
	}, nil
}

// value is the response with data of an extended attribute: its size alone
// when the driver has no room.
func (c *call) value(v []byte, size uint32) (wire.Message, error) {
	switch {
	case len(v) > wire.MaxXattr:
		return nil, E2BIG
	case size != 0 && (len(v) > int(size) || len(v) > c.room()):
		return nil, ERANGE
	case size != 0:
		c.data = v
	}
	return &wire.XattrResponse{Size: uint32(len(v))}, nil
}

// planSetxattr is SETXATTR.
func (s *session) planSetxattr(c *call) (plan, error) {
	var m wire.SetxattrRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if err := checkXattr(m.Name); err != nil {
		return plan{}, err
	}
	const both = XattrCreate | XattrReplace
	switch {
	case m.Size > wire.MaxXattr:
		return plan{}, E2BIG
	case m.Flags&both == both, c.chain.Readable()-len(c.buf) < int(m.Size):
		return plan{}, EINVAL
	}
	value := make([]byte, len(c.buf)+int(m.Size))
	in := c.chain.Reader()
	if k, err := in.Read(value); err != nil || k < len(value) {
		return plan{}, EFAULT
	}
	value = value[len(c.buf):]
	return s.xattrChange(c, func(b Backend, n Node) error { return b.Setxattr(n, m.Name, value, m.Flags) }), nil
}

// planRemovexattr is REMOVEXATTR.
func (s *session) planRemovexattr(c *call) (plan, error) {
	var m wire.Name2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if err := checkXattr(m.Name); err != nil {
		return plan{}, err
	}
	return s.xattrChange(c, func(b Backend, n Node) error { return b.Removexattr(n, m.Name) }), nil
}

// xattrChange is the plan of a change of extended attributes.
func (s *session) xattrChange(c *call, fn func(Backend, Node) error) plan {
	n := c.node.node
	return plan{
		work: func() error { return fn(c.x.Backend, n) },
		finish: func() (wire.Message, error) {
			s.others(c.mount).Changed(n, InvalAttr|InvalXattr, EventAttrib, 0, 0)
			return nil, nil
		},
	}
}

// planListxattr is LISTXATTR.
func (s *session) planListxattr(c *call) (plan, error) {
	var m wire.ListxattrRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	n := c.node.node
	var names []string
	return plan{
		work: func() (err error) { names, err = c.x.Backend.Listxattr(n); return err },
		finish: func() (wire.Message, error) {
			var v []byte
			for _, name := range names {
				v = append(append(v, name...), 0)
			}
			return c.value(v, m.Size)
		},
	}, nil
}
