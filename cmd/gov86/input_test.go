package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/guest"
)

// TestKeyboardAndMouseReachLinux types and moves the mouse by way of the control
// socket, and has Debian's drivers of the PS/2 devices tell what came.
func TestKeyboardAndMouseReachLinux(t *testing.T) {
	kernel := debianKernel(t, "linux-image-686")
	modules, err := os.ReadFile(debianFile(t, "linux-image-686", ".psmouse.cpio", func(root, _ string) ([]byte, error) {
		return archiveOf(root, []string{"psmouse", "mousedev"})
	}))
	if err != nil {
		t.Fatal(err)
	}
	initramfs, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	for len(initramfs)%4 != 0 {
		initramfs = append(initramfs, 0)
	}
	dir := t.TempDir()
	initrd, socket := filepath.Join(dir, "initrd"), filepath.Join(dir, "control")
	if err := os.WriteFile(initrd, append(initramfs, modules...), 0o644); err != nil {
		t.Fatal(err)
	}
	g := startRun(t, "--kernel", kernel, "--initrd", initrd, "--no-apic", "--append", "console=tty0 console=ttyS0 quiet",
		"--control", "unix:"+socket)
	g.expect(prompt)
	g.shell("insmod /modules/psmouse.ko; insmod /modules/mousedev.ko")
	const mouse = "ImExPS/2 Generic Explorer Mouse"
	for deadline := time.Now().Add(bootTime); !strings.Contains(g.shell("cat /proc/bus/input/devices"), mouse); {
		if time.Now().After(deadline) {
			t.Fatalf("Linux has found no %s", mouse)
		}
	}
	g.shell("(setsid sh </dev/tty1 >/dev/tty1 2>&1 &)")
	g.gov86(socket, "type", `echo "Typed |^_ {~$((6*7))}"\n`)
	const want = "Typed |^_ {~42}"
	for deadline := time.Now().Add(bootTime); !strings.Contains(g.gov86(socket, "screenshot", "--text"), want); {
		if time.Now().After(deadline) {
			t.Fatalf("%q has not come; the screen is\n%s", want, g.gov86(socket, "screenshot", "--text"))
		}
		time.Sleep(50 * time.Millisecond)
	}
	g.shell("hexdump -n 3 -e '3/1 \"%02x \"' /dev/input/mice > /tmp/mouse & sleep 1")
	g.gov86(socket, "mouse", "move", "5", "7")
	var got string
	for deadline := time.Now().Add(bootTime); got == "" && time.Now().Before(deadline); {
		got = g.shell("cat /tmp/mouse")
	}
	if !strings.HasPrefix(got, "28 05 f9") { // Y is negative: down
		t.Errorf("/dev/input/mice says %q, want 28 05 f9", got)
	}
	g.gov86(socket, "ctl", "quit")
	g.wantStatus(exitOK)
}
