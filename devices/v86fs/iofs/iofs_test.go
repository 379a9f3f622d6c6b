package iofs

import (
	"archive/zip"
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
)

func backend(t *testing.T, fsys fs.FS) *FS {
	t.Helper()
	f, err := New(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMapFS(t *testing.T) {
	v86fstest.RunReadOnly(t, func(t *testing.T, files fstest.MapFS) v86fs.Backend { return backend(t, files) })
}

// TestZIP has files that can only be read from their beginning.
func TestZIP(t *testing.T) {
	v86fstest.RunReadOnly(t, func(t *testing.T, files fstest.MapFS) v86fs.Backend {
		delete(files, v86fstest.LinkName)
		var archive bytes.Buffer
		w := zip.NewWriter(&archive)
		for path, file := range files {
			h := &zip.FileHeader{Name: path, Method: zip.Deflate, Modified: file.ModTime}
			if file.Mode.IsDir() {
				h.Name, h.Method = path+"/", zip.Store
				file.Mode = fs.ModeDir | 0o555 // what the reader says of all directories
			}
			h.SetMode(file.Mode)
			f, err := w.CreateHeader(h)
			if err == nil {
				_, err = f.Write(file.Data)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
		if err != nil {
			t.Fatal(err)
		}
		return backend(t, r)
	})
}

func TestDirectoryOfTheHost(t *testing.T) {
	v86fstest.RunReadOnly(t, func(t *testing.T, files fstest.MapFS) v86fs.Backend {
		dir := t.TempDir()
		if err := os.Symlink(v86fstest.LinkTarget, filepath.Join(dir, v86fstest.LinkName)); err != nil {
			t.Skipf("the host makes no symbolic links: %v", err)
		}
		link := files[v86fstest.LinkName]
		delete(files, v86fstest.LinkName)
		if err := os.CopyFS(dir, files); err != nil {
			t.Fatal(err)
		}
		for path, file := range files {
			at := filepath.Join(dir, path)
			if err := errors.Join(os.Chmod(at, file.Mode.Perm()), os.Chtimes(at, file.ModTime, file.ModTime)); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Lstat(filepath.Join(dir, v86fstest.LinkName))
		if err != nil {
			t.Fatal(err)
		}
		link.Mode, link.ModTime = info.Mode(), info.ModTime()
		files[v86fstest.LinkName] = link
		return backend(t, os.DirFS(dir))
	})
}

//go:embed iofs_test.go
var embedded embed.FS

func TestEmbeddedFiles(t *testing.T) {
	f := backend(t, embedded)
	a, err := f.Lookup(root, "iofs_test.go")
	if err != nil || a.Mode != v86fs.ModeRegular|0o444 {
		t.Fatalf("%+v, %v", a, err)
	}
	p := make([]byte, 12)
	if n, err := f.Read(a.Node, [][]byte{p}, 0); err != nil || string(p[:n]) != "package iofs" {
		t.Errorf("read %q, %v", p[:n], err)
	}
}

func TestAPathOfAnotherTypeIsAnotherNode(t *testing.T) {
	files := fstest.MapFS{"x": {Data: []byte("file")}}
	f := backend(t, files)
	a, err := f.Lookup(root, "x")
	if err != nil {
		t.Fatal(err)
	}
	files["x"] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	if _, err := f.Getattr(a.Node); err != v86fs.ESTALE {
		t.Errorf("getattr of what became a directory: %v", err)
	}
	if n, err := f.Read(a.Node, [][]byte{make([]byte, 1)}, 0); err != v86fs.ESTALE {
		t.Errorf("read of what became a directory: %d, %v", n, err)
	}
	if b, err := f.Lookup(root, "x"); err != nil || b.Node == a.Node {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestRootIsADirectory(t *testing.T) {
	if _, err := New(fstest.MapFS{".": {Mode: 0o644}}); err == nil {
		t.Error("a file is taken for a root")
	}
	if _, err := New(os.DirFS(filepath.Join(t.TempDir(), "none"))); !errors.Is(err, v86fs.ENOENT) {
		t.Errorf("a directory that is not there: %v", err)
	}
}
