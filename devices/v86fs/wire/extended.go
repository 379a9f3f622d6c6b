package wire

// The device's feature bits (docs/v86fs-protocol.md, "Feature bits").
const (
	FeatureExtended = 1 << 0 // the messages of this file
	FeatureAsync    = 1 << 1 // responses at any time and in any order
	FeatureEvents   = 1 << 2 // the notifications of notices.go
)

// The requests of the extended protocol.
const (
	Mount2      Type = 0x30
	Umount      Type = 0x31
	Exports     Type = 0x32
	Lookup2     Type = 0x33
	Forget      Type = 0x34
	Getattr2    Type = 0x35
	Setattr2    Type = 0x36
	Create2     Type = 0x37
	Open2       Type = 0x38
	Release     Type = 0x39
	Read2       Type = 0x3a
	Write2      Type = 0x3b
	Fsync2      Type = 0x3c
	Fallocate   Type = 0x3d
	Seek        Type = 0x3e
	CopyRange   Type = 0x3f
	Mknod       Type = 0x40
	Mkdir2      Type = 0x41
	Symlink2    Type = 0x42
	Link        Type = 0x43
	Unlink2     Type = 0x44
	Rmdir       Type = 0x45
	Rename2     Type = 0x46
	Tmpfile     Type = 0x47
	Readlink2   Type = 0x48
	Readdir2    Type = 0x49
	Statfs2     Type = 0x4a
	Syncfs      Type = 0x4b
	Getxattr    Type = 0x4c
	Setxattr    Type = 0x4d
	Listxattr   Type = 0x4e
	Removexattr Type = 0x4f
	Getlk       Type = 0x50
	Setlk       Type = 0x51
	Interrupt   Type = 0x52

	// FirstExtended and LastExtended enclose them, and up to LastReserved there is
	// room for more.
	FirstExtended      = Mount2
	LastExtended       = Interrupt
	LastReserved  Type = 0x6f
)

// The notifications of the extended protocol.
const (
	InvalNode  Type = 0x60
	InvalEntry Type = 0x61
	InvalDir   Type = 0x62
	InvalMount Type = 0x63
)

// Limits of the extended protocol.
const (
	Version    = 1
	MaxData    = 1 << 20 // bytes of data of one request
	MaxName    = 255
	MaxTarget  = 4095    // of a symbolic link
	MaxXattr   = 1 << 16 // of a value, and of a list of names
	MaxForget  = 256     // nodes of one FORGET
	NotifySize = 512     // bytes a notification may have
)

// A Config is the device's configuration space.
type Config struct {
	Version     uint16
	MaxData     uint32
	MaxInflight uint32
	MaxName     uint32
	NotifySize  uint32
	MaxForget   uint32
	MaxHandles  uint32
	Exports     uint32
}

// Fields implements Message.
func (m *Config) Fields(c *Codec) {
	c.U16(&m.Version)
	c.Zero(2)
	c.U32(&m.MaxData)
	c.U32(&m.MaxInflight)
	c.U32(&m.MaxName)
	c.U32(&m.NotifySize)
	c.U32(&m.MaxForget)
	c.U32(&m.MaxHandles)
	c.U32(&m.Exports)
}

// Append appends the configuration to b.
func (m *Config) Append(b []byte) []byte {
	c := Codec{b: b, write: true}
	m.Fields(&c)
	return c.b
}

// Forever is a validity that lasts until a notification ends it.
const Forever = 1<<32 - 1

// Bits of Attr.Flags.
const (
	AttrBtime     = 1 << 0 // Btime means something
	AttrNoXattr   = 1 << 1 // the file has no extended attributes
	AttrImmutable = 1 << 2
	AttrAppend    = 1 << 3 // only appended to
)

// A Time is seconds since 1970 and nanoseconds below 10^9.
type Time struct {
	Sec  int64
	Nsec uint32
}

// An Attr is the attribute block.
type Attr struct {
	Node, Ino, Generation, Change uint64
	Size, Blocks                  uint64
	Atime, Mtime, Ctime, Btime    Time
	Mode, Nlink, UID, GID         uint32
	RdevMajor, RdevMinor          uint32
	Blksize, Flags                uint32
	// AttrValid and EntryValid are milliseconds, or Forever.
	AttrValid, EntryValid uint32
}

// AttrSize is the size of the attribute block in bytes.
const AttrSize = 136

// Fields implements Message: the block alone is the body of many responses.
func (a *Attr) Fields(c *Codec) {
	for _, p := range []*uint64{&a.Node, &a.Ino, &a.Generation, &a.Change, &a.Size, &a.Blocks} {
		c.U64(p)
	}
	times := []*Time{&a.Atime, &a.Mtime, &a.Ctime, &a.Btime}
	for _, t := range times {
		c.S64(&t.Sec)
	}
	for _, t := range times {
		c.U32(&t.Nsec)
	}
	for _, p := range []*uint32{&a.Mode, &a.Nlink, &a.UID, &a.GID, &a.RdevMajor, &a.RdevMinor, &a.Blksize, &a.Flags,
		&a.AttrValid, &a.EntryValid} {
		c.U32(p)
	}
}
