package dirfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// A told is something a Notifier was told.
type told struct {
	node v86fs.Node
	what uint32
	name string
}

// A listener is a Notifier that remembers.
type listener struct {
	t    *testing.T
	work chan func()
	told []told
	// marks counts the files that heard made.
	marks int
}

func (l *listener) Changed(n v86fs.Node, what, _ uint32, _, _ uint64) {
	l.told = append(l.told, told{n, what, ""})
}
func (l *listener) Entry(dir v86fs.Node, name string, _ v86fs.Node, _, _ uint32) {
	l.told = append(l.told, told{dir, 0, name})
}
func (l *listener) InvalidateDir(n v86fs.Node) { l.told = append(l.told, told{n, 0, ""}) }
func (l *listener) InvalidateAll()             { l.told = append(l.told, told{}) }

// listen shares dir and hears of its changes.
func listen(t *testing.T, dir string) (*FS, *listener) {
	t.Helper()
	l := &listener{t: t, work: make(chan func(), 1000)}
	f := share(t, dir)
	if err := f.Watch(l, func(fn func()) { l.work <- fn }); err != nil {
		t.Skipf("changes are not watched: %v", err)
	}
	return f, l
}

// heard is what was told up to a change made now, without that.
func (l *listener) heard(f *FS, dir string) []told {
	l.t.Helper()
	l.marks++
	mark := fmt.Sprint("mark", l.marks)
	f.Lookup(f.root.number, mark) // has the directory watched
	put(l.t, filepath.Join(dir, mark), "")
	for {
		select {
		case fn := <-l.work:
			fn()
		case <-time.After(10 * time.Second):
			l.t.Fatal("nothing was told of a new file")
		}
		for i, k := range l.told {
			if k.name == mark {
				out := l.told[:i]
				l.told = nil
				return out
			}
		}
	}
}

func TestTheGuestsOwnChangesAreNotTold(t *testing.T) {
	dir := t.TempDir()
	f, l := listen(t, dir)
	a, err := f.Create(f.root.number, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644, Open: true})
	if err != nil {
		t.Fatal(err)
	}
	if !a.DirWatched || !a.Watched {
		t.Errorf("a new file says that its directory is watched: %v, and itself: %v", a.DirWatched, a.Watched)
	}
	f.write(a.Node, "one")
	f.Setattr(a.Node, v86fs.Change{Valid: v86fs.SetMode, Mode: 0o600})
	f.Close(a.Node)
	f.Rename(f.root.number, "f", f.root.number, "g", 0)
	f.Unlink(f.root.number, "g")
	d, err := f.Create(f.root.number, "d", v86fs.NewFile{Mode: v86fs.ModeDir | 0o755})
	if err != nil {
		t.Fatal(err)
	}
	f.Create(d.Node, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644})
	f.Setattr(d.Node, v86fs.Change{Valid: v86fs.SetMtime | v86fs.SetMtimeTo, Mtime: v86fs.Time{Sec: 1}})
	if heard := l.heard(f, dir); len(heard) > 0 {
		t.Errorf("told of the guest's own changes: %+v", heard)
	}
}

func TestAChangeBehindTheGuestsIsSure(t *testing.T) {
	dir := t.TempDir()
	f, l := listen(t, dir)
	put(t, filepath.Join(dir, "f"), "first")
	n := look(t, f, "f")
	f.write(n, "guest")
	l.heard(f, dir)
	// The host's change is followed by one of the guest before it is heard of.
	put(t, filepath.Join(dir, "f"), "by the host")
	f.write(n, "guest")
	for _, k := range l.heard(f, dir) {
		if k.node == n && k.what&(v86fs.InvalData|v86fs.InvalSure) == v86fs.InvalData|v86fs.InvalSure {
			return
		}
	}
	t.Error("the host's change before the guest's own was not told as sure")
}

func TestADirectoryIsWatchedAsSoonAsItIsKnown(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "old"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, l := listen(t, dir)
	l.heard(f, dir)
	made, err := f.Create(f.root.number, "new", v86fs.NewFile{Mode: v86fs.ModeDir | 0o755})
	if err != nil {
		t.Fatal(err)
	}
	found := look(t, f, "old")
	put(t, filepath.Join(dir, "new", "x"), "")
	put(t, filepath.Join(dir, "old", "y"), "")
	want := map[told]bool{{made.Node, 0, "x"}: true, {found, 0, "y"}: true}
	for _, k := range l.heard(f, dir) {
		delete(want, k)
	}
	if len(want) > 0 {
		t.Errorf("not told: %+v", want)
	}
}

func TestANewFileHasNoAttributesUntilItIsGivenSome(t *testing.T) {
	dir := t.TempDir()
	f, _ := listen(t, dir)
	if f.flags&v86fs.HasXattr == 0 {
		t.Skip("there are no extended attributes in the directory for temporary files")
	}
	a, err := f.Create(f.root.number, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644, Open: true})
	if err != nil || a.Flags&v86fs.AttrNoXattr == 0 {
		t.Errorf("flags %#x, %v", a.Flags, err)
	}
	f.write(a.Node, "x")
	if b, err := f.Getattr(a.Node); err != nil || b.Flags&v86fs.AttrNoXattr == 0 {
		t.Errorf("after the guest wrote: flags %#x, %v", b.Flags, err)
	}
	time.Sleep(20 * time.Millisecond) // of some hosts, times are no finer
	if err := unix.Setxattr(filepath.Join(dir, "f"), "user.a", []byte("x"), 0); err != nil {
		t.Skip(err)
	}
	if b, err := f.Getattr(a.Node); err != nil || b.Flags&v86fs.AttrNoXattr != 0 {
		t.Errorf("after the host set one: flags %#x, %v", b.Flags, err)
	}
}

// A guest may give back a node that a request of its own still works on.
func TestANodeGivenBackWhileItIsWritten(t *testing.T) {
	dir := t.TempDir()
	f, l := listen(t, dir)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case fn := <-l.work:
				fn()
			case <-done:
				return
			}
		}
	}()
	for range 300 {
		a, err := f.Create(f.root.number, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, fn := range []func(){
			func() { f.write(a.Node, "x") },
			func() { f.Setattr(a.Node, v86fs.Change{Valid: v86fs.SetSize}) },
			func() { f.Forget(a.Node, 1) },
			func() { f.Unlink(f.root.number, "f") },
		} {
			all.Add(1)
			go func() { defer all.Done(); fn() }()
		}
		all.Wait()
		if err := os.Remove(filepath.Join(dir, "f")); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
