package cowfs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/dirfs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
)

func over(t *testing.T, base v86fs.Backend, overlay string) *FS {
	t.Helper()
	f, err := New(base, "the base", overlay)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func directory(t *testing.T, dir string) v86fs.Backend {
	t.Helper()
	b, err := dirfs.NewReadOnly(dir, dirfs.OwnersAuto)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOverADirectory(t *testing.T) {
	v86fstest.Run(t, func(t *testing.T) v86fs.Backend { return over(t, directory(t, t.TempDir()), t.TempDir()) })
}

func TestOverMemory(t *testing.T) {
	v86fstest.Run(t, func(t *testing.T) v86fs.Backend {
		return over(t, v86fs.Protect(memfs.New(memfs.DefaultLimit, nil)), t.TempDir())
	})
}

// plant makes files of a directory of the host.
func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		at := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

func nodeAt(t *testing.T, f *FS, path string) v86fs.Node {
	t.Helper()
	n, err := tree{f}.at(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return n
}

func TestAFileKeepsItsIdentityWhenItsContentIsCopied(t *testing.T) {
	dir, overlay := t.TempDir(), t.TempDir()
	plant(t, dir, map[string]string{"d/f": "of the base"})
	if err := os.Link(filepath.Join(dir, "d/f"), filepath.Join(dir, "g")); err != nil {
		t.Fatal(err)
	}
	f := over(t, directory(t, dir), overlay)
	before, err := f.Getattr(nodeAt(t, f, "d/f"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Open(before.Node, false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Write(before.Node, [][]byte{[]byte("IN")}, 0, 0); err != nil {
		t.Fatal(err)
	}
	after, err := f.Getattr(nodeAt(t, f, "g"))
	if err != nil || after.Node != before.Node || after.Ino != before.Ino || after.Nlink != 2 {
		t.Errorf("by its other name it is %+v, %v, was %+v", after, err, before)
	}
	f.Close(before.Node)
	p := make([]byte, 20)
	if k, err := f.Read(after.Node, [][]byte{p}, 0); err != nil || string(p[:k]) != "IN the base" {
		t.Errorf("read %q, %v", p[:k], err)
	}
	f.Shut()
	f = over(t, directory(t, dir), overlay)
	defer f.Shut()
	for _, name := range []string{"d/f", "g"} {
		if again, err := f.Getattr(nodeAt(t, f, name)); err != nil || again.Ino != before.Ino || again.Mtime != after.Mtime {
			t.Errorf("opened anew %s is %+v, %v, was %+v", name, again, err, after)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "d/f")); err != nil || string(b) != "of the base" {
		t.Errorf("the base has %q, %v", b, err)
	}
}

func (f *FS) did(t *testing.T, all ...act) {
	t.Helper()
	for _, c := range all {
		if err := (tree{f}).do(c); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
	}
}

func TestDifferences(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, map[string]string{"same": "", "changed": "", "gone": "", "d/in": "", "moved/x": "", "moved/y": "", "replaced": "", "e/f": ""})
	f := over(t, directory(t, dir), t.TempDir())
	defer f.Shut()
	f.did(t, act{kind: 8, a: "changed", contents: "x"}, act{kind: 6, a: "gone"}, act{kind: 1, a: "new", v: 0o700}, act{a: "new/f"},
		act{kind: 5, a: "moved", b: "new/place"}, act{kind: 6, a: "new/place/x"}, act{kind: 6, a: "replaced"}, act{kind: 3, a: "replaced"},
		act{kind: 10, a: "e/f", v: 0o600}, act{a: "d/passing"}, act{kind: 6, a: "d/passing"})
	want := []Difference{{"M", "changed", ""}, {"M", "e/f", ""}, {"D", "gone", ""}, {"A", "new", ""}, {"A", "new/f", ""},
		{"R", "new/place", "moved"}, {"D", "new/place/x", ""}, {"M", "replaced", ""}}
	if got := f.Diff(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestChangesOfTheBaseAreConflicts(t *testing.T) {
	dir, overlay := t.TempDir(), t.TempDir()
	plant(t, dir, map[string]string{"a": "a", "b": "b", "c": "c", "d/f": "f"})
	f := over(t, directory(t, dir), overlay)
	f.did(t, act{kind: 8, a: "a", contents: "x"}, act{kind: 6, a: "b"}, act{a: "new"}, act{kind: 8, a: "d/f", contents: "y"})
	f.Shut()
	plant(t, dir, map[string]string{"a": "by the host", "b": "by the host", "c": "by the host", "new": "by the host"})
	base, err := dirfs.New(dir, dirfs.OwnersAuto)
	if err != nil {
		t.Fatal(err)
	}
	f = over(t, base, overlay)
	_, err = f.Apply()
	var conflict *Conflict
	if !errors.As(err, &conflict) || !slices.Equal(conflict.Paths, []string{"a", "b", "new"}) {
		t.Errorf("apply: %v", err)
	}
	f.Shut()
	for name, want := range map[string]string{"a": "by the host", "d/f": "f"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s is %q, %v, want %q", name, b, err, want)
		}
	}
}

// cutAfter is where to cut next: the last two places are the end, and just before.
func cutAfter(n, size int) int {
	const step = 37
	if n < size-1 {
		return min(n+step, size-1)
	}
	return n + 1
}

// TestAnOverlayCutAnywhereIsReadable opens journals that end wherever a kill, or
// the host's end, may have cut them.
func TestAnOverlayCutAnywhereIsReadable(t *testing.T) {
	dir, overlay := t.TempDir(), t.TempDir()
	plant(t, dir, map[string]string{"a": "a", "d/f": "f"})
	f := over(t, directory(t, dir), overlay)
	f.did(t, act{kind: 8, a: "a", contents: "x"}, act{kind: 1, a: "n", v: 0o755}, act{kind: 5, a: "d", b: "n/e"}, act{a: "n/g"})
	f.Shut()
	at := filepath.Join(overlay, journalName)
	whole, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(magic); n <= len(whole); n = cutAfter(n, len(whole)) {
		if err := os.WriteFile(at, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		f := over(t, directory(t, dir), overlay)
		if _, err := (tree{f}).dump(); err != nil && !errors.Is(err, v86fs.EIO) {
			t.Errorf("cut at %d: %v", n, err)
		}
		if n == len(whole) && len(f.Diff()) != 4 {
			t.Errorf("whole it says %v", f.Diff())
		}
		f.Shut()
	}
	whole[len(magic)+headSize+3] ^= 1
	os.WriteFile(at, append(whole, frame(nil)...), 0o600)
	b := directory(t, dir)
	if _, err := New(b, "the base", overlay); !errors.Is(err, errDamaged) {
		t.Errorf("a damaged journal: %v", err)
	}
}

func TestAnOverlayIsForOne(t *testing.T) {
	dir, overlay := t.TempDir(), t.TempDir()
	f := over(t, directory(t, dir), overlay)
	if _, err := New(directory(t, dir), "the base", overlay); !errors.Is(err, errInUse) {
		t.Errorf("a second user: %v", err)
	}
	f.Shut()
	if _, err := New(directory(t, dir), "another base", overlay); err == nil {
		t.Error("the overlay is laid over another base")
	}
	if err := Discard(overlay); err != nil {
		t.Error(err)
	}
	f = over(t, directory(t, dir), overlay)
	if d := f.Diff(); len(d) != 0 {
		t.Errorf("an empty overlay says %v", d)
	}
	f.Shut()
}

// FuzzJournal has replay take what is no journal of ours.
func FuzzJournal(f *testing.F) {
	var w writer
	w.record(&record{id: 1, mode: v86fs.ModeDir, based: true, origin: ".", xattrs: map[string][]byte{"a": nil}})
	w.entry(1, "x", entry{id: 2})
	f.Add(w.b)
	f.Fuzz(func(t *testing.T, b []byte) {
		replay(map[uint64]*record{}, b)
		parse(append([]byte(magic), frame(b)...))
	})
}
