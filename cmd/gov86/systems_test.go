package main

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// archive is where Debian is installed from.
const archive = "http://deb.debian.org/debian"

const debianMenu = `set timeout=0
menuentry "Debian" { linux /vmlinuz root=LABEL=root console=tty0 console=ttyS0 ; initrd /initrd.img }
`

// installDebian makes a disk with a partition that holds Debian and GRUB. It is
// done once, and kept.
func installDebian(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("Debian is not installed: making its file systems takes the superuser; run the tests as root")
	}
	need(t, "mmdebstrap arch-test grub-common grub-pc-bin e2fsprogs fdisk",
		"mmdebstrap", "arch-test", "grub-mkimage", "mke2fs", "sfdisk", "/usr/lib/grub/i386-pc/boot.img")
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	disk := filepath.Join(cache, "gov86", "debian", "bookworm.img")
	if _, err := os.Stat(disk); err == nil {
		return disk
	}
	work := t.TempDir()
	root, part, core := filepath.Join(work, "root"), filepath.Join(work, "disk"), filepath.Join(work, "core")
	install := exec.Command("mmdebstrap", "--arch=i386", "--variant=minbase", "--format=directory",
		"--include=linux-image-686,systemd-sysv,udev,e2fsprogs,login,procps,kmod",
		"--customize-hook=echo root:secret | chroot $1 chpasswd", "--customize-hook=echo guest > $1/etc/hostname",
		"--customize-hook=echo LABEL=root / ext4 defaults 0 1 > $1/etc/fstab", "bookworm", root, archive)
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("Debian is not installed, mmdebstrap: %v\n%s", err, out)
	}
	command(t, "mkdir", "-p", filepath.Join(root, "boot/grub"))
	command(t, "cp", "-r", "/usr/lib/grub/i386-pc", filepath.Join(root, "boot/grub"))
	if err := os.WriteFile(filepath.Join(root, "boot/grub/grub.cfg"), []byte(debianMenu), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, "sh", "-c", `truncate -s 1500M "$0" && echo 2048,,83,* | sfdisk -q "$0" &&
		mke2fs -q -t ext4 -L root -d "$1" -E offset=1048576 "$0" $((1499 * 1024))k`, part, root)
	// The boot sector loads what follows it, up to the partition.
	command(t, "grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)/boot/grub", "-o", core, "biosdisk", "part_msdos", "ext2", "normal")
	command(t, "dd", "if=/usr/lib/grub/i386-pc/boot.img", "of="+part, "bs=440", "count=1", "conv=notrunc")
	command(t, "dd", "if="+core, "of="+part, "bs=512", "seek=1", "conv=notrunc")
	command(t, "mkdir", "-p", filepath.Dir(disk))
	command(t, "mv", part, disk)
	return disk
}

// TestDebianBootsToALogin boots a Debian from its own disk, through its boot
// loader and its initramfs, and works in it on both its consoles.
func TestDebianBootsToALogin(t *testing.T) {
	if !*wholeSystems {
		t.Skip("installs and boots Debian, for minutes; -systems does so")
	}
	disk := installDebian(t)
	for name, interface_ := range map[string]string{"IDE": "ide", "virtio": "virtio"} {
		t.Run(name, func(t *testing.T) {
			overlay := filepath.Join(t.TempDir(), "overlay.qcow2")
			b := startBoot(t, "--disk", fmt.Sprintf("%s,if=%s,overlay=%s", disk, interface_, overlay), "--memory", "512M")
			b.login()
			if got := b.shell("findmnt -n -o FSTYPE,OPTIONS /"); !strings.Contains(got, "ext4") || !strings.Contains(got, "rw,") {
				t.Errorf("the root file system is %q", got)
			}
			if got := b.shell("grep Name /proc/bus/input/devices"); !strings.Contains(got, "AT Translated Set 2 keyboard") || !strings.Contains(got, "Mouse") {
				t.Errorf("its keyboard and mouse are %q", got)
			}
			b.tell("type", "root\n")
			b.shell("while ! pgrep -t tty1 -x login; do sleep 1; done; sleep 2") // it throws away what is typed before it asks
			b.tell("type", "secret\n")
			b.shell("while ! pgrep -t tty1 bash; do sleep 1; done")
			b.tell("type", "echo typed on the screen > /root/typed; sync\n")
			b.shell("while ! test -s /root/typed; do sleep 1; done")
			b.send("poweroff\n")
			b.wantStatus(exitOK)
			again := startBoot(t, "--disk", fmt.Sprintf("%s,if=%s,overlay=%s", disk, interface_, overlay), "--memory", "512M")
			again.login()
			if got := again.shell("cat /root/typed; systemctl is-system-running"); got != "typed on the screen\nrunning\n" {
				t.Errorf("after another boot: %q", got)
			}
			again.send("poweroff\n")
			again.wantStatus(exitOK)
		})
	}
}

func (b *bootRun) login() {
	b.t.Helper()
	b.expect("login: ")
	b.send("root\n")
	b.expect("Password: ")
	b.send("secret\n")
	b.expect(prompt)
	b.send("bind 'set enable-bracketed-paste off'\n")
	b.expect(prompt)
}

// TestDebiansInstallerShowsItself starts the installer, in text and with X, and
// goes down and up its first page.
func TestDebiansInstallerShowsItself(t *testing.T) {
	if !*wholeSystems {
		t.Skip("boots Debian's installer, for minutes; -systems does so")
	}
	const images = "/usr/lib/debian-installer/images/12/i386/"
	for _, flavour := range []string{"text", "gtk"} {
		t.Run(flavour, func(t *testing.T) {
			files := images + flavour + "/debian-installer/i386/"
			need(t, "debian-installer-12-netboot-i386", files+"linux")
			b := startBoot(t, "--kernel", files+"linux", "--initrd", files+"initrd.gz", "--memory", "1G",
				"--append", "vga=788 quiet")
			b.obeys(1024, 768)
			b.tell("ctl", "quit")
			b.wantStatus(exitOK)
		})
	}
}

// obeys waits until the down key changes the screen, and the up key has it be what
// it was.
func (b *bootRun) obeys(width, height int) {
	b.t.Helper()
	for deadline := time.Now().Add(5 * bootTime); time.Now().Before(deadline); {
		before := b.settled(width, height)
		b.tell("sendkey", "down")
		down := b.settled(width, height)
		b.tell("sendkey", "up")
		if up := b.settled(width, height); same(before, up) && !same(before, down) {
			return
		}
	}
	b.t.Error("the arrow keys do not move anything on the screen")
}

// settled waits for a picture of a size that stays as it is for seconds.
func (b *bootRun) settled(width, height int) image.Image {
	b.t.Helper()
	last := b.draw(width, height)
	for deadline := time.Now().Add(5 * bootTime); time.Now().Before(deadline); {
		time.Sleep(5 * time.Second)
		next := b.draw(width, height)
		if same(last, next) {
			return next
		}
		last = next
	}
	b.t.Fatal("the screen does not come to rest")
	return nil
}

func same(a, b image.Image) bool {
	return a.Bounds() == b.Bounds() && fmt.Sprint(a) == fmt.Sprint(b)
}
