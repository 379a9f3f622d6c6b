package sharing

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	embedded "github.com/gov86/gov86/guest"
)

// soon waits in the guest until a condition of its shell holds.
func (g *guest) soon(condition string) {
	g.t.Helper()
	if out, status := g.run("i=0; until " + condition + "; do i=$((i+1)); [ $i -lt 500 ] || break; usleep 10000; done; " + condition); status != 0 {
		g.t.Errorf("in the guest, not after seconds: %s\n%s", condition, out)
	}
}

func (g *guest) put(name, content string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(content), 0o644); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) do(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func TestTheHostsChangesAreSeen(t *testing.T) {
	g := start(t)
	in := func(name string) string { return filepath.Join(g.dir, name) }
	g.must("cd /mnt/host; ! [ -e new ]")
	g.put("new", "one")
	g.soon("[ -e new ]")
	g.must("[ $(cat new) = one ]; stat new")
	g.put("new", "two")
	g.soon("[ $(cat new) = two ]")
	g.put("new", "longer")
	g.soon("[ $(cat new) = longer ]")
	g.do(os.Truncate(in("new"), 4))
	g.soon("[ $(cat new) = long ]")
	g.do(os.Chmod(in("new"), 0o600))
	g.soon("[ $(stat -c %a new) = 600 ]")
	g.do(os.Rename(in("new"), in("other")))
	g.soon("[ -e other -a ! -e new ]")
	g.do(os.Remove(in("other")))
	g.soon("! [ -e other ]")

	g.do(os.MkdirAll(in("a/b"), 0o755))
	g.put("a/b/f", "deep")
	g.must("cd a/b; cat f")
	g.do(os.Rename(in("a"), in("z")))
	g.soon("[ ! -e /mnt/host/a -a -e /mnt/host/z/b/f ]")
	g.must("[ $(cat f) = deep ]; echo more >>f")
	if b, _ := os.ReadFile(in("z/b/f")); string(b) != "deepmore\n" {
		t.Errorf("through the directory that was renamed the guest wrote %q", b)
	}
	g.must("cd /mnt/host; ls -l z/b")
	g.do(os.RemoveAll(in("z")))
	g.soon("! [ -e z ]")
	g.do(os.Symlink("nowhere", in("z"))) // of another kind now
	g.soon("[ -L z ]")
}

func TestAMappingSeesTheHostsChange(t *testing.T) {
	g := start(t)
	g.put("m", strings.Repeat("old.", 1024))
	g.enter(program + "mapped /mnt/host/m; echo =\"m\"= $?\n")
	g.until("mapped old")
	f, err := os.OpenFile(filepath.Join(g.dir, "m"), os.O_RDWR, 0)
	g.do(err)
	defer f.Close()
	_, err = f.WriteAt([]byte("NEW"), 0)
	g.do(err)
	if _, line := g.until("=m="); line != "=m= 0" {
		t.Errorf("the program says %q", line)
	}
	b := make([]byte, 22)
	f.ReadAt(b, 0)
	if string(b) != "NEW.old.olby the guest" {
		t.Errorf("the file has %q", b)
	}
}

func TestWhoWatchesHearsOfTheHost(t *testing.T) {
	g := start(t)
	g.must("mkdir /mnt/host/w")
	g.enter(program + "watch /mnt/host/w &\n")
	g.until("watching")
	in := func(name string) string { return filepath.Join(g.dir, "w", name) }
	g.do(os.WriteFile(in("f"), []byte("x"), 0o644))
	g.until("event create f")
	g.must("stat /mnt/host/w/f") // of what is not known in the guest, names alone are told
	g.do(os.WriteFile(in("f"), []byte("y"), 0o644))
	g.until("event modify f")
	g.do(os.Rename(in("f"), in("g")))
	g.until("event from f")
	g.until("event to g")
	g.must("stat /mnt/host/w/g")
	g.do(os.Chmod(in("g"), 0o600))
	g.until("event attrib g")
	g.do(os.Remove(in("g")))
	g.until("event delete g")
}

func TestLocksHoldBetweenGuestAndHost(t *testing.T) {
	g := start(t)
	g.put("l", "")
	f, err := os.OpenFile(filepath.Join(g.dir, "l"), os.O_RDWR, 0)
	g.do(err)
	defer f.Close()
	k := unix.Flock_t{Type: unix.F_WRLCK}
	g.do(unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &k))
	g.do(unix.Flock(int(f.Fd()), unix.LOCK_EX))
	if out := g.must(program + "lock /mnt/host/l"); out != "fcntl EAGAIN\nflock EAGAIN\n" {
		t.Errorf("while the host holds both, the guest gets\n%s", out)
	}
	k.Type = unix.F_UNLCK
	g.do(unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &k))
	g.do(unix.Flock(int(f.Fd()), unix.LOCK_UN))
	if out := g.must(program + "lock /mnt/host/l"); out != "fcntl <nil>\nflock <nil>\n" {
		t.Errorf("when the host holds none, the guest gets\n%s", out)
	}
	// What the guest's program held went with it.
	g.do(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
}

