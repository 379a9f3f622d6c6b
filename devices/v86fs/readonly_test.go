package v86fs_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
	"github.com/gov86/gov86/devices/v86fs/wire"
)

// changing are the requests, as sound has them, that a read-only mount refuses.
var changing = map[wire.Type]bool{
	wire.Setattr2: true, wire.Create2: true, wire.Open2: true, wire.Write2: true, wire.Fallocate: true, wire.CopyRange: true,
	wire.Mknod: true, wire.Mkdir2: true, wire.Symlink2: true, wire.Link: true, wire.Rename2: true, wire.Unlink2: true,
	wire.Rmdir: true, wire.Tmpfile: true, wire.Setxattr: true, wire.Removexattr: true,
}

// planted is a tree in memory with a file and an attribute.
func planted(t testing.TB) (*memfs.FS, v86fs.Attr) {
	t.Helper()
	m := memfs.New(memfs.DefaultLimit, nil)
	r, err := m.Root()
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Create(r.Node, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644})
	if err == nil {
		_, _, err = m.Write(a.Node, [][]byte{[]byte("kept")}, 0, 0)
	}
	if err == nil {
		err = m.Setxattr(a.Node, "user.a", []byte("kept"), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a, err = m.Getattr(a.Node); err != nil {
		t.Fatal(err)
	}
	return m, a
}

// TestReadOnlyMountRefusesEveryChange asks for each type of request, once on a
// read-only export and once on a read-only mount of one that is not.
func TestReadOnlyMountRefusesEveryChange(t *testing.T) {
	for _, export := range []bool{true, false} {
		m, before := planted(t)
		d := newDriver(t, allFeatures, nil, v86fs.Export{Backend: m, ReadOnly: export})
		flags := uint32(wire.MountReadOnly)
		if export {
			flags = 0
		}
		if r := d.mountExport("", flags); r.Flags&wire.MountReadOnly == 0 {
			t.Error("the mount is not said to be read-only")
		}
		n := d.lookup(d.root, "f").Node
		var o wire.OpenResponse
		d.must(wire.Open2, n, &wire.Open2Request{}, &o)
		for _, s := range sound(d, o) {
			if a := d.call(s.kind, s.node, s.body, nil); changing[s.kind] != (v86fs.Errno(a.Status) == v86fs.EROFS) {
				t.Errorf("%v: status %d", s.kind, a.Status)
			}
		}
		d.fails(v86fs.EROFS, wire.Open2, n, &wire.Open2Request{Flags: wire.OpenTrunc})
		for _, valid := range []uint32{wire.SetAtime, wire.SetMtime, wire.SetCtime, wire.SetUID, wire.SetSize, wire.SetKillSUID, wire.SetKillPriv} {
			d.fails(v86fs.EROFS, wire.Setattr2, n, &wire.Setattr2Request{Valid: valid})
		}
		d.must(wire.Setlk, n, &wire.LockRequest{Handle: o.Handle, End: 9, Type: v86fs.LockWrite}, nil)
		after, err := m.Getattr(before.Node)
		if before.Atime = after.Atime; err != nil || after != before {
			t.Errorf("the file is %+v, %v, was %+v", after, err, before)
		}
	}
}

// TestProtectedBackend is the second wall: a backend that takes changes, with
// nobody before it who refuses them.
func TestProtectedBackend(t *testing.T) {
	v86fstest.RunReadOnly(t, func(t *testing.T, files fstest.MapFS) v86fs.Backend {
		m := memfs.New(memfs.DefaultLimit, nil)
		fill(t, m, files)
		return v86fs.Protect(m)
	})
}

// fill puts files into a tree in memory.
func fill(t *testing.T, m *memfs.FS, files fstest.MapFS) {
	nodes := map[string]v86fs.Node{}
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == "." {
			a, _ := m.Root()
			nodes["."] = a.Node
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		w := v86fs.NewFile{Mode: v86fs.ModeRegular | uint32(info.Mode().Perm())}
		switch info.Mode().Type() {
		case fs.ModeDir:
			w.Mode = v86fs.ModeDir | uint32(info.Mode().Perm())
		case fs.ModeSymlink:
			w.Mode, w.Target = v86fs.ModeSymlink|0o777, string(files[path].Data)
		}
		dir, name := ".", path
		for i := range path {
			if path[i] == '/' {
				dir, name = path[:i], path[i+1:]
			}
		}
		a, err := m.Create(nodes[dir], name, w)
		if err != nil {
			return err
		}
		nodes[path] = a.Node
		if w.Mode&v86fs.ModeType == v86fs.ModeRegular {
			if _, _, err = m.Write(a.Node, [][]byte{files[path].Data}, 0, 0); err != nil {
				return err
			}
		}
		return nil
	})
	for path, n := range nodes {
		if path != "." && err == nil {
			_, err = m.Setattr(n, v86fs.Change{Valid: v86fs.SetMtime | v86fs.SetMtimeTo, Mtime: v86fs.Time{Sec: files[path].ModTime.Unix()}})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
