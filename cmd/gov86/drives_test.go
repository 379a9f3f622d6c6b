package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// storageModules are the modules of Debian's kernel that its drives need, in the
// order in which they need each other.
const storageModules = `scsi_common scsi_mod libata ata_piix crct10dif_common crc64 crc-t10dif crc64-rocksoft t10-pi
	sd_mod cdrom sr_mod isofs jbd2 mbcache crc16 ext4 crc32c_generic floppy fat vfat nls_cp437 nls_ascii virtio
	virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk`

const storageInit = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in %s; do insmod /lib/$m.ko; done
mdev -s
echo drives ready
exec setsid cttyhack sh
`

// A cpio is an archive as the kernel unpacks it ("initramfs buffer format").
type cpio struct {
	bytes.Buffer
	inode int
}

func (c *cpio) add(name string, mode int, content []byte) {
	c.inode++
	fmt.Fprintf(c, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		c.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
	c.Write(make([]byte, -c.Len()&3))
	c.Write(content)
	c.Write(make([]byte, -c.Len()&3))
}

// unpackDebian downloads a package of the i386 architecture and unpacks it in
// dir. Where it cannot be had the test is skipped.
func unpackDebian(t *testing.T, dir, name string) {
	t.Helper()
	fetch := exec.Command("apt-get", "download", "-q", name+":i386")
	fetch.Dir = t.TempDir()
	if out, err := fetch.CombinedOutput(); err != nil {
		t.Skipf("%s is not used, apt-get download: %v\n%s", name, err, out)
	}
	debs, _ := filepath.Glob(filepath.Join(fetch.Dir, "*.deb"))
	if len(debs) != 1 {
		t.Fatalf("apt-get download left %v", debs)
	}
	if out, err := exec.Command("dpkg-deb", "-x", debs[0], dir).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
}

// debianDrives is Debian's kernel and an initial RAM disk with its drivers, with
// BusyBox and e2fsck.
func debianDrives(t *testing.T) (kernel, initrd string) {
	t.Helper()
	initrd = debianFile(t, "linux-image-686", ".drives", func(work, _ string) ([]byte, error) {
		for _, name := range []string{"busybox-static", "e2fsck-static"} {
			unpackDebian(t, work, name)
		}
		files := map[string]string{"bin/busybox": filepath.Join(work, "bin/busybox"), "bin/e2fsck": filepath.Join(work, "sbin/e2fsck.static")}
		wanted := " " + strings.Join(strings.Fields(storageModules), " ") + " "
		err := filepath.WalkDir(filepath.Join(work, "lib/modules"), func(path string, e fs.DirEntry, err error) error {
			if name, ok := strings.CutSuffix(filepath.Base(path), ".ko"); ok && strings.Contains(wanted, " "+name+" ") {
				files["lib/"+name+".ko"] = path
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		var c cpio
		for _, dir := range []string{"bin", "dev", "lib", "mnt", "proc", "sys", "tmp"} {
			c.add(dir, 0o040755, nil)
		}
		for name, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			c.add(name, 0o100755, b)
		}
		c.add("init", 0o100755, fmt.Appendf(nil, storageInit, strings.Join(strings.Fields(storageModules), " ")))
		c.add("TRAILER!!!", 0, nil)
		return c.Bytes(), nil
	})
	return debianKernel(t, "linux-image-686"), initrd
}

// bootDrives boots Debian's kernel to a shell.
func bootDrives(t *testing.T, flags ...string) *guestRun {
	t.Helper()
	kernel, initrd := debianDrives(t)
	g := startRun(t, append([]string{"--kernel", kernel, "--initrd", initrd, "--memory", "256M",
		"--append", "console=ttyS0 quiet"}, flags...)...)
	g.expect("drives ready")
	g.expect(prompt)
	return g
}

// good runs commands of which each must succeed.
func (g *guestRun) good(commands ...string) {
	g.t.Helper()
	out := g.shell("(" + strings.Join(commands, " && ") + ") >/tmp/out 2>&1 && echo all good || tail -n 5 /tmp/out")
	if !strings.Contains(out, "all good") {
		g.t.Errorf("%s:\n%s", strings.Join(commands, " && "), out)
	}
}

// emptyDisk is a sparse file.
func emptyDisk(t *testing.T, size int64) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDebianUsesTheDrives(t *testing.T) {
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, "a long name.txt"), []byte("from the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	diskette := emptyDisk(t, 1440<<10)
	g := bootDrives(t, "--disk", emptyDisk(t, 5<<30), "--disk", emptyDisk(t, 64<<20)+",if=virtio",
		"--cdrom", files, "--fda", diskette, "--fdb", files)
	g.good(`printf 'n\np\n1\n\n+64M\nw\n' | fdisk /dev/sda`, "mdev -s")
	for _, device := range []string{"/dev/sda1", "/dev/vda"} {
		g.good("mke2fs "+device, "mount -t ext4 "+device+" /mnt", "cp -r /lib /bin/busybox /mnt", "umount /mnt",
			"mount -t ext4 "+device+" /mnt", "cmp /bin/busybox /mnt/busybox", "diff -r /lib /mnt/lib", "umount /mnt",
			"e2fsck -f -n "+device)
	}
	// Beyond what 32 bits count, by LBA of 48 bits.
	g.good("echo far away | dd of=/dev/sda bs=512 seek=10000000 conv=sync", "dd if=/dev/sda bs=512 skip=10000000 count=1 | grep 'far away'")
	g.good("mount -t iso9660 /dev/sr0 /mnt", "grep 'from the host' '/mnt/a long name.txt'", "umount /mnt")
	g.good("mount -t vfat /dev/fd1 /mnt", "grep 'from the host' '/mnt/a long name.txt'", "umount /mnt")
	g.good("mkdosfs /dev/fd0", "mount -t vfat /dev/fd0 /mnt", "cp /lib/sd_mod.ko /mnt", "umount /mnt",
		"mount -t vfat /dev/fd0 /mnt", "cmp /lib/sd_mod.ko /mnt/sd_mod.ko", "umount /mnt",
		"echo on the diskette | dd of=/dev/fd0 bs=512 seek=2879 conv=sync")
	g.send("poweroff -f\n")
	g.wantStatus(exitOK)
	b, err := os.ReadFile(diskette)
	if err != nil || !bytes.HasPrefix(b[2879*512:], []byte("on the diskette\n")) {
		t.Errorf("the floppy disk's last sector holds %q, %v", b[2879*512:][:16], err)
	}
}

// TestAKillLeavesTheFileSystemWhole ends gov86 as nothing can be kept from
// ending it, while the guest writes.
func TestAKillLeavesTheFileSystemWhole(t *testing.T) {
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skip("there is no mkfs.ext4 here (Debian package e2fsprogs) for a file system with a journal")
	}
	kernel, initrd := debianDrives(t)
	for _, flag := range []string{"", ",if=virtio,overlay=" + filepath.Join(t.TempDir(), "overlay.qcow2")} {
		image := emptyDisk(t, 128<<20)
		if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
			t.Fatalf("mkfs.ext4: %v\n%s", err, out)
		}
		device := "/dev/sda"
		if flag != "" {
			device = "/dev/vda"
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		program := exec.Command(self, "run", "--kernel", kernel, "--initrd", initrd, "--append", "console=ttyS0 quiet", "--disk", image+flag)
		program.Env = append(os.Environ(), asCommand+"=1")
		typed, err := program.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		g := newDialogue(t, typed)
		program.Stdout, program.Stderr = g, g
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { program.Process.Kill() })
		g.expect("drives ready")
		g.expect(prompt)
		g.send("mount -t ext4 " + device + " /mnt && cp /bin/busybox /mnt && sync && echo sa''fe;" +
			" while true; do cp -r /lib /mnt/lib; sync; cp -r /lib /mnt/more; rm -r /mnt/lib /mnt/more; done\n")
		g.expect("safe")
		time.Sleep(time.Second) // somewhere in what follows
		if err := program.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		program.Wait()
		after := bootDrives(t, "--disk", image+flag)
		after.good("e2fsck -f -p "+device+" || test $? = 1", "e2fsck -f -n "+device,
			"mount -t ext4 "+device+" /mnt", "cmp /bin/busybox /mnt/busybox", "umount /mnt")
		after.send("poweroff -f\n")
		after.wantStatus(exitOK)
	}
}
