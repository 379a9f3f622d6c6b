package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gov86/gov86/guest"
)

// bochsModules are Debian's driver for the card and what it needs, in the order
// in which they are loaded.
var bochsModules = []string{
	"fb_sys_fops", "sysimgblt", "sysfillrect", "syscopyarea", "drm", "drm_kms_helper", "ttm", "drm_ttm_helper",
	"drm_vram_helper", "bochs",
}

// newc appends a file to an archive of cpio's format newc.
func newc(archive *bytes.Buffer, name string, mode int, content []byte) {
	pad := func() {
		for archive.Len()%4 != 0 {
			archive.WriteByte(0)
		}
	}
	fmt.Fprintf(archive, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name)+1, 0, name)
	pad()
	archive.Write(content)
	pad()
}

// moduleArchive puts the modules of Debian's driver for the card into /modules.
func moduleArchive(root, _ string) ([]byte, error) { return archiveOf(root, bochsModules) }

// archiveOf puts modules of the kernel unpacked at root into /modules.
func archiveOf(root string, modules []string) ([]byte, error) {
	var archive bytes.Buffer
	newc(&archive, "modules", 0o40755, nil)
	err := filepath.WalkDir(filepath.Join(root, "lib", "modules"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, m := range modules {
			if filepath.Base(path) != m+".ko" {
				continue
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			newc(&archive, "modules/"+m+".ko", 0o100644, content)
		}
		return nil
	})
	newc(&archive, "TRAILER!!!", 0, nil)
	return archive.Bytes(), err
}

// screenshot reads a picture and checks its size.
func screenshot(t *testing.T, name string, width, height int) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if size := p.Bounds().Size(); size != image.Pt(width, height) {
		t.Fatalf("a picture of %v, want %d x %d", size, width, height)
	}
	return p
}

// lit is how many pixels of an area are not black.
func lit(p image.Image, area image.Rectangle) (n int) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if r, g, b, _ := p.At(x, y).RGBA(); r|g|b != 0 {
				n++
			}
		}
	}
	return n
}

// TestDebianOnTheScreen boots Debian's kernel with its console on the screen:
// VGA text, and once its driver is loaded the frame buffer. A line of X, which
// has as many dots as that many X, is where it was written.
func TestDebianOnTheScreen(t *testing.T) {
	initramfs, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := os.ReadFile(debianFile(t, "linux-image-686", ".bochs.cpio", moduleArchive))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	initrd := filepath.Join(dir, "initramfs.cpio")
	for len(initramfs)%4 != 0 {
		initramfs = append(initramfs, 0)
	}
	if err := os.WriteFile(initrd, append(initramfs, modules...), 0o644); err != nil {
		t.Fatal(err)
	}
	// The cursor goes home, the screen is cleared, and the cursor is hidden.
	const draw = "printf '\\033[H\\033[J\\033[?25l\\n\\n%s\\n' XXXXXXXXXXXXXXXXXXXX > /dev/tty0"
	for _, c := range []struct {
		name          string
		load          bool
		width, height int
		line, char    int // sizes of a character
	}{
		{"vgacon", false, 720, 400, 16, 9},
		{"bochs-drm", true, 1024, 768, 16, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			shot := filepath.Join(dir, c.name+".png")
			g := startRun(t, "--kernel", debianKernel(t, "linux-image-686"), "--initrd", initrd, "--no-apic", "--memory", "256M",
				"--append", "console=tty0 console=ttyS0 quiet", "--screenshot-on-exit", shot)
			g.expect(prompt)
			if c.load {
				g.shell("dmesg -n 1")
				for _, m := range bochsModules {
					g.shell("insmod /modules/" + m + ".ko")
				}
				if got := g.shell("cat /proc/fb"); !strings.Contains(got, "bochs") {
					t.Fatalf("the frame buffers are %q", got)
				}
			}
			g.shell(draw)
			g.send("poweroff -f\n")
			g.wantStatus(exitOK)
			p := screenshot(t, shot, c.width, c.height)
			top := image.Rect(0, 0, c.width, 3*c.line) // below, the kernel may say that it powers down
			row := image.Rect(0, 2*c.line, 20*c.char, 3*c.line)
			first := lit(p, image.Rect(0, 2*c.line, c.char, 3*c.line))
			if all := lit(p, row); first == 0 || all != 20*first || all != lit(p, top) {
				t.Errorf("%d dots are lit in the first character, %d in its line and %d with those above it",
					first, all, lit(p, top))
			}
		})
	}
}
