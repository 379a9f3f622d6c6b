package dirfs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
)

func TestBackend(t *testing.T) {
	v86fstest.Run(t, func(t *testing.T) v86fs.Backend { return share(t, t.TempDir()) })
}

func share(t *testing.T, dir string) *FS {
	t.Helper()
	f, err := New(dir, OwnersAuto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Shut() })
	return f
}

func look(t *testing.T, f *FS, path string) v86fs.Node {
	t.Helper()
	n := f.root.number
	for _, name := range strings.Split(path, "/") {
		a, err := f.Lookup(n, name)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		n = a.Node
	}
	return n
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryReplacedByALinkLeadsNowhere(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	put(t, filepath.Join(outside, "secret"), "secret")
	if err := os.MkdirAll(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "d", "secret"), "inside")
	f := share(t, dir)
	d, file := look(t, f, "d"), look(t, f, "d/secret")
	f.forgetDir(nil) // the descriptor of d, as when many others were used
	if err := os.Rename(filepath.Join(dir, "d"), filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Lookup(d, "secret"); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("lookup through the link: %v, want ESTALE", err)
	}
	p := make([]byte, 10)
	if n, err := f.Read(file, [][]byte{p}, 0); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("read through the link: %q, %v, want ESTALE", p[:n], err)
	}
	if _, err := f.Create(d, "planted", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644}); err == nil {
		t.Error("a file was created through the link")
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("outside there are %d files now", len(entries))
	}
}

func TestFileReplacedByALinkIsNotFollowed(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	put(t, filepath.Join(outside, "secret"), "secret")
	put(t, filepath.Join(dir, "f"), "inside")
	f := share(t, dir)
	n := look(t, f, "f")
	os.Remove(filepath.Join(dir, "f"))
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "f")); err != nil {
		t.Fatal(err)
	}
	if k, err := f.Read(n, [][]byte{make([]byte, 10)}, 0); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("read %d bytes, %v, want ESTALE", k, err)
	}
	if _, err := f.Setattr(n, v86fs.Change{Valid: v86fs.SetMode, Mode: 0o777}); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("chmod: %v, want ESTALE", err)
	}
	if _, k, err := f.Write(n, [][]byte{[]byte("x")}, 0, 0); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("wrote %d bytes, %v, want ESTALE", k, err)
	}
	if b, _ := os.ReadFile(filepath.Join(outside, "secret")); string(b) != "secret" {
		t.Errorf("the file outside is %q now", b)
	}
}

func TestSpecialFilesAreNeverOpened(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "f"), "")
	f := share(t, dir)
	if err := f.Open(look(t, f, "fifo"), false); !errors.Is(err, v86fs.EACCES) {
		t.Errorf("open of a FIFO: %v", err)
	}
	// A FIFO in the place of a file must not keep us waiting for a writer.
	n := look(t, f, "f")
	os.Remove(filepath.Join(dir, "f"))
	if err := syscall.Mkfifo(filepath.Join(dir, "f"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Open(n, false); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("open of a file that became a FIFO: %v", err)
	}
}

func TestFileReplacedByRenameIsAnotherNode(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "f"), "old")
	f := share(t, dir)
	n := look(t, f, "f")
	if err := f.Open(n, false); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "new"), "new")
	if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "f")); err != nil {
		t.Fatal(err)
	}
	if m := look(t, f, "f"); m == n {
		t.Error("the new file has the node of the old one")
	}
	p := make([]byte, 10)
	if k, err := f.Read(n, [][]byte{p}, 0); err != nil || string(p[:k]) != "old" {
		t.Errorf("the open file reads %q, %v, want the old content", p[:k], err)
	}
}

func TestHardLinksAreOneNode(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a"), "x")
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	f := share(t, dir)
	if a, b := look(t, f, "a"), look(t, f, "b"); a != b {
		t.Errorf("nodes %d and %d", a, b)
	}
}

func TestDeepDirectoriesBeyondTheDescriptorsKept(t *testing.T) {
	dir := t.TempDir()
	path := dir
	for range dirLimit/4 + 10 {
		path = filepath.Join(path, "d")
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(path, "f"), "deep")
	f := share(t, dir)
	rel, _ := filepath.Rel(dir, filepath.Join(path, "f"))
	n := look(t, f, rel)
	for i := range 2 * dirLimit {
		a, err := f.Create(f.root.number, "x"+strings.Repeat("y", i%50)+string(rune('a'+i/50)), v86fs.NewFile{Mode: v86fs.ModeDir | 0o755})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Readdir(a.Node); err != nil {
			t.Fatal(err)
		}
	}
	if f.dirs.Len() > dirLimit {
		t.Errorf("%d descriptors are kept", f.dirs.Len())
	}
	p := make([]byte, 10)
	if k, err := f.Read(n, [][]byte{p}, 0); err != nil || string(p[:k]) != "deep" {
		t.Errorf("read %q, %v", p[:k], err)
	}
}

// news collects what a backend says of changes.
type news struct{ files, dirs, all chan v86fs.Node }

func (n *news) Changed(node v86fs.Node, _, _ uint32, _, _ uint64)         { n.files <- node }
func (n *news) Entry(dir v86fs.Node, _ string, _ v86fs.Node, _, _ uint32) { n.dirs <- dir }
func (n *news) InvalidateDir(node v86fs.Node)                             { n.dirs <- node }
func (n *news) InvalidateAll()                                            { n.all <- 0 }

func TestChangesOnTheHostAreTold(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "f"), "x")
	f := share(t, dir)
	n := &news{make(chan v86fs.Node, 100), make(chan v86fs.Node, 100), make(chan v86fs.Node, 100)}
	work := make(chan func(), 100)
	if err := f.Watch(n, func(fn func()) { work <- fn }); err != nil {
		t.Skipf("changes are not watched: %v", err)
	}
	next := func(c chan v86fs.Node, what string) {
		t.Helper()
		for {
			select {
			case fn := <-work:
				fn()
			case <-c:
				return
			case <-time.After(10 * time.Second):
				t.Fatalf("nothing was told of %s", what)
			}
		}
	}
	file := look(t, f, "f")
	f.write(file, "by the guest")
	put(t, filepath.Join(dir, "f"), "by the host, and longer")
	next(n.files, "a change of content")
	put(t, filepath.Join(dir, "g"), "")
	next(n.dirs, "a new name")
	os.Remove(filepath.Join(dir, "g"))
	next(n.dirs, "a name that went")
}

func (f *FS) write(n v86fs.Node, s string) { f.Write(n, [][]byte{[]byte(s)}, 0, 0) }
