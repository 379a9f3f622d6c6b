package wire

// Bits of Mount2Request.Flags and of Mount2Response.Flags.
const (
	MountReadOnly    = 1 << 0
	MountWatched     = 1 << 1 // changes on the host are told
	MountXattr       = 1 << 2
	MountACL         = 1 << 3
	MountLocks       = 1 << 4
	MountIgnoresCase = 1 << 5 // names that differ in case only are the same
	MountOwners      = 1 << 6 // uid and gid are kept
)

// A Mount2Request is MOUNT2: the name of an export.
type Mount2Request struct {
	Flags uint32
	Name  string
}

// Fields implements Message.
func (m *Mount2Request) Fields(c *Codec) {
	c.U32(&m.Flags)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// A Mount2Response answers MOUNT2.
type Mount2Response struct {
	Mount, Flags uint32
	Root         Attr
}

// Fields implements Message.
func (m *Mount2Response) Fields(c *Codec) {
	c.U32(&m.Mount)
	c.U32(&m.Flags)
	m.Root.Fields(c)
}

// An ExportsRequest is EXPORTS: a list from the export of number First on.
type ExportsRequest struct{ First, Size uint32 }

// Fields implements Message.
func (m *ExportsRequest) Fields(c *Codec) {
	c.U32(&m.First)
	c.U32(&m.Size)
}

// An ExportEntry is an export in the data of EXPORTS; bit 0 of Flags says that
// it is read-only.
type ExportEntry struct {
	Flags uint16
	Name  string
}

// Fields implements Message.
func (m *ExportEntry) Fields(c *Codec) {
	c.U16(&m.Flags)
	n := c.Length(m.Name)
	c.Text(&m.Name, n)
}

// A Name2Request is LOOKUP2, UNLINK2, RMDIR or REMOVEXATTR.
type Name2Request struct{ Name string }

// Fields implements Message.
func (m *Name2Request) Fields(c *Codec) {
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// A Forgotten is a node of FORGET, and how many of its lookups are given back.
type Forgotten struct{ Node, Lookups uint64 }

// A ForgetRequest is FORGET.
type ForgetRequest struct{ Nodes []Forgotten }

// Fields implements Message.
func (m *ForgetRequest) Fields(c *Codec) {
	n := uint32(len(m.Nodes))
	c.U32(&n)
	c.Zero(4)
	if !c.write {
		m.Nodes = nil
	}
	for i := range n {
		if !c.write {
			if i == MaxForget || !c.more() {
				c.short = true
				return
			}
			m.Nodes = append(m.Nodes, Forgotten{})
		}
		c.U64(&m.Nodes[i].Node)
		c.U64(&m.Nodes[i].Lookups)
	}
}

// Bits of open flags, as Linux has them on x86. Others are passed over.
const (
	OpenAccess  = 3 // 0 read, 1 write, 2 both
	OpenExcl    = 0x80
	OpenTrunc   = 0x200
	OpenAppend  = 0x400
	OpenDsync   = 0x1000
	OpenDirect  = 0x4000
	OpenNoatime = 0x40000
	OpenSync    = 0x101000
)

// A Create2Request is CREATE2.
type Create2Request struct {
	Flags, Mode, Umask uint32
	Name               string
}

// Fields implements Message.
func (m *Create2Request) Fields(c *Codec) {
	c.U32(&m.Flags)
	c.U32(&m.Mode)
	c.U32(&m.Umask)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// A TmpfileRequest is TMPFILE.
type TmpfileRequest struct{ Flags, Mode, Umask uint32 }

// Fields implements Message.
func (m *TmpfileRequest) Fields(c *Codec) {
	c.U32(&m.Flags)
	c.U32(&m.Mode)
	c.U32(&m.Umask)
	c.Zero(4)
}

// Bits of OpenResponse.Flags.
const (
	OpenedCreated = 1 << 0 // the file was made by this request
	OpenedKeep    = 1 << 1 // pages cached before are still good
)

// An OpenResponse answers CREATE2, OPEN2 and TMPFILE.
type OpenResponse struct {
	Attr   Attr
	Handle uint64
	Flags  uint32
}

// Fields implements Message.
func (m *OpenResponse) Fields(c *Codec) {
	m.Attr.Fields(c)
	c.U64(&m.Handle)
	c.U32(&m.Flags)
	c.Zero(4)
}

// A MknodRequest is MKNOD; the type is in Mode.
type MknodRequest struct {
	Mode, Umask, Major, Minor uint32
	Name                      string
}

// Fields implements Message.
func (m *MknodRequest) Fields(c *Codec) {
	c.U32(&m.Mode)
	c.U32(&m.Umask)
	c.U32(&m.Major)
	c.U32(&m.Minor)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// A Mkdir2Request is MKDIR2.
type Mkdir2Request struct {
	Mode, Umask uint32
	Name        string
}

// Fields implements Message.
func (m *Mkdir2Request) Fields(c *Codec) {
	c.U32(&m.Mode)
	c.U32(&m.Umask)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// A Symlink2Request is SYMLINK2.
type Symlink2Request struct{ Name, Target string }

// Fields implements Message.
func (m *Symlink2Request) Fields(c *Codec) {
	n := c.Length(m.Name)
	t := c.Length(m.Target)
	c.Text(&m.Name, n)
	c.Text(&m.Target, t)
}

// A LinkRequest is LINK: File gets one more name, in the prefix's directory.
type LinkRequest struct {
	File uint64
	Name string
}

// Fields implements Message.
func (m *LinkRequest) Fields(c *Codec) {
	c.U64(&m.File)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// Bits of Rename2Request.Flags, as renameat2 has them.
const (
	RenameNoReplace = 1 << 0
	RenameExchange  = 1 << 1
	RenameWhiteout  = 1 << 2
)

// A Rename2Request is RENAME2, out of the prefix's directory.
type Rename2Request struct {
	NewDir           uint64
	Flags            uint32
	OldName, NewName string
}

// Fields implements Message.
func (m *Rename2Request) Fields(c *Codec) {
	c.U64(&m.NewDir)
	c.U32(&m.Flags)
	n := c.Length(m.OldName)
	k := c.Length(m.NewName)
	c.Text(&m.OldName, n)
	c.Text(&m.NewName, k)
}

// ReaddirPlus in Readdir2Request.Flags asks for attributes.
const ReaddirPlus = 1 << 0

// ReplyEnd in the flags of the response to READDIR2 or EXPORTS says that
// nothing follows.
const ReplyEnd = 1 << 0

// A Readdir2Request is READDIR2: what follows Cookie, in at most Size bytes.
type Readdir2Request struct {
	Handle, Cookie uint64
	Size, Flags    uint32
}

// Fields implements Message.
func (m *Readdir2Request) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U64(&m.Cookie)
	c.U32(&m.Size)
	c.U32(&m.Flags)
}

// A DirEntry is a name in the data of READDIR2; Attr is there with ReaddirPlus
// only.
type DirEntry struct {
	Cookie, Ino uint64
	Type        uint32
	Name        string
	Attr        *Attr
}

// DirEntrySize is the size in bytes of an entry with a name of n bytes.
func DirEntrySize(n int, plus bool) int {
	size := 24 + n
	if plus {
		size += AttrSize
	}
	return (size + 7) &^ 7
}

// Fields implements Message.
func (m *DirEntry) Fields(c *Codec) {
	c.U64(&m.Cookie)
	c.U64(&m.Ino)
	c.U32(&m.Type)
	n := c.Length(m.Name)
	c.Zero(2)
	if m.Attr != nil {
		m.Attr.Fields(c)
	}
	c.Text(&m.Name, n)
	c.Zero(-n & 7)
}

// AppendMessage appends a message without a prefix: an entry of a list.
func AppendMessage(b []byte, m Message) []byte {
	c := Codec{b: b, write: true}
	m.Fields(&c)
	return c.b
}

// CutMessage takes a message without a prefix off b and returns what follows.
func CutMessage(b []byte, m Message) ([]byte, error) {
	c := Codec{b: b}
	m.Fields(&c)
	if c.short {
		return nil, ErrShort
	}
	return c.b, nil
}
