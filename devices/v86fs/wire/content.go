package wire

// A HandleRequest is GETATTR2 or RELEASE.
type HandleRequest struct{ Handle uint64 }

// Fields implements Message.
func (m *HandleRequest) Fields(c *Codec) { c.U64(&m.Handle) }

// Bits of Setattr2Request.Valid, as Linux's ia_valid.
const (
	SetMode     = 1 << 0
	SetUID      = 1 << 1
	SetGID      = 1 << 2
	SetSize     = 1 << 3
	SetAtime    = 1 << 4 // to now, unless SetAtimeTo is there too
	SetMtime    = 1 << 5 // to now, unless SetMtimeTo is there too
	SetCtime    = 1 << 6
	SetAtimeTo  = 1 << 7
	SetMtimeTo  = 1 << 8
	SetKillSUID = 1 << 11
	SetKillSGID = 1 << 12
	SetKillPriv = 1 << 14 // drop security.capability
)

// A Setattr2Request is SETATTR2.
type Setattr2Request struct {
	Handle                uint64
	Valid, Mode, UID, GID uint32
	Size                  uint64
	Atime, Mtime, Ctime   Time
}

// Fields implements Message.
func (m *Setattr2Request) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U32(&m.Valid)
	c.U32(&m.Mode)
	c.U32(&m.UID)
	c.U32(&m.GID)
	c.U64(&m.Size)
	c.S64(&m.Atime.Sec)
	c.S64(&m.Mtime.Sec)
	c.S64(&m.Ctime.Sec)
	c.U32(&m.Atime.Nsec)
	c.U32(&m.Mtime.Nsec)
	c.U32(&m.Ctime.Nsec)
	c.Zero(4)
}

// An Open2Request is OPEN2, of a file or of a directory.
type Open2Request struct{ Flags uint32 }

// Fields implements Message.
func (m *Open2Request) Fields(c *Codec) {
	c.U32(&m.Flags)
	c.Zero(4)
}

// A Read2Request is READ2; with handle 0 the node is read.
type Read2Request struct {
	Handle, Offset uint64
	Size, Flags    uint32
}

// Fields implements Message.
func (m *Read2Request) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U64(&m.Offset)
	c.U32(&m.Size)
	c.U32(&m.Flags)
}

// Bits of the flags of READ2, WRITE2, FALLOCATE and COPY_RANGE.
const (
	WriteAppend   = 1 << 0 // at the end of the file, whatever Offset says
	WriteKillPriv = 1 << 1 // drop set-user-ID, set-group-ID and security.capability
	WriteSync     = 1 << 2 // answered when data and attributes are stored
	WriteDsync    = 1 << 3 // answered when the data is stored
	IODirect      = 1 << 4 // past the host's cache, if it can
	CopyClone     = 1 << 5 // share storage or fail
)

// A Write2Request is WRITE2; Size bytes of data follow.
type Write2Request struct {
	Handle, Offset uint64
	Size, Flags    uint32
}

// Fields implements Message.
func (m *Write2Request) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U64(&m.Offset)
	c.U32(&m.Size)
	c.U32(&m.Flags)
}

// A Write2Response answers WRITE2.
type Write2Response struct {
	// Offset is where the data begins in the file, and Written how much of it
	// is there.
	Offset  uint64
	Written uint32
	Attr    Attr
}

// Fields implements Message.
func (m *Write2Response) Fields(c *Codec) {
	c.U64(&m.Offset)
	c.U32(&m.Written)
	c.Zero(4)
	m.Attr.Fields(c)
}

// FsyncData in Fsync2Request.Flags leaves out attributes that reading the data
// does not need.
const FsyncData = 1 << 0

// An Fsync2Request is FSYNC2, of a file or of a directory.
type Fsync2Request struct {
	Handle uint64
	Flags  uint32
}

// Fields implements Message.
func (m *Fsync2Request) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U32(&m.Flags)
	c.Zero(4)
}

// Bits of FallocateRequest.Mode, as Linux has them.
const (
	FallocKeepSize = 1 << 0
	FallocPunch    = 1 << 1 // needs FallocKeepSize
	FallocCollapse = 1 << 3
	FallocZero     = 1 << 4
	FallocInsert   = 1 << 5
	FallocUnshare  = 1 << 6
)

// A FallocateRequest is FALLOCATE.
type FallocateRequest struct {
	Handle         uint64
	Mode, Flags    uint32
	Offset, Length uint64
}

// Fields implements Message.
func (m *FallocateRequest) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U32(&m.Mode)
	c.U32(&m.Flags)
	c.U64(&m.Offset)
	c.U64(&m.Length)
}

// Values of SeekRequest.Whence, as lseek has them.
const (
	SeekData = 3
	SeekHole = 4
)

// A SeekRequest is SEEK.
type SeekRequest struct {
	Handle, Offset uint64
	Whence         uint32
}

