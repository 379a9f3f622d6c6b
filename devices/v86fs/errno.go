package v86fs

import (
	"errors"
	"fmt"
)

// An Errno is a Linux error number, whatever the host's are.
type Errno uint32

// Error numbers of Linux that backends report.
const (
	EPERM        Errno = 1
	ENOENT       Errno = 2
	EINTR        Errno = 4
	EIO          Errno = 5
	ENXIO        Errno = 6
	E2BIG        Errno = 7
	EBADF        Errno = 9
	EAGAIN       Errno = 11
	ENOMEM       Errno = 12
	EACCES       Errno = 13
	EFAULT       Errno = 14
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
	EMLINK       Errno = 31
	ERANGE       Errno = 34
	EDEADLK      Errno = 35
	ENAMETOOLONG Errno = 36
	ENOLCK       Errno = 37
	ENOSYS       Errno = 38
	ENOTEMPTY    Errno = 39
	ELOOP        Errno = 40
	ENODATA      Errno = 61
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
