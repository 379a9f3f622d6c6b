package dirfs

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
)

func readOnly(t *testing.T, dir string) v86fs.Backend {
	t.Helper()
	b, err := NewReadOnly(dir, OwnersAuto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Shut() })
	return b
}

func TestReadOnlyBackend(t *testing.T) {
	v86fstest.RunReadOnly(t, func(t *testing.T, files fstest.MapFS) v86fs.Backend {
		dir := t.TempDir()
		if err := os.CopyFS(dir, files); err != nil {
			t.Fatal(err)
		}
		for path, file := range files {
			at := filepath.Join(dir, path)
			if path == v86fstest.LinkName {
				info, err := os.Lstat(at)
				if err != nil {
					t.Fatal(err)
				}
				file.Mode, file.ModTime = info.Mode(), info.ModTime()
				continue
			}
			if err := os.Chmod(at, file.Mode.Perm()); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(at, file.ModTime, file.ModTime); err != nil {
				t.Fatal(err)
			}
		}
		return readOnly(t, dir)
	})
}

// TestReadingLeavesNoTrace reads, lists and locks by a read-only share: the host's
// files keep their times of access, and other processes their right to them.
func TestReadingLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "content")
	old := time.Unix(1000, 0)
	for _, p := range []string{path, dir} {
		if err := os.Chtimes(p, old, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	b := readOnly(t, dir)
	root, err := b.Root()
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.Lookup(root.Node, "f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Readdir(root.Node); err != nil {
		t.Error(err)
	}
	if err := b.Open(a.Node, false); err != nil {
		t.Error(err)
	}
	if _, err := b.Read(a.Node, [][]byte{make([]byte, 10)}, 0); err != nil {
		t.Error(err)
	}
	if err := b.Lock(a.Node, v86fs.Lock{Flock: true, Type: v86fs.LockWrite, End: 1<<63 - 1}, nil); err != nil {
		t.Errorf("lock: %v", err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		t.Errorf("another reader is kept out: %v", err)
	}
	for _, p := range []string{path, dir} {
		var st syscall.Stat_t
		if err := syscall.Stat(p, &st); err != nil || st.Atim.Sec != old.Unix() {
			t.Errorf("%s was read at %d, %v, want %d", p, st.Atim.Sec, err, old.Unix())
		}
	}
}
