package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

// A Node is a backend's name for a file or directory. It is never reused, and
// a file that replaces another has a new one.
type Node uint64

// A Time is seconds since 1970 and nanoseconds below 10^9.
type Time = wire.Time

// An Attr is what a backend knows of a node.
type Attr struct {
	Node Node
	// Ino is what stat shows: it stays the same while the file exists. With 0
	// the guest sees a number of the device's.
	Ino uint64
	// Generation tells files apart that had the same Ino one after the other.
	Generation uint64
	// Change differs when content or attributes changed; 0 if it is not known.
	Change                     uint64
	Mode                       uint32 // Linux st_mode: type and permissions
	Nlink, UID, GID            uint32
	Size                       uint64
	Blocks                     uint64 // of 512 bytes
	Atime, Mtime, Ctime, Btime Time
	RdevMajor, RdevMinor       uint32
	Blksize                    uint32
	Flags                      uint32 // AttrBtime and so on
	// Watched says that the Notifier will hear of changes to the node, and for a
	// directory of changes to its names.
	Watched bool
	// DirWatched is the same of the directory that was asked for a name, or in
	// which one was made: Lookup says it with ENOENT, too.
	DirWatched bool
}

// Bits of Attr.Flags.
const (
	AttrBtime     = wire.AttrBtime // Btime means something
	AttrNoXattr   = wire.AttrNoXattr
	AttrImmutable = wire.AttrImmutable
	AttrAppend    = wire.AttrAppend
)

// File types in Attr.Mode, as Linux has them.
const (
	ModeType    = 0o170000
	ModeSocket  = 0o140000
	ModeSymlink = 0o120000
	ModeRegular = 0o100000
	ModeBlock   = 0o060000
	ModeDir     = 0o040000
	ModeChar    = 0o020000
	ModeFIFO    = 0o010000
)

// An Entry is a name in a directory.
type Entry struct {
	// Node is 0 when the backend would have to look the name up for it.
	Node Node
	Ino  uint64
	// Type is the DT_ type: the type bits of a mode shifted down by twelve.
	Type uint8
	Name string
}

// A Statfs describes a file system; counts of blocks are of FragmentSize bytes.
type Statfs struct {
	Blocks, Free, Available, Files, FilesFree uint64
	BlockSize, FragmentSize                   uint32
	NameLength                                uint32
	// Kind is the magic number the host has for the kind of file system, or 0.
	Kind  uint32
	ID    uint64
	Flags uint32 // as statfs has them
}

// Bits of Change.Valid, as Linux's ia_valid.
const (
	SetMode    = wire.SetMode
	SetUID     = wire.SetUID
	SetGID     = wire.SetGID
	SetSize    = wire.SetSize
	SetAtime   = wire.SetAtime // to now, unless SetAtimeTo is there too
	SetMtime   = wire.SetMtime // to now, unless SetMtimeTo is there too
	SetCtime   = wire.SetCtime
	SetAtimeTo = wire.SetAtimeTo
	SetMtimeTo = wire.SetMtimeTo
	KillSUID   = wire.SetKillSUID
	KillSGID   = wire.SetKillSGID
	KillPriv   = wire.SetKillPriv

	// setBase are those that a SETATTR of the base protocol can carry out.
	setBase = SetMode | SetSize | SetAtime | SetMtime | KillSUID | KillSGID
	setAll  = setBase | SetUID | SetGID | SetCtime | SetAtimeTo | SetMtimeTo | KillPriv
)

// A Change is what is set of a node's attributes.
type Change struct {
	Valid    uint32
	Mode     uint32 // permissions
	UID, GID uint32
	Size     uint64
	// Atime and Mtime count with SetAtimeTo and SetMtimeTo only.
	Atime, Mtime, Ctime Time
}

// A NewFile is what a file is made with.
type NewFile struct {
	Mode     uint32 // type, and permissions before Umask
	Umask    uint32
	UID, GID uint32
	// Major and Minor are a device's number, and Target is a symbolic link's.
	Major, Minor uint32
	Target       string
	// Open has a regular file opened, too, as Open does.
	Open bool
	// NoLink keeps a file of Tmpfile from ever getting a name.
	NoLink bool
}

// Traits are what a backend can do.
type Traits struct {
	Flags uint32 // HasXattr and so on
	// Concurrent says that methods may be called on several goroutines at once.
	// Those of other backends are called on the machine goroutine only.
	Concurrent bool
}

