// Package v86fstest is the suite that every backend of v86fs passes: what a
// local POSIX file system would do, as far as the protocol can say it.
package v86fstest

import (
	"errors"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
)

// Run runs the suite; create returns a new, empty, writable backend.
func Run(t *testing.T, create func(t *testing.T) v86fs.Backend) {
	for _, c := range []struct {
		name string
		fn   func(*testing.T, *fs)
	}{
		{"A name leads to what was created", names},
		{"Data is read back, holes as zeros", data},
		{"Offsets reach beyond 2 and 4 GiB", offsets},
		{"A size is set both ways", sizes},
		{"A directory is removed when it is empty", directories},
		{"An unlinked file lives while it is open", unlinked},
		{"Rename follows POSIX", renames},
		{"A symbolic link is kept as it is", symlinks},
		{"A listing is whole and stable", listing},
		{"Permissions are kept", modes},
		{"Attributes are whole", attributes},
		{"Times and owners are set", times},
		{"A removal says what it removes", removals},
		{"A hard link is the same file", links},
		{"Other types of files are made", types},
		{"A file without a name can get one", tmpfiles},
		{"Rename exchanges, spares and leaves a whiteout", renameFlags},
		{"A directory is opened", openDirectories},
		{"A file that is created is open with any mode", createdOpen},
		{"Buffers are filled in turn", buffers},
		{"Appending finds the end", appends},
		{"A write takes privileges away", privileges},
		{"Space is allocated, punched and moved", allocation},
		{"Data and holes are found", seeks},
		{"A range is copied", copies},
		{"Extended attributes are kept", xattrs},
		{"An access control list shows in the mode", lists},
		{"Calls at the same time do not disturb each other", together},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := create(t)
			t.Cleanup(func() { b.Shut() })
			root, err := b.Root()
			if err != nil {
				t.Fatal(err)
			}
			c.fn(t, &fs{b, t, root.Node})
		})
	}
}

// fs is a backend with helpers that fail the test.
type fs struct {
	v86fs.Backend
	t    *testing.T
	root v86fs.Node
}

// file and directory are what things are made with.
var (
	file      = v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644}
	directory = v86fs.NewFile{Mode: v86fs.ModeDir | 0o755}
)

// make makes a file of any type.
func (f *fs) make(dir v86fs.Node, name string, w v86fs.NewFile) v86fs.Attr {
	f.t.Helper()
	a, err := f.Create(dir, name, w)
	f.can(err)
	if err != nil {
		f.t.Fatalf("create %q: %v", name, err)
	}
	return a
}

func (f *fs) create(dir v86fs.Node, name string) v86fs.Node {
	f.t.Helper()
	return f.make(dir, name, file).Node
}

func (f *fs) mkdir(dir v86fs.Node, name string) v86fs.Node {
	f.t.Helper()
	return f.make(dir, name, directory).Node
}

// can skips a case that needs what a backend cannot do.
func (f *fs) can(err error) {
	f.t.Helper()
	if errors.Is(err, v86fs.EOPNOTSUPP) {
		f.t.Skip("the backend cannot do this")
	}
}

// ok fails the case unless a step succeeds.
func (f *fs) ok(what string, err error) {
	f.t.Helper()
	f.can(err)
	if err != nil {
		f.t.Fatalf("%s: %v", what, err)
	}
}

func (f *fs) stat(n v86fs.Node) v86fs.Attr {
	f.t.Helper()
	a, err := f.Getattr(n)
	f.ok("getattr", err)
	return a
}

func (f *fs) write(n v86fs.Node, s string, off uint64) {
	f.t.Helper()
	if _, k, err := f.Write(n, [][]byte{[]byte(s)}, off, 0); err != nil || k != len(s) {
		f.t.Fatalf("write of %d bytes at %d: %d, %v", len(s), off, k, err)
	}
}

func (f *fs) reads(n v86fs.Node, want string, off uint64, size int) {
	f.t.Helper()
	p := make([]byte, size)
	if k, err := f.Read(n, [][]byte{p}, off); err != nil || string(p[:k]) != want {
		f.t.Errorf("read of %d bytes at %d: %q, %v, want %q", size, off, p[:k], err, want)
	}
}

// is checks that an error is one of Linux's numbers.
func (f *fs) is(what string, err error, want v86fs.Errno) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Errorf("%s: %v, want %v", what, err, want)
	}
}
