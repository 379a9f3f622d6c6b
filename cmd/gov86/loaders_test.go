package main

import (
	"flag"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/guest"
)

// A bootRun is a guest at whose screen and keyboard one sits.
type bootRun struct {
	*guestRun
	socket string
}

// startBoot starts gov86 run with args, and with a socket to drive it.
func startBoot(t *testing.T, args ...string) *bootRun {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "control")
	return &bootRun{startRun(t, append(args, "--control", "unix:"+socket, "--timeout", "10m")...), socket}
}

// show waits until the text of the screen contains want, and returns it.
func (b *bootRun) show(want string) string {
	b.t.Helper()
	for deadline := time.Now().Add(bootTime); ; time.Sleep(50 * time.Millisecond) {
		text := b.tell("screenshot", "--text")
		if strings.Contains(text, want) {
			return text
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%q has not come to the screen in %v:\n%s\nthe console:\n%s", want, bootTime, text, b.text())
		}
	}
}

// draw waits for a picture of a size with pixels of more than one colour.
func (b *bootRun) draw(width, height int) image.Image {
	b.t.Helper()
	for deadline := time.Now().Add(bootTime); ; time.Sleep(50 * time.Millisecond) {
		p, err := png.Decode(strings.NewReader(b.tell("screenshot")))
		if err != nil {
			b.t.Fatal(err)
		}
		if p.Bounds().Size() == image.Pt(width, height) && lit(p, p.Bounds()) > width*height/2 {
			return p
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("no picture of %d x %d has come in %v, but one of %v", width, height, bootTime, p.Bounds())
		}
	}
}

// tell runs a command that drives the machine, once that listens.
func (b *bootRun) tell(args ...string) string {
	b.t.Helper()
	for deadline := time.Now().Add(bootTime); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(b.socket); err == nil {
			break
		}
	}
	return b.gov86(b.socket, args...)
}

// wholeSystems has what takes minutes run too.
var wholeSystems = flag.Bool("systems", false, "install and boot whole systems of Debian, for minutes")

// need skips a test where a program or file is missing.
func need(t *testing.T, pkg string, names ...string) {
	t.Helper()
	for _, name := range names {
		var err error
		if filepath.IsAbs(name) {
			_, err = os.Stat(name)
		} else {
			_, err = exec.LookPath(name)
		}
		if err != nil {
			t.Skipf("there is no %s here; on Debian: apt-get install %s", name, pkg)
		}
	}
}

// command runs a program of the host.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// linuxTree is a directory with Debian's kernel, the embedded guest's initramfs
// and another file.
func linuxTree(t *testing.T, name, content string) string {
	t.Helper()
	dir := t.TempDir()
	kernel, err := os.ReadFile(debianKernel(t, "linux-image-686"))
	if err != nil {
		t.Fatal(err)
	}
	initramfs, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"linux": kernel, "initrd": initramfs, name: []byte(content)} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// finish takes a guest that a loader has started to its end.
func (b *bootRun) finish() {
	b.t.Helper()
	b.expect("gov86 guest ready")
	b.expect(prompt)
	b.send("poweroff\n")
	b.wantStatus(exitOK)
}

const grubMenu = `set timeout=-1
menuentry "First" { echo this is not it }
menuentry "Second" { linux /linux console=ttyS0 quiet ; initrd /initrd }
`

// TestGRUBBootsLinux takes the second entry of its menu, from a disc and from
// disks: the image is both.
func TestGRUBBootsLinux(t *testing.T) {
	need(t, "grub-common grub-pc-bin xorriso mtools", "grub-mkrescue", "xorriso", "/usr/lib/grub/i386-pc/cdboot.img")
	tree := linuxTree(t, "boot/grub/grub.cfg", grubMenu)
	iso := filepath.Join(t.TempDir(), "grub.iso")
	command(t, "grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", iso, tree)
	for name, flags := range map[string][]string{
		"CD-ROM": {"--cdrom", iso, "--boot", "order=d"},
		"IDE":    {"--disk", iso + ",snapshot"},
		"virtio": {"--disk", iso + ",snapshot,if=virtio"},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBoot(t, append(flags, "--memory", "64M")...)
			b.show("GNU GRUB  version")
			b.tell("sendkey", "down")
			b.show("*Second")
			b.tell("sendkey", "ret")
			b.finish()
		})
	}
}

const isolinuxMenu = `ui vesamenu.c32
prompt 0
timeout 0
label first
  menu label The text menu
  kernel menu.c32
label second
  menu label The guest
  kernel /linux
  append initrd=/initrd console=ttyS0 quiet
`

// TestISOLINUXBootsLinux goes through a menu of pixels to one of text, and boots
// from there.
func TestISOLINUXBootsLinux(t *testing.T) {
	const modules = "/usr/lib/syslinux/modules/bios"
	need(t, "isolinux syslinux-common xorriso", "xorriso", "/usr/lib/ISOLINUX/isolinux.bin", modules+"/vesamenu.c32")
	tree := linuxTree(t, "isolinux.cfg", isolinuxMenu)
	command(t, "cp", "/usr/lib/ISOLINUX/isolinux.bin", modules+"/ldlinux.c32", modules+"/libcom32.c32", modules+"/libutil.c32",
		modules+"/vesamenu.c32", modules+"/menu.c32", tree)
	iso := filepath.Join(t.TempDir(), "isolinux.iso")
	command(t, "xorriso", "-as", "mkisofs", "-quiet", "-o", iso, "-b", "isolinux.bin", "-c", "boot.cat",
		"-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", tree)
	b := startBoot(t, "--cdrom", iso, "--boot", "order=d", "--memory", "64M")
	b.draw(640, 480)
	b.tell("sendkey", "ret")
	b.show("The guest")
	b.tell("sendkey", "down", "ret")
	b.finish()
}

// TestMemtestTestsTheMemory runs its first tests.
func TestMemtestTestsTheMemory(t *testing.T) {
	const iso = "/usr/lib/memtest86+/memtest86+ia32.iso"
	need(t, "memtest86+", iso)
	b := startBoot(t, "--cdrom", iso, "--boot", "order=d", "--memory", "16M")
	b.show("<Enter> to start testing")
	b.tell("sendkey", "ret")
	if text := b.show("Test #10"); !strings.Contains(text, "Errors: 0") {
		t.Errorf("it has found errors:\n%s", text)
	}
	b.tell("ctl", "quit")
	b.wantStatus(exitOK)
}