// Fields implements Message.
func (m *SeekRequest) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U64(&m.Offset)
	c.U32(&m.Whence)
	c.Zero(4)
}

// A SeekResponse answers SEEK.
type SeekResponse struct{ Offset uint64 }

// Fields implements Message.
func (m *SeekResponse) Fields(c *Codec) { c.U64(&m.Offset) }

// A CopyRangeRequest is COPY_RANGE, out of the prefix's node.
type CopyRangeRequest struct {
	Handle, Offset                     uint64
	ToNode, ToHandle, ToOffset, Length uint64
	Flags                              uint32
}

// Fields implements Message.
func (m *CopyRangeRequest) Fields(c *Codec) {
	c.U64(&m.Handle)
	c.U64(&m.Offset)
	c.U64(&m.ToNode)
	c.U64(&m.ToHandle)
	c.U64(&m.ToOffset)
	c.U64(&m.Length)
	c.U32(&m.Flags)
	c.Zero(4)
}

// A CopyRangeResponse answers COPY_RANGE with what was copied and the
// attributes of the file copied to.
type CopyRangeResponse struct {
	Copied uint64
	Attr   Attr
}

// Fields implements Message.
func (m *CopyRangeResponse) Fields(c *Codec) {
	c.U64(&m.Copied)
	m.Attr.Fields(c)
}

// A Statfs2Response answers STATFS2; counts of blocks are of Frsize bytes.
type Statfs2Response struct {
	Blocks, Free, Available, Files, FilesFree uint64
	Bsize, Frsize, Namelen, Kind              uint32
	ID                                        uint64
	Flags                                     uint32
}

// Fields implements Message.
func (m *Statfs2Response) Fields(c *Codec) {
	for _, p := range []*uint64{&m.Blocks, &m.Free, &m.Available, &m.Files, &m.FilesFree} {
		c.U64(p)
	}
	for _, p := range []*uint32{&m.Bsize, &m.Frsize, &m.Namelen, &m.Kind} {
		c.U32(p)
	}
	c.U64(&m.ID)
	c.U32(&m.Flags)
	c.Zero(4)
}

// A GetxattrRequest is GETXATTR; with Size 0 only the size is asked.
type GetxattrRequest struct {
	Size uint32
	Name string
}

// Fields implements Message.
func (m *GetxattrRequest) Fields(c *Codec) {
	c.U32(&m.Size)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// A ListxattrRequest is LISTXATTR; with Size 0 only the size is asked.
type ListxattrRequest struct{ Size uint32 }

// Fields implements Message.
func (m *ListxattrRequest) Fields(c *Codec) {
	c.U32(&m.Size)
	c.Zero(4)
}

// A XattrResponse answers GETXATTR and LISTXATTR.
type XattrResponse struct{ Size uint32 }

// Fields implements Message.
func (m *XattrResponse) Fields(c *Codec) {
	c.U32(&m.Size)
	c.Zero(4)
}

// Bits of SetxattrRequest.Flags.
const (
	XattrCreate  = 1 << 0
	XattrReplace = 1 << 1
	XattrNoSGID  = 1 << 2 // an access ACL that drops set-group-ID
)

// A SetxattrRequest is SETXATTR; Size bytes of data follow.
type SetxattrRequest struct {
	Size, Flags uint32
	Name        string
}

// Fields implements Message.
func (m *SetxattrRequest) Fields(c *Codec) {
	c.U32(&m.Size)
	c.U32(&m.Flags)
	n := c.Length(m.Name)
	c.Zero(2)
	c.Text(&m.Name, n)
}

// Values of a lock's type, as fcntl has them.
const (
	LockRead  = 0
	LockWrite = 1
	LockNone  = 2
)

// Bits of LockRequest.Flags.
const (
	LockFlock = 1 << 0 // of flock, which is apart from those of fcntl
	LockWait  = 1 << 1 // answered when it is granted
)

// A LockRequest is GETLK or SETLK; End is the last byte of the range.
type LockRequest struct {
	Handle, Owner, Start, End uint64
	Type, Flags               uint32
}

// Fields implements Message.
func (m *LockRequest) Fields(c *Codec) {
	for _, p := range []*uint64{&m.Handle, &m.Owner, &m.Start, &m.End} {
		c.U64(p)
	}
	c.U32(&m.Type)
	c.U32(&m.Flags)
}

// A LockResponse answers GETLK with a lock in the way, or the type LockNone.
type LockResponse struct {
	Start, End uint64
	Type, PID  uint32
}

// Fields implements Message.
func (m *LockResponse) Fields(c *Codec) {
	c.U64(&m.Start)
	c.U64(&m.End)
	c.U32(&m.Type)
	c.U32(&m.PID)
}

// An InterruptRequest is INTERRUPT: the tag of a request in flight.
type InterruptRequest struct{ Tag uint16 }

// Fields implements Message.
func (m *InterruptRequest) Fields(c *Codec) {
	c.U16(&m.Tag)
	c.Zero(6)
}
