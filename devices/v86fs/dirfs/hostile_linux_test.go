package dirfs

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// swapFor is how long the names are swapped under the guest's requests.
var swapFor = flag.Duration("dirfs.for", 500*time.Millisecond, "swap names under requests for so long")

// swap exchanges names of a directory, two at a time, until done is closed.
func swap(dir string, done chan struct{}, pairs ...[2]string) (rounds int) {
	for {
		for _, p := range pairs {
			unix.Renameat2(unix.AT_FDCWD, filepath.Join(dir, p[0]), unix.AT_FDCWD, filepath.Join(dir, p[1]), unix.RENAME_EXCHANGE)
		}
		rounds++
		select {
		case <-done:
			return rounds
		default:
		}
	}
}

// TestNamesThatAreSwappedNeverLeadOutside has a host that exchanges directories and
// files for symbolic links, and a FIFO, while the guest works with them: nothing
// outside is ever read or changed, and nothing waits.
func TestNamesThatAreSwappedNeverLeadOutside(t *testing.T) {
	for _, owners := range []Owners{OwnersAuto, OwnersMapped} {
		outside, dir := t.TempDir(), t.TempDir()
		put(t, filepath.Join(outside, "f"), "OUTSIDE")
		err := errors.Join(os.Mkdir(filepath.Join(dir, "d"), 0o755), os.Symlink(outside, filepath.Join(dir, "d2")),
			os.Symlink(filepath.Join(outside, "f"), filepath.Join(dir, "g2")), syscall.Mkfifo(filepath.Join(dir, "h2"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"d/f", "g", "h"} {
			put(t, filepath.Join(dir, name), "inside")
		}
		f, err := New(dir, owners)
		if err != nil {
			t.Skip(err)
		}
		done := make(chan struct{})
		var hosts sync.WaitGroup
		rounds := 0
		hosts.Go(func() { rounds = swap(dir, done, [2]string{"d", "d2"}, [2]string{"g", "g2"}, [2]string{"h", "h2"}) })
		served := 0
		for end := time.Now().Add(*swapFor); time.Now().Before(end); {
			served += beat(t, f)
		}
		close(done)
		hosts.Wait()
		t.Logf("%d rounds of swapping, %d requests succeeded", rounds, served)
		if served == 0 {
			t.Error("no request succeeded")
		}
		list, err := os.ReadDir(outside)
		if b, _ := os.ReadFile(filepath.Join(outside, "f")); err != nil || len(list) != 1 || string(b) != "OUTSIDE" {
			t.Errorf("outside there are %v with %q, %v", list, b, err)
		}
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join(outside, "f"), &st); err != nil || st.Mode&0o7777 != 0o644 || st.Nlink != 1 {
			t.Errorf("outside the file is %o with %d names, %v", st.Mode, st.Nlink, err)
		}
		f.Shut()
	}
}

// beat is a round of requests by names that are being swapped. It returns how many
// succeeded.
func beat(t *testing.T, f *FS) (succeeded int) {
	root := f.root.number
	count := func(err error) {
		if err == nil {
			succeeded++
		}
	}
	use := func(n v86fs.Node) {
		p := make([]byte, 16)
		k, err := f.Read(n, [][]byte{p}, 0)
		if strings.Contains(string(p[:k]), "OUTSIDE") {
			t.Error("a read reaches outside")
		}
		count(err)
		_, _, err = f.Write(n, [][]byte{[]byte("inside")}, 0, 0)
		count(err)
		_, err = f.Setattr(n, v86fs.Change{Valid: v86fs.SetMode | v86fs.SetMtime, Mode: 0o640})
		count(err)
		count(f.Setxattr(n, "user.guest", []byte("x"), 0))
		if f.Open(n, true) == nil {
			f.Close(n)
		}
		f.Forget(n, 1)
	}
	for _, name := range []string{"g", "h", "g2", "h2"} {
		if a, err := f.Lookup(root, name); err == nil {
			use(a.Node)
		}
	}
	for _, name := range []string{"d", "d2"} {
		d, err := f.Lookup(root, name)
		if err != nil {
			continue
		}
		if a, err := f.Lookup(d.Node, "f"); err == nil {
			use(a.Node)
			if l, err := f.Link(a.Node, d.Node, "linked"); err == nil {
				f.Forget(l.Node, 1)
			}
		}
		if a, err := f.Create(d.Node, "planted", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644, Open: true}); err == nil {
			succeeded++
			f.Close(a.Node)
			f.Forget(a.Node, 1)
		}
		count(f.Rename(d.Node, "planted", d.Node, "moved", 0))
		for _, made := range []string{"planted", "moved", "linked"} {
			f.Unlink(d.Node, made)
		}
		if f.dirs.Len() > 0 {
			f.mu.Lock()
			f.forgetDir(nil)
			f.mu.Unlock()
		}
		f.Forget(d.Node, 1)
	}
	return succeeded
}

// TestASharedDirectoryThatIsReplaced goes on with the directory it was, which is
// gone: requests fail, none hangs.
func TestASharedDirectoryThatIsReplaced(t *testing.T) {
	at := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(at, "f"), "old")
	f := share(t, at)
	n := look(t, f, "f")
	if err := errors.Join(os.RemoveAll(at), os.Mkdir(at, 0o755)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(at, "f"), "new")
	if _, err := f.Root(); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("root: %v, want ESTALE", err)
	}
	if k, err := f.Read(n, [][]byte{make([]byte, 9)}, 0); !errors.Is(err, v86fs.ESTALE) {
		t.Errorf("read: %d, %v, want ESTALE", k, err)
	}
	if _, err := f.Lookup(f.root.number, "f"); !errors.Is(err, v86fs.ENOENT) {
		t.Errorf("lookup: %v, want ENOENT", err)
	}
	if _, err := f.Create(f.root.number, "x", v86fs.NewFile{Mode: v86fs.ModeRegular}); err == nil {
		t.Error("a file is made in a directory that is gone")
	}
}

// TestDescriptorsAreLeftForOthers opens files without end, in a process that may
// have few descriptors: the guest is told, and there are some left.
func TestDescriptorsAreLeftForOthers(t *testing.T) {
	const most = 200
	if os.Getenv("GOV86_TEST_FEW") == "" {
		cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" -test.run=TestDescriptorsAreLeftForOthers -test.v`, most), os.Args[0])
		cmd.Env = append(os.Environ(), "GOV86_TEST_FEW=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	f := share(t, t.TempDir())
	open := 0
	for ; open < 2*most; open++ {
		a, err := f.Create(f.root.number, fmt.Sprint(open), v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644, Open: true})
		if err != nil {
			if !errors.Is(err, v86fs.ENFILE) {
				t.Errorf("after %d files: %v, want ENFILE", open, err)
			}
			break
		}
		_ = a
	}
	if open < most*2/5 || open > most/2 {
		t.Errorf("%d files can be open, of %d descriptors", open, most)
	}
	for range most / 8 {
		file, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatalf("nothing is left for others: %v", err)
		}
		defer file.Close()
	}
	if _, err := f.Readdir(f.root.number); err != nil {
		t.Errorf("listing: %v", err)
	}
	f.Close(look(t, f, "0"))
	if err := f.Open(look(t, f, "1"), false); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}
