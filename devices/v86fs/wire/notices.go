package wire

// Bits of InvalNodeNotice.What.
const (
	InvalAttr  = 1 << 0
	InvalData  = 1 << 1
	InvalXattr = 1 << 2 // extended attributes and ACLs
	InvalGone  = 1 << 3 // the file is not reachable any more
	InvalSure  = 1 << 4 // the data was changed by somebody else for sure
)

// Events a notification tells of, as inotify has them.
const (
	EventModify     = 0x2
	EventAttrib     = 0x4
	EventCloseWrite = 0x8
	EventMovedFrom  = 0x40
	EventMovedTo    = 0x80
	EventCreate     = 0x100
	EventDelete     = 0x200
	EventDeleteSelf = 0x400
	EventMoveSelf   = 0x800
	EventIsDir      = 0x40000000
)

// An InvalNodeNotice is INVAL_NODE: what is cached of a file is stale. Size 0
// reaches to the end of the file.
type InvalNodeNotice struct {
	Node         uint64
	What, Events uint32
	Offset, Size uint64
}

// Fields implements Message.
func (m *InvalNodeNotice) Fields(c *Codec) {
	c.U64(&m.Node)
	c.U32(&m.What)
	c.U32(&m.Events)
	c.U64(&m.Offset)
	c.U64(&m.Size)
}

// An InvalEntryNotice is INVAL_ENTRY: what is cached of a name is stale.
type InvalEntryNotice struct {
	Dir, Node      uint64
	Events, Cookie uint32
	Name           string
}

// Fields implements Message.
func (m *InvalEntryNotice) Fields(c *Codec) {
	c.U64(&m.Dir)
	c.U64(&m.Node)
	c.U32(&m.Events)
	c.U32(&m.Cookie)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// An InvalDirNotice is INVAL_DIR: all names of a directory are stale.
type InvalDirNotice struct{ Dir uint64 }

// Fields implements Message.
func (m *InvalDirNotice) Fields(c *Codec) { c.U64(&m.Dir) }
