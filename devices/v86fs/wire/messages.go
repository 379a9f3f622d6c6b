package wire

// The requests. Each decodes the body that follows the header.

// A NameRequest is MOUNT: the name of an export.
type NameRequest struct{ Name string }

// Decode reads the body.
func (m *NameRequest) Decode(r *Reader) error {
	m.Name = r.Text()
	return r.Done()
}

// An InodeRequest is GETATTR, READDIR, FSYNC or READLINK, and CLOSE with a handle.
type InodeRequest struct{ Inode uint64 }

// Decode reads the body.
func (m *InodeRequest) Decode(r *Reader) error {
	m.Inode = r.U64()
	return r.Done()
}

// An EntryRequest is LOOKUP or UNLINK: a name in a directory.
type EntryRequest struct {
	Parent uint64
	Name   string
}

// Decode reads the body.
func (m *EntryRequest) Decode(r *Reader) error {
	m.Parent, m.Name = r.U64(), r.Text()
	return r.Done()
}

// An OpenRequest is OPEN: flags are the f_flags of the open file.
type OpenRequest struct {
	Inode uint64
	Flags uint32
}

// Decode reads the body.
func (m *OpenRequest) Decode(r *Reader) error {
	m.Inode, m.Flags = r.U64(), r.U32()
	return r.Done()
}

// A ReadRequest is READ. Handle is a handle, or an inode when the driver has
// no open file.
type ReadRequest struct {
	Handle, Offset uint64
	Size           uint32
}

// Decode reads the body.
func (m *ReadRequest) Decode(r *Reader) error {
	m.Handle, m.Offset, m.Size = r.U64(), r.U64(), r.U32()
	return r.Done()
}

// A WriteRequest is WRITE; Data aliases the message.
type WriteRequest struct {
	Inode, Offset uint64
	Data          []byte
}

// Decode reads the body.
func (m *WriteRequest) Decode(r *Reader) error {
	m.Inode, m.Offset = r.U64(), r.U64()
	m.Data = r.Bytes(r.U32())
	return r.Done()
}

// A CreateRequest is CREATE or MKDIR.
type CreateRequest struct {
	Parent uint64
	Name   string
	Mode   uint32
}

// Decode reads the body.
func (m *CreateRequest) Decode(r *Reader) error {
	m.Parent, m.Name, m.Mode = r.U64(), r.Text(), r.U32()
	return r.Done()
}

// A SetattrRequest is SETATTR: Valid has the bits of Linux's ia_valid.
type SetattrRequest struct {
	Inode       uint64
	Valid, Mode uint32
	Size        uint64
}

// Decode reads the body.
func (m *SetattrRequest) Decode(r *Reader) error {
	m.Inode, m.Valid, m.Mode, m.Size = r.U64(), r.U32(), r.U32(), r.U64()
	return r.Done()
}

// A RenameRequest is RENAME.
type RenameRequest struct {
	OldParent uint64
	OldName   string
	NewParent uint64
	NewName   string
}

// Decode reads the body.
func (m *RenameRequest) Decode(r *Reader) error {
	m.OldParent, m.OldName, m.NewParent, m.NewName = r.U64(), r.Text(), r.U64(), r.Text()
	return r.Done()
}

// A SymlinkRequest is SYMLINK.
type SymlinkRequest struct {
	Parent       uint64
	Name, Target string
}

// Decode reads the body.
func (m *SymlinkRequest) Decode(r *Reader) error {
	m.Parent, m.Name, m.Target = r.U64(), r.Text(), r.Text()
	return r.Done()
}

// The responses. Each appends the body that follows the status.

// A NodeResponse answers MOUNT, CREATE, MKDIR and SYMLINK.
type NodeResponse struct {
	Inode uint64
	Mode  uint32
}

// Encode appends the body.
func (m *NodeResponse) Encode(w *Writer) {
	w.U64(m.Inode)
	w.U32(m.Mode)
}

// A LookupResponse answers LOOKUP. On an error it is sent as zeros.
type LookupResponse struct {
	Inode uint64
	Mode  uint32
	Size  uint64
}

// Encode appends the body.
func (m *LookupResponse) Encode(w *Writer) {
	w.U64(m.Inode)
	w.U32(m.Mode)
	w.U64(m.Size)
}

// A GetattrResponse answers GETATTR.
type GetattrResponse struct {
	Mode      uint32
	Size      uint64
	MtimeSec  int64
	MtimeNsec uint32
}

// Encode appends the body.
func (m *GetattrResponse) Encode(w *Writer) {
	w.U32(m.Mode)
	w.U64(m.Size)
	w.U64(uint64(m.MtimeSec))
	w.U32(m.MtimeNsec)
}

// A StatfsResponse answers STATFS.
type StatfsResponse struct {
	Blocks, Free, Available, Files, FilesFree uint64
	BlockSize                                 uint32
}

// Encode appends the body.
func (m *StatfsResponse) Encode(w *Writer) {
	for _, v := range []uint64{m.Blocks, m.Free, m.Available, m.Files, m.FilesFree} {
		w.U64(v)
	}
	w.U32(m.BlockSize)
}

// AppendEntry appends an entry of READDIR; kind is the DT_ type.
func AppendEntry(w *Writer, inode uint64, kind uint8, name string) {
	w.U64(inode)
	w.U8(kind)
	w.Text(name)
}

// AppendInvalidate appends the body of INVALIDATE: a range of a file's
// content, all of it when size is 0.
func AppendInvalidate(w *Writer, inode, offset, size uint64) {
	w.U64(inode)
	w.U64(offset)
	w.U64(size)
}
