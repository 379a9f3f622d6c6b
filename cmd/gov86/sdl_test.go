//go:build sdl && cgo

package main

import (
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheScreenInAWindow shows firmware's menu in a window of an X server, types to
// it by way of that server and compares what it shows with the machine's own.
func TestTheScreenInAWindow(t *testing.T) {
	for _, tool := range []string{"Xvfb", "xdotool", "import"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here; on Debian: apt-get install xvfb xdotool imagemagick", tool)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24")
	server.ExtraFiles = []*os.File{w}
	if err := server.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	number := make([]byte, 8)
	n, err := r.Read(number)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "control")
	environment := append(os.Environ(), "DISPLAY=:"+strings.TrimSpace(string(number[:n])), asCommand+"=1")
	call := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Env = environment
		out, err := c.Output()
		if err != nil {
			t.Logf("%s %v: %v", name, args, err)
		}
		return string(out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	guest := exec.Command(self, "run", "--bios", "seabios", "--boot", "menu=on,splash-time=60000", "--memory", "64M",
		"--display", "sdl", "--control", "unix:"+socket)
	guest.Env, guest.Dir = environment, dir
	if err := guest.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { guest.Process.Kill() })
	text := func() string { return call(self, "screenshot", "--control", "unix:"+socket, "--text") }
	await := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(bootTime); !strings.Contains(text(), want); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q has not come; the screen is\n%s", want, text())
			}
		}
	}
	await("Press ESC for boot menu.")
	window, _, _ := strings.Cut(call("xdotool", "search", "--sync", "--name", "^gov86"), "\n")
	call("xdotool", "windowfocus", "--sync", window)
	call("xdotool", "key", "Escape")
	await("Select boot device:")
	own, seen := filepath.Join(dir, "own.png"), filepath.Join(dir, "seen.png")
	for deadline := time.Now().Add(bootTime); ; time.Sleep(100 * time.Millisecond) { // the cursor blinks
		call(self, "screenshot", "--control", "unix:"+socket, own)
		call("import", "-window", window, seen)
		if samePicture(t, own, seen) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the window does not show the screen")
		}
	}
	call("xdotool", "mousemove", "--window", window, "100", "100", "click", "1") // the window has the mouse now
	call("xdotool", "keydown", "ctrl", "keydown", "alt", "key", "s", "keyup", "alt", "keyup", "ctrl")
	for deadline := time.Now().Add(bootTime); ; time.Sleep(100 * time.Millisecond) {
		if saved, _ := filepath.Glob(filepath.Join(dir, "gov86-*.png")); len(saved) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Ctrl-Alt-S saves no picture")
		}
	}
	call(self, "ctl", "--control", "unix:"+socket, "quit")
	if err := guest.Wait(); err != nil {
		t.Error(err)
	}
}

func samePicture(t *testing.T, a, b string) bool {
	t.Helper()
	read := func(name string) image.Image {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p, q := read(a), read(b)
	if p.Bounds() != q.Bounds() {
		return false
	}
	for y := range p.Bounds().Dy() {
		for x := range p.Bounds().Dx() {
			r, g, bl, _ := p.At(x, y).RGBA()
			if r2, g2, b2, _ := q.At(x, y).RGBA(); r != r2 || g != g2 || bl != b2 {
				return false
			}
		}
	}
	return true
}
