package v86fs

// Unchangeable answers every request for a change with EROFS, and what else a
// backend need not be able to do as Unsupported does. Embed it in a backend that
// is never written to.
type Unchangeable struct{ Unsupported }

// Setattr implements Backend.
func (Unchangeable) Setattr(Node, Change) (Attr, error) { return Attr{}, EROFS }

// Write implements Backend.
func (Unchangeable) Write(Node, [][]byte, uint64, uint32) (uint64, int, error) { return 0, 0, EROFS }

// Create implements Backend.
func (Unchangeable) Create(Node, string, NewFile) (Attr, error) { return Attr{}, EROFS }

// Tmpfile implements Backend.
func (Unchangeable) Tmpfile(Node, NewFile) (Attr, error) { return Attr{}, EROFS }

// Link implements Backend.
func (Unchangeable) Link(_, _ Node, _ string) (Attr, error) { return Attr{}, EROFS }

// Unlink implements Backend.
func (Unchangeable) Unlink(Node, string) error { return EROFS }

// Rmdir implements Backend.
func (Unchangeable) Rmdir(Node, string) error { return EROFS }

// Rename implements Backend.
func (Unchangeable) Rename(Node, string, Node, string, uint32) error { return EROFS }

// Fsync implements Backend: there is nothing to write out.
func (Unchangeable) Fsync(Node, bool) error { return nil }

// Sync implements Backend.
func (Unchangeable) Sync() error { return nil }

// Fallocate implements Backend.
func (Unchangeable) Fallocate(Node, uint32, uint32, uint64, uint64) error { return EROFS }

// CopyRange implements Backend.
func (Unchangeable) CopyRange(Node, uint64, Node, uint64, uint64, uint32) (uint64, error) {
	return 0, EROFS
}

// Setxattr implements Backend.
func (Unchangeable) Setxattr(Node, string, []byte, uint32) error { return EROFS }

// Removexattr implements Backend.
func (Unchangeable) Removexattr(Node, string) error { return EROFS }

// protected is a backend that may be read only.
type protected struct {
	Unchangeable
	b Backend
}

// Protect returns a backend that lets only those requests reach b that change
// nothing. What asks for a lock to write with gets one to read with on the host:
// the guest's own processes exclude each other all the same, and those of the host
// cannot be kept from a file by one who may not write to it.
func Protect(b Backend) Backend {
	if k, ok := b.(Keeper); ok {
		return &struct {
			*protected
			Keeper
		}{&protected{b: b}, k}
	}
	return &protected{b: b}
}

// Traits implements Backend.
func (p *protected) Traits() Traits { return p.b.Traits() }

// Root implements Backend.
func (p *protected) Root() (Attr, error) { return p.b.Root() }

// Lookup implements Backend.
func (p *protected) Lookup(dir Node, name string) (Attr, error) { return p.b.Lookup(dir, name) }

// Forget implements Backend.
func (p *protected) Forget(n Node, lookups uint64) { p.b.Forget(n, lookups) }

// Getattr implements Backend.
func (p *protected) Getattr(n Node) (Attr, error) { return p.b.Getattr(n) }

// Readdir implements Backend.
func (p *protected) Readdir(dir Node) ([]Entry, error) { return p.b.Readdir(dir) }

// Open implements Backend.
func (p *protected) Open(n Node, writable bool) error {
	if writable {
		return EROFS
	}
	return p.b.Open(n, false)
}

// Close implements Backend.
func (p *protected) Close(n Node) { p.b.Close(n) }

// Read implements Backend.
func (p *protected) Read(n Node, buffers [][]byte, off uint64) (int, error) {
	return p.b.Read(n, buffers, off)
}

// Readlink implements Backend.
func (p *protected) Readlink(n Node) (string, error) { return p.b.Readlink(n) }

// Seek implements Backend.
func (p *protected) Seek(n Node, off uint64, whence uint32) (uint64, error) {
	return p.b.Seek(n, off, whence)
}

// Statfs implements Backend.
func (p *protected) Statfs() (Statfs, error) { return p.b.Statfs() }

// Getxattr implements Backend.
func (p *protected) Getxattr(n Node, name string) ([]byte, error) { return p.b.Getxattr(n, name) }

// Listxattr implements Backend.
func (p *protected) Listxattr(n Node) ([]string, error) { return p.b.Listxattr(n) }

// Lock implements Backend.
func (p *protected) Lock(n Node, l Lock, cancel <-chan struct{}) error {
	return p.b.Lock(n, shared(l), cancel)
}

// TestLock implements Backend.
func (p *protected) TestLock(n Node, l Lock) (Lock, error) { return p.b.TestLock(n, shared(l)) }

func shared(l Lock) Lock {
	if l.Type == LockWrite {
		l.Type = LockRead
	}
	return l
}

// Watch implements Backend.
func (p *protected) Watch(n Notifier, post func(func())) error { return p.b.Watch(n, post) }

// Shut implements Backend.
func (p *protected) Shut() error { return p.b.Shut() }
