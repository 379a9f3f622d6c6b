package v86fs

// nowhere is the export of names that are none: an empty read-only directory.
var nowhere = Export{Backend: empty{}, ReadOnly: true}

type empty struct{ Unchangeable }

var emptyRoot = Attr{Node: 1, Mode: ModeDir | 0o555, Nlink: 2}

func (empty) Root() (Attr, error)                      { return emptyRoot, nil }
func (empty) Lookup(Node, string) (Attr, error)        { return Attr{}, ENOENT }
func (empty) Getattr(Node) (Attr, error)               { return emptyRoot, nil }
func (empty) Readdir(Node) ([]Entry, error)            { return nil, nil }
func (empty) Open(Node, bool) error                    { return EISDIR }
func (empty) Close(Node)                               {}
func (empty) Read(Node, [][]byte, uint64) (int, error) { return 0, EISDIR }
func (empty) Readlink(Node) (string, error)            { return "", EINVAL }
func (empty) Statfs() (Statfs, error)                  { return Statfs{BlockSize: pageSize}, nil }