// A Backend holds the files of one export. Names reach it checked: one to 255
// bytes, no slash or NUL, neither "." nor "..". Errors reach the guest as the
// Errno they wrap, and as EIO when they wrap none. What a backend cannot do it
// answers with EOPNOTSUPP: embed Unsupported for that.
//
// A call may take as long as the host's file system takes, but must not wait
// for another process.
type Backend interface {
	Traits() Traits
	// Root is the directory exported. It, Lookup, Create, Tmpfile and Link count a
	// lookup of the node they return.
	Root() (Attr, error)
	// Lookup finds a name.
	Lookup(dir Node, name string) (Attr, error)
	// Forget takes lookups back. A node without lookups and opens is not asked
	// for again.
	Forget(n Node, lookups uint64)
	Getattr(n Node) (Attr, error)
	Setattr(n Node, c Change) (Attr, error)
	// Readdir lists a directory without "." and "..", in an order that stays the
	// same while the directory does.
	Readdir(dir Node) ([]Entry, error)
	// Open keeps a regular file or a directory, even without names, until as
	// many Closes.
	Open(n Node, writable bool) error
	Close(n Node)
	// Read fills the buffers in turn from off on and returns how much; short only
	// at end of file. It may do so for a file that is not open.
	Read(n Node, p [][]byte, off uint64) (int, error)
	// Write takes flags of WRITE2. It returns where the data begins and how much
	// of it was written.
	Write(n Node, p [][]byte, off uint64, flags uint32) (at uint64, done int, err error)
	// Create makes a file of any type under a name that is free.
	Create(dir Node, name string, w NewFile) (Attr, error)
	// Tmpfile makes a regular file without a name, and opens it.
	Tmpfile(dir Node, w NewFile) (Attr, error)
	// Link gives a file that is no directory one more name.
	Link(n, dir Node, name string) (Attr, error)
	Readlink(n Node) (string, error)
	// Unlink removes a name that is no directory's, and Rmdir an empty directory.
	Unlink(dir Node, name string) error
	Rmdir(dir Node, name string) error
	// Rename takes flags of RENAME2.
	Rename(oldDir Node, oldName string, newDir Node, newName string, flags uint32) error
	Fsync(n Node, dataOnly bool) error
	// Fallocate takes mode and flags of FALLOCATE; length is not 0.
	Fallocate(n Node, mode, flags uint32, off, length uint64) error
	// Seek finds data (SeekData) or a hole (SeekHole) from off on.
	Seek(n Node, off uint64, whence uint32) (uint64, error)
	// CopyRange copies up to length bytes and returns how much; flags are those of
	// COPY_RANGE.
	CopyRange(from Node, off uint64, to Node, toOff, length uint64, flags uint32) (uint64, error)
	Statfs() (Statfs, error)
	Sync() error
	Getxattr(n Node, name string) ([]byte, error)
	// Setxattr takes flags of SETXATTR.
	Setxattr(n Node, name string, value []byte, flags uint32) error
	Listxattr(n Node) ([]string, error)
	Removexattr(n Node, name string) error
	// Lock has the host hold what the guest holds of an open file. A lock of
	// another process in the way is EAGAIN at once when cancel is nil; otherwise
	// Lock waits, on a goroutine of its own, until it has it, or until cancel is
	// closed: EINTR.
	Lock(n Node, l Lock, cancel <-chan struct{}) error
	// TestLock is a lock of another process of the host that is in the way of l, or
	// one of type LockNone.
	TestLock(n Node, l Lock) (Lock, error)
	// Watch starts telling n what changes behind the guest's back, if the
	// backend can. post runs a function on the machine goroutine.
	Watch(n Notifier, post func(func())) error
	// Shut ends the use of the backend and of everything it holds open.
	Shut() error
}

// Values of Lock.Type, as fcntl has them.
const (
	LockRead  = wire.LockRead
	LockWrite = wire.LockWrite
	LockNone  = wire.LockNone
)

// A Lock is a range of a file and how it is locked. End is the last byte.
type Lock struct {
	Flock      bool // of flock, which is apart from those of fcntl
	Type       uint32
	Start, End uint64
}

// Bits of what a Notifier is told.
const (
	InvalAttr  = wire.InvalAttr
	InvalData  = wire.InvalData
	InvalXattr = wire.InvalXattr
	InvalGone  = wire.InvalGone
	InvalSure  = wire.InvalSure

	EventModify     = wire.EventModify
	EventAttrib     = wire.EventAttrib
	EventCloseWrite = wire.EventCloseWrite
	EventMovedFrom  = wire.EventMovedFrom
	EventMovedTo    = wire.EventMovedTo
	EventCreate     = wire.EventCreate
	EventDelete     = wire.EventDelete
	EventDeleteSelf = wire.EventDeleteSelf
	EventMoveSelf   = wire.EventMoveSelf
	EventIsDir      = wire.EventIsDir
)

// Flags of Write, Fallocate and CopyRange, of Rename, Setxattr and Seek, and
// modes of Fallocate.
const (
	WriteAppend   = wire.WriteAppend
	WriteKillPriv = wire.WriteKillPriv
	WriteSync     = wire.WriteSync
	WriteDsync    = wire.WriteDsync
	CopyClone     = wire.CopyClone

	RenameNoReplace = wire.RenameNoReplace
	RenameExchange  = wire.RenameExchange
	RenameWhiteout  = wire.RenameWhiteout

	XattrCreate  = wire.XattrCreate
	XattrReplace = wire.XattrReplace
	XattrNoSGID  = wire.XattrNoSGID

	SeekData = wire.SeekData
	SeekHole = wire.SeekHole

	FallocKeepSize = wire.FallocKeepSize
	FallocPunch    = wire.FallocPunch
	FallocCollapse = wire.FallocCollapse
	FallocZero     = wire.FallocZero
	FallocInsert   = wire.FallocInsert
	FallocUnshare  = wire.FallocUnshare
)

// Flags of Traits.
const (
	HasXattr    = wire.MountXattr
	HasACL      = wire.MountACL
	HasLocks    = wire.MountLocks
	IgnoresCase = wire.MountIgnoresCase
	HasOwners   = wire.MountOwners
)

// A Notifier is told that what the guest may have cached is stale. Its methods
// run on the machine goroutine.
type Notifier interface {
	// Changed tells of a node: what is bits of InvalAttr and so on, events of
	// EventModify and so on. The data is stale from off on, size bytes, or
	// all with size 0.
	Changed(n Node, what, events uint32, off, size uint64)
	// Entry tells of a name in a directory that is new, gone or leads elsewhere. n
	// is the file's node, 0 if it has none. The two names of a rename have the same
	// cookie.
	Entry(dir Node, name string, n Node, events, cookie uint32)
	// InvalidateDir drops all names in a directory.
	InvalidateDir(dir Node)
	// InvalidateAll drops everything.
	InvalidateAll()
}