func TestTheSharedDirectoryGoes(t *testing.T) {
	g := start(t)
	g.put("f", "content")
	g.must("mkdir /mnt/host/d; cat /mnt/host/f; exec 3</mnt/host/f")
	g.do(os.RemoveAll(g.dir))
	for _, command := range []string{"ls /mnt/host", "cat /mnt/host/f", "echo x >/mnt/host/g", "mkdir /mnt/host/e", "cd /mnt/host/d"} {
		if out, status := g.run("(" + command + ") 2>&1"); status == 0 {
			t.Errorf("%s succeeds: %q", command, out)
		}
	}
	if out := g.must("cat <&3; exec 3<&-"); out != "content" {
		t.Errorf("the file that was open has %q", out)
	}
	g.must("umount /mnt/host")
}

func TestMountedAgain(t *testing.T) {
	g := start(t)
	g.must("echo x >/mnt/host/f; mount -o remount,ro /mnt/host")
	if out, status := g.run("(echo y >/mnt/host/f) 2>&1"); status == 0 || !strings.Contains(out, "Read-only file system") {
		t.Errorf("writing to what is mounted read-only: status %d, %q", status, out)
	}
	g.must("mount -o remount,rw /mnt/host; echo y >/mnt/host/f")
	g.must("exec 3>/mnt/host/f")
	if _, status := g.run("mount -o remount,ro /mnt/host 2>/dev/null"); status == 0 {
		t.Error("it could be remounted read-only with a file open for writing")
	}
	g.must("exec 3>&-; umount /mnt/host; mount -t v86fs -o cache=none host /mnt/host; [ ! -s /mnt/host/f ]; umount /mnt/host")
	if out, status := g.run("mount -t v86fs nothing /mnt/host 2>&1"); status == 0 {
		t.Errorf("an export that is not there was mounted: %q", out)
	}
}

func TestTheRootFileSystem(t *testing.T) {
	asRoot(t)
	g := start(t)
	g.must("cp -a /bin /sbin /usr /etc /mnt/host/ && mkdir /mnt/host/proc /mnt/host/dev && sync")
	g.stop()
	b, err := embedded.Kernel()
	g.do(err)
	kernel := filepath.Join(t.TempDir(), "vmlinux")
	g.do(os.WriteFile(kernel, b, 0o644))
	r := launch(t, g.dir, "--kernel", kernel, "--append", "console=ttyS0 quiet root=host rootfstype=v86fs rw init=/bin/sh")
	r.until("built-in shell")
	r.quiet()
	r.must("mount -t proc proc /proc; grep ' / v86fs rw' /proc/mounts; echo as root >/written; sync")
	if b, err := os.ReadFile(filepath.Join(g.dir, "written")); err != nil || string(b) != "as root\n" {
		t.Errorf("the root file system's file is %q, %v", b, err)
	}
}

func TestACrowd(t *testing.T) {
	if !*long {
		t.Skip("100,000 files take a while: -sharing.long")
	}
	g := start(t)
	t.Log(g.must(program + "crowd /mnt/host/crowd"))
	entries, err := os.ReadDir(filepath.Join(g.dir, "crowd"))
	if err != nil || len(entries) != 100_000 {
		t.Errorf("%d names on the host, %v", len(entries), err)
	}
	// Beyond what 32 bits hold.
	g.must("dd if=/dev/zero of=/mnt/host/big bs=1M seek=5119 count=1 2>/dev/null; echo end >>/mnt/host/big")
	f, err := os.Open(filepath.Join(g.dir, "big"))
	g.do(err)
	defer f.Close()
	text := make([]byte, 10)
	n, _ := f.ReadAt(text, 5<<30)
	if string(text[:n]) != "end\n" {
		t.Errorf("behind 5 GiB there is %q", text[:n])
	}
	if out := g.must("tail -c 4 /mnt/host/big; stat -c %s /mnt/host/big"); out != "end\n5368709124\n" {
		t.Errorf("in the guest: %q", out)
	}
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
