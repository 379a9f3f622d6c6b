package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gov86/gov86/guest"
)

// debianKernel is the bzImage of a stock kernel of Debian's i386 architecture.
func debianKernel(t *testing.T, metapackage string) string {
	t.Helper()
	return debianFile(t, metapackage, "", func(root, release string) ([]byte, error) {
		return os.ReadFile(filepath.Join(root, "boot", "vmlinuz-"+release))
	})
}

// debianFile is a file made from a package that a metapackage of Debian's i386
// architecture depends on. The package is fetched once, and what is made of it
// kept under its name with suffix. Where it cannot be had the test is skipped.
func debianFile(t *testing.T, metapackage, suffix string, from func(root, release string) ([]byte, error)) string {
	t.Helper()
	const remedy = "it needs a Debian host: dpkg --add-architecture i386 && apt-get update"
	for _, tool := range []string{"apt-cache", "apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not booted, there is no %s here; %s", metapackage, tool, remedy)
		}
	}
	out, _ := exec.Command("apt-cache", "depends", metapackage+":i386").Output()
	found := regexp.MustCompile(`Depends: (linux-image-[0-9][^: \n]*)`).FindSubmatch(out)
	if found == nil {
		t.Skipf("%s is not booted, apt does not know it; %s", metapackage, remedy)
	}
	name := string(found[1])
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	dir := filepath.Join(cache, "gov86", "debian")
	file := filepath.Join(dir, name+suffix)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	fetch := exec.Command("apt-get", "download", "-q", name+":i386")
	fetch.Dir = work
	if out, err := fetch.CombinedOutput(); err != nil {
		t.Skipf("%s is not booted, apt-get download: %v\n%s", name, err, out)
	}
	debs, _ := filepath.Glob(filepath.Join(work, "*.deb"))
	if len(debs) != 1 {
		t.Fatalf("apt-get download left %v", debs)
	}
	if out, err := exec.Command("dpkg-deb", "-x", debs[0], work).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	b, err := from(work, strings.TrimPrefix(name, "linux-image-"))
	if err != nil {
		t.Fatal(err)
	}
	// Whole or not at all, should another test fetch it too.
	part := filepath.Join(work, "image")
	if err := os.WriteFile(part, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("mv", part, file).Run(); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBootDebianKernels(t *testing.T) {
	initramfs, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	initrd := filepath.Join(t.TempDir(), "initramfs.cpio")
	if err := os.WriteFile(initrd, initramfs, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		metapackage, release string
		flags                []string
	}{
		{"linux-image-686", "-686\n", []string{"--no-apic"}},
		{"linux-image-686-pae", "-686-pae\n", nil},
	} {
		t.Run(c.metapackage, func(t *testing.T) {
			args := append([]string{"--kernel", debianKernel(t, c.metapackage), "--initrd", initrd,
				"--append", "console=ttyS0 quiet", "--memory", "512M"}, c.flags...)
			g := startRun(t, args...)
			g.expect("gov86 guest ready")
			g.expect(prompt)
			if got := strings.ReplaceAll(g.shell("uname -r"), "\r", ""); !strings.Contains(got+"\n", c.release) {
				t.Errorf("uname -r prints %q", got)
			}
			g.send("poweroff\n")
			g.wantStatus(exitOK)
		})
	}
}
