package v86fs

// Unsupported answers what a backend need not be able to do. Embed it, and
// write the methods over that the backend has.
type Unsupported struct{}

// Traits implements Backend.
func (Unsupported) Traits() Traits { return Traits{} }

// Forget implements Backend.
func (Unsupported) Forget(Node, uint64) {}

// Tmpfile implements Backend.
func (Unsupported) Tmpfile(Node, NewFile) (Attr, error) { return Attr{}, EOPNOTSUPP }

// Link implements Backend.
func (Unsupported) Link(_, _ Node, _ string) (Attr, error) { return Attr{}, EOPNOTSUPP }

// Fallocate implements Backend.
func (Unsupported) Fallocate(Node, uint32, uint32, uint64, uint64) error { return EOPNOTSUPP }

// Seek implements Backend.
func (Unsupported) Seek(Node, uint64, uint32) (uint64, error) { return 0, EOPNOTSUPP }

// CopyRange implements Backend.
func (Unsupported) CopyRange(Node, uint64, Node, uint64, uint64, uint32) (uint64, error) {
	return 0, EOPNOTSUPP
}

// Sync implements Backend.
func (Unsupported) Sync() error { return EOPNOTSUPP }

// Getxattr implements Backend.
func (Unsupported) Getxattr(Node, string) ([]byte, error) { return nil, EOPNOTSUPP }

// Setxattr implements Backend.
func (Unsupported) Setxattr(Node, string, []byte, uint32) error { return EOPNOTSUPP }

// Listxattr implements Backend.
func (Unsupported) Listxattr(Node) ([]string, error) { return nil, EOPNOTSUPP }

// Removexattr implements Backend.
func (Unsupported) Removexattr(Node, string) error { return EOPNOTSUPP }

// Lock implements Backend.
func (Unsupported) Lock(Node, Lock, <-chan struct{}) error { return EOPNOTSUPP }

// TestLock implements Backend.
func (Unsupported) TestLock(Node, Lock) (Lock, error) { return Lock{Type: LockNone}, nil }

// Watch implements Backend: nothing changes behind the guest's back.
func (Unsupported) Watch(Notifier, func(func())) error { return nil }

// Shut implements Backend.
func (Unsupported) Shut() error { return nil }
