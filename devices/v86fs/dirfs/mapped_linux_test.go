package dirfs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/v86fstest"
)

func mapped(t *testing.T, dir string) *FS {
	t.Helper()
	f, err := New(dir, OwnersMapped)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { f.Shut() })
	return f
}

// TestMappedOwners is the suite with owners that the host does not keep.
func TestMappedOwners(t *testing.T) {
	v86fstest.Run(t, func(t *testing.T) v86fs.Backend { return mapped(t, t.TempDir()) })
}

// TestMappedOwnersOfAUserWithoutRights is the tests of this file once more, in a
// process of a user who owns nothing.
func TestMappedOwnersOfAUserWithoutRights(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() != 0 {
		t.Skip("the others are run without rights already")
	}
	dir, err := os.MkdirTemp("", "mapped")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "test")
	b, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.WriteFile(program, b, 0o755), os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "tmp"), 0o755),
			os.Chown(filepath.Join(dir, "tmp"), nobody, nobody))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=Mapped", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func made(t *testing.T, f *FS, name string, w v86fs.NewFile) v86fs.Attr {
	t.Helper()
	a, err := f.Create(f.root.number, name, w)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

// TestMappedFilesOnTheHost looks at what the host sees: nothing that gives rights,
// and all that its user needs.
func TestMappedFilesOnTheHost(t *testing.T) {
	dir := t.TempDir()
	f := mapped(t, dir)
	made(t, f, "suid", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o6711})
	made(t, f, "secret", v86fs.NewFile{Mode: v86fs.ModeRegular, UID: 5, GID: 6})
	made(t, f, "dir", v86fs.NewFile{Mode: v86fs.ModeDir | 0o1000})
	made(t, f, "null", v86fs.NewFile{Mode: v86fs.ModeChar | 0o666, Major: 1, Minor: 3})
	made(t, f, "link", v86fs.NewFile{Mode: v86fs.ModeSymlink | 0o777, Target: "secret"})
	made(t, f, "plain", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644})
	for name, want := range map[string]os.FileMode{
		"suid": 0o711, "secret": 0o600, "dir": os.ModeDir | 0o700, "null": 0o666, "link": os.ModeSymlink | 0o777, "plain": 0o644,
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s is %v on the host, %v, want %v", name, info.Mode(), err, want)
		}
	}
	if _, err := unix.Getxattr(filepath.Join(dir, "plain"), mappedStat, nil); err != unix.ENODATA {
		t.Errorf("a file that is as on the host has an attribute, too: %v", err)
	}
	n := look(t, f, "secret")
	for _, name := range []string{mappedStat, mappedXattr + "security.capability"} {
		if err := f.Setxattr(n, name, []byte("100777 0 0 0 0"), 0); !errors.Is(err, v86fs.EOPNOTSUPP) {
			t.Errorf("the guest sets %s: %v", name, err)
		}
	}
	if err := f.Setxattr(n, "trusted.overlay.opaque", []byte("y"), 0); err != nil {
		t.Errorf("trusted attribute: %v", err)
	}
	if names, err := f.Listxattr(n); err != nil || len(names) != 1 || names[0] != "trusted.overlay.opaque" {
		t.Errorf("attributes %q, %v", names, err)
	}
}

// TestMappedFilesOpenedAnew has a second export see what the first one made.
func TestMappedFilesOpenedAnew(t *testing.T) {
	dir := t.TempDir()
	f := mapped(t, dir)
	made(t, f, "null", v86fs.NewFile{Mode: v86fs.ModeChar | 0o620, Major: 1, Minor: 3, UID: 9})
	link := made(t, f, "link", v86fs.NewFile{Mode: v86fs.ModeSymlink | 0o777, Target: "a/b"})
	owned, err := f.Setattr(link.Node, v86fs.Change{Valid: v86fs.SetUID | v86fs.SetGID, UID: 1000, GID: 100})
	if err != nil || owned.Node != link.Node || owned.UID != 1000 || owned.Mode&v86fs.ModeType != v86fs.ModeSymlink {
		t.Errorf("chown of a link: %+v, %v", owned, err)
	}
	g := mapped(t, dir)
	if a, err := g.Getattr(look(t, g, "null")); err != nil || a.Mode != v86fs.ModeChar|0o620 || a.RdevMinor != 3 || a.UID != 9 || a.Size != 0 {
		t.Errorf("the device is %+v, %v", a, err)
	}
	n := look(t, g, "link")
	if a, err := g.Getattr(n); err != nil || a.UID != 1000 || a.GID != 100 || a.Size != 3 {
		t.Errorf("the link is %+v, %v", a, err)
	}
	if target, err := g.Readlink(n); err != nil || target != "a/b" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	list, err := g.Readdir(g.root.number)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if want := map[string]uint8{"null": unix.DT_CHR, "link": unix.DT_LNK}[e.Name]; e.Type != want {
			t.Errorf("%s is listed as %d, want %d", e.Name, e.Type, want)
		}
	}
}

// FuzzMappedStat has whoever writes to the host's files write what is no guestStat.
func FuzzMappedStat(f *testing.F) {
	f.Add([]byte("20620 9 0 1 3"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, ok := decodeStat(b); ok {
			if again, ok := decodeStat(g.encode()); !ok || again != g {
				t.Errorf("%q is %+v, then %+v", b, g, again)
			}
		}
	})
}
