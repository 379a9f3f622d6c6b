package v86fs

// nowhere is the export of names that are none: an empty read-only directory.
var nowhere = Export{Backend: empty{}, ReadOnly: true}

type empty struct{}

var emptyRoot = Attr{Node: 1, Mode: ModeDir | 0o555}

func (empty) Root() (Attr, error)                        { return emptyRoot, nil }
func (empty) Lookup(Node, string) (Attr, error)          { return Attr{}, ENOENT }
func (empty) Getattr(Node) (Attr, error)                 { return emptyRoot, nil }
func (empty) Readdir(Node) ([]Entry, error)              { return nil, nil }
func (empty) Open(Node, bool) error                      { return EISDIR }
func (empty) Close(Node)                                 {}
func (empty) Read(Node, []byte, uint64) (int, error)     { return 0, EISDIR }
func (empty) Write(Node, []byte, uint64) (int, error)    { return 0, EROFS }
func (empty) Create(Node, string, uint32) (Attr, error)  { return Attr{}, EROFS }
func (empty) Mkdir(Node, string, uint32) (Attr, error)   { return Attr{}, EROFS }
func (empty) Symlink(Node, string, string) (Attr, error) { return Attr{}, EROFS }
func (empty) Readlink(Node) (string, error)              { return "", EINVAL }
func (empty) Unlink(Node, string) error                  { return EROFS }
func (empty) Rename(Node, string, Node, string) error    { return EROFS }
func (empty) Setattr(Node, Change) error                 { return EROFS }
func (empty) Fsync(Node) error                           { return nil }
func (empty) Statfs() (Statfs, error)                    { return Statfs{BlockSize: pageSize}, nil }
func (empty) Watch(Notifier, func(func())) error         { return nil }
func (empty) Shut() error                                { return nil }
