package v86fs

import (
	"errors"
	"fmt"
)

// A Node is a backend's name for a file or directory. It is never reused, and
// a file that replaces another has a new one.
type Node uint64

// An Attr is what a backend knows of a node.
type Attr struct {
	Node      Node
	Mode      uint32 // Linux st_mode: type and permissions
	Size      uint64
	MtimeSec  int64
	MtimeNsec uint32
}

// File types in Attr.Mode, as Linux has them.
const (
	ModeType    = 0o170000
	ModeRegular = 0o100000
	ModeDir     = 0o040000
	ModeSymlink = 0o120000
)

// An Entry is a name in a directory.
type Entry struct {
	Node Node
	// Type is the DT_ type: the type bits of a mode shifted down by twelve.
	Type uint8
	Name string
}

// A Statfs describes a file system; counts of blocks are of BlockSize bytes.
type Statfs struct {
	Blocks, Free, Available, Files, FilesFree uint64
	BlockSize                                 uint32
}

// Bits of Change.Valid, as Linux's ia_valid.
const (
	SetMode      = 1 << 0
	SetUID       = 1 << 1
	SetGID       = 1 << 2
	SetSize      = 1 << 3
	SetAtime     = 1 << 4
	SetMtime     = 1 << 5
	SetCtime     = 1 << 6
	KillSUID     = 1 << 11
	KillSGID     = 1 << 12
	setSupported = SetMode | SetSize | SetAtime | SetMtime | KillSUID | KillSGID
)

// A Change is what SETATTR sets: times are set to now.
type Change struct {
	Valid uint32
	Mode  uint32
	Size  uint64
}

// A Backend holds the files of one export. Its methods run on the machine
// goroutine, one at a time, while the guest waits. Names reach it checked: one
// to 255 bytes, no slash or NUL, neither "." nor "..". Errors reach the guest as
// the Errno they wrap, and as EIO when they wrap none.
type Backend interface {
	// Root is the directory exported.
	Root() (Attr, error)
	Lookup(dir Node, name string) (Attr, error)
	Getattr(n Node) (Attr, error)
	// Readdir lists a directory without "." and "..", in an order that stays the
	// same while the directory does.
	Readdir(dir Node) ([]Entry, error)
	// Open keeps a regular file, even unlinked, until as many Closes.
	Open(n Node, writable bool) error
	Close(n Node)
	// Read fills p from off and returns how much; short only at end of file.
	Read(n Node, p []byte, off uint64) (int, error)
	Write(n Node, p []byte, off uint64) (int, error)
	Create(dir Node, name string, mode uint32) (Attr, error)
	Mkdir(dir Node, name string, mode uint32) (Attr, error)
	Symlink(dir Node, name, target string) (Attr, error)
	Readlink(n Node) (string, error)
	// Unlink removes a name: of a directory only an empty one.
	Unlink(dir Node, name string) error
	Rename(oldDir Node, oldName string, newDir Node, newName string) error
	Setattr(n Node, c Change) error
	Fsync(n Node) error
	Statfs() (Statfs, error)
	// Watch starts telling n what changes behind the guest's back, if the
	// backend can. post runs a function on the machine goroutine.
	Watch(n Notifier, post func(func())) error
	// Shut ends the use of the backend and of everything it holds open.
	Shut() error
}

// A Notifier is told that what the guest may have cached is stale. Its methods
// run on the machine goroutine.
type Notifier interface {
	// Invalidate drops content: size bytes from off on, all of it when size is 0.
	Invalidate(n Node, off, size uint64)
	// InvalidateDir drops the names in a directory.
	InvalidateDir(n Node)
	// InvalidateAll drops everything.
	InvalidateAll()
}

// An Errno is a Linux error number, whatever the host's are.
type Errno uint32

// Error numbers of Linux that backends report.
const (
	EPERM        Errno = 1
	ENOENT       Errno = 2
	EIO          Errno = 5
	EBADF        Errno = 9
	ENOMEM       Errno = 12
	EACCES       Errno = 13
	EBUSY        Errno = 16
	EEXIST       Errno = 17
	EXDEV        Errno = 18
	ENOTDIR      Errno = 20
	EISDIR       Errno = 21
	EINVAL       Errno = 22
	ENFILE       Errno = 23
	EMFILE       Errno = 24
	EFBIG        Errno = 27
	ENOSPC       Errno = 28
	EROFS        Errno = 30
	ENAMETOOLONG Errno = 36
	ENOSYS       Errno = 38
	ENOTEMPTY    Errno = 39
	ELOOP        Errno = 40
	EOPNOTSUPP   Errno = 95
	ESTALE       Errno = 116
)

var errnoText = map[Errno]string{
	EPERM: "operation not permitted", ENOENT: "no such file or directory", EIO: "input/output error",
	EBADF: "bad handle", EACCES: "permission denied", EEXIST: "file exists", ENOTDIR: "not a directory",
	EISDIR: "is a directory", EINVAL: "invalid argument", ENOSPC: "no space left", EROFS: "read-only file system",
	ENAMETOOLONG: "name too long", ENOTEMPTY: "directory not empty", ESTALE: "the file is gone",
}

func (e Errno) Error() string {
	if s, ok := errnoText[e]; ok {
		return s
	}
	return fmt.Sprintf("error %d", uint32(e))
}

// errnoOf is what the guest is told of err.
func errnoOf(err error) Errno {
	var e Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e) && e != 0:
		return e
	}
	return EIO
}

// CheckName refuses what cannot be a name in a directory.
func CheckName(name string) error {
	if len(name) > 255 {
		return ENAMETOOLONG
	}
	if name == "" || name == "." || name == ".." {
		return EINVAL
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return EINVAL
		}
	}
	return nil
}
