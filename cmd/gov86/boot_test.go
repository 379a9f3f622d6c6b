package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestBootEmbeddedGuestWithoutArguments(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("greeting", []byte("hello from the host\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	g := startRun(t)
	g.expect(prompt)
	if got, want := g.shell("id -u"), "0\n"; got != want {
		t.Errorf("id -u printed %q, want %q", got, want)
	}
	if got, want := g.shell("cat /mnt/host/greeting"), "hello from the host\n"; got != want {
		t.Errorf("the file of the host reads %q in the guest, want %q", got, want)
	}
	if got := g.shell("echo x > /mnt/host/made"); !strings.Contains(got, "Read-only file system") {
		t.Errorf("writing to the current directory printed %q, want a refusal", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "made")); err == nil {
		t.Error("the guest wrote to the current directory, which is shared read-only")
	}
	g.send("poweroff\n")
	g.wantStatus(exitOK)
}

// TestBootProcessorModels: the guest sees the features of the model, and runs on
// every model that guest.Models lists.
func TestBootProcessorModels(t *testing.T) {
	for model, want := range map[string]struct{ flags, lacks []string }{
		"pentium2": {[]string{"mmx", "fxsr", "cmov"}, []string{"sse", "nx"}},
		"pentium4": {[]string{"sse2", "clflush", "pge"}, []string{"pni", "nx", "smap"}},
		"max": {[]string{"nx", "pni", "ssse3", "sse4_1", "sse4_2", "movbe", "popcnt", "smep", "smap", "mtrr", "pat",
			"constant_tsc", "nonstop_tsc", "hypervisor"}, []string{"lm", "avx", "monitor", "tsc_adjust"}},
	} {
		t.Run(model, func(t *testing.T) {
			g := startRun(t, "--cpu", model)
			g.expect(prompt)
			flags := strings.Fields(g.shell("grep ^flags /proc/cpuinfo"))
			for _, f := range want.flags {
				if !slices.Contains(flags, f) {
					t.Errorf("no %s among the flags %v", f, flags)
				}
			}
			for _, f := range want.lacks {
				if slices.Contains(flags, f) {
					t.Errorf("%s is among the flags %v", f, flags)
				}
			}
			if got := g.shell("dmesg | grep -c 'unchecked MSR'"); got != "0\n" {
				t.Errorf("%s MSRs that the kernel wants are not there", strings.TrimSpace(got))
			}
			if got := g.shell("seq 20000 | sort -r | sort -n | tail -n 1"); got != "20000\n" {
				t.Errorf("a pipeline printed %q", got)
			}
			g.send("poweroff\n")
			g.wantStatus(exitOK)
		})
	}
}

func TestBootRebootStartsTheGuestAgain(t *testing.T) {
	g := startRun(t)
	g.expect(prompt)
	g.shell("echo made > /tmp/made")
	g.send("reboot\n")
	g.expect("Restarting system")
	g.expect(prompt)
	if got := g.shell("ls /tmp"); got != "" {
		t.Errorf("/tmp holds %q from before the reboot", got)
	}
	g.send("poweroff -f\n")
	g.wantStatus(exitOK)
}

func TestBootUntilEndsWhenTheTextAppears(t *testing.T) {
	g := startRun(t, "--append", "loglevel=7", "--until", "Run /init")
	g.wantStatus(exitOK)
}

func TestBootTimeoutEndsAGuestThatStillRuns(t *testing.T) {
	g := startRun(t, "--timeout", "1s")
	g.wantStatus(exitTimeout)
	if !strings.Contains(g.stderr.String(), "--timeout") {
		t.Errorf("standard error %q does not name the flag", g.stderr.String())
	}
}

func TestBootKernelPanicIsReported(t *testing.T) {
	g := startRun(t)
	g.expect(prompt)
	g.send("echo c > /proc/sysrq-trigger\n")
	g.wantStatus(exitPanic)
	if !strings.Contains(g.stderr.String(), "kernel panic") || strings.Count(g.stderr.String(), "\n") != 1 {
		t.Errorf("standard error %q, want one line that names the panic", g.stderr.String())
	}
}

// tripleFault is a Multiboot image that loads an empty interrupt descriptor
// table and raises an interrupt (Multiboot Specification, "Header Layout").
func tripleFault() []byte {
	const (
		magic = 0x1badb002
		flags = 1 << 16 // the header has addresses
		load  = 0x100000
		entry = load + 48
	)
	const checksum = 1<<32 - magic - flags
	var image []byte
	for _, field := range []uint32{magic, flags, checksum, load, load, 0, 0, entry} {
		image = binary.LittleEndian.AppendUint32(image, field)
	}
	image = append(image, make([]byte, entry-load-len(image))...)
	return append(image,
		0x0f, 0x01, 0x1d, 0x20, 0x00, 0x10, 0x00, // lidt [100020h]: zeros, so the limit is 0
		0xcc, // int3
	)
}

func TestBootTripleFaultDumpsTheProcessor(t *testing.T) {
	kernel := filepath.Join(t.TempDir(), "triple")
	if err := os.WriteFile(kernel, tripleFault(), 0o666); err != nil {
		t.Fatal(err)
	}
	g := startRun(t, "--kernel", kernel)
	g.wantStatus(exitTripleFault)
	for _, want := range []string{"EIP", "EAX", "CR0", "triple fault"} {
		if !strings.Contains(strings.ToLower(g.stderr.String()), strings.ToLower(want)) {
			t.Errorf("the dump does not mention %s:\n%s", want, g.stderr.String())
		}
	}
}

func TestBootSharedDirectoryRoundTripByHash(t *testing.T) {
	dir := t.TempDir()
	content := make([]byte, 3<<20+123)
	rand.NewChaCha8([32]byte{8, 6}).Read(content)
	if err := os.WriteFile(filepath.Join(dir, "in"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	want := hex.EncodeToString(sum[:])

	g := startRun(t, "--fs", "work="+dir)
	g.expect(prompt)
	if got := g.shell("sha256sum /mnt/work/in"); !strings.HasPrefix(got, want) {
		t.Errorf("the guest reads the hash %q, want %s", got, want)
	}
	g.shell("mkdir /mnt/work/sub && cp /mnt/work/in /mnt/work/sub/out && sync")
	out, err := os.ReadFile(filepath.Join(dir, "sub", "out"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, content) {
		t.Errorf("the host reads %d bytes back that differ from the %d written", len(out), len(content))
	}
	g.send("poweroff\n")
	g.wantStatus(exitOK)
}

func TestBootSharedDirectoryThatVanishesIsAnErrorInTheGuest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shared")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	g := startRun(t, "--fs", dir)
	g.expect(prompt)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if got := g.shell("echo x > /mnt/host/made || echo refused"); !strings.Contains(got, "refused") {
		t.Errorf("creating a file in a directory that is gone printed %q, want an error", got)
	}
	g.send("poweroff\n")
	g.wantStatus(exitOK)
}

// TestBootInputTypedAheadIsNotLost pipes a script into gov86 before its guest
// has even started, far longer than any FIFO.
func TestBootInputTypedAheadIsNotLost(t *testing.T) {
	const lines = 300
	g := startRun(t)
	for i := range lines {
		g.send(fmt.Sprintf(": line %d of a script that was written ahead\nn=$((n+1))\n", i))
	}
	g.send("echo total $n\n")
	g.expect(fmt.Sprintf("total %d\r\n", lines))
	g.send("poweroff\n")
	g.wantStatus(exitOK)
}

// readmeExample is the README's script for CI.
func readmeExample(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(readme)
	if m == nil {
		t.Fatal("the README has no example for CI")
	}
	return string(m[1])
}

// TestBootReadmeExample runs the README's example as it is printed, with a
// test.sh that passes and with one that fails.
func TestBootReadmeExample(t *testing.T) {
	script := readmeExample(t)
	for _, c := range []struct {
		test   string
		status int
	}{
		{"exit 0", exitOK},
		{"exit 3", exitUnseen},
	} {
		t.Run(c.test, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "test.sh"), []byte(c.test+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			sh := exec.Command("sh", "-c", script)
			sh.Dir = dir
			sh.Env = append(os.Environ(), "PATH="+commandDir(t)+":"+os.Getenv("PATH"))
			out, err := sh.CombinedOutput()
			if got := sh.ProcessState.ExitCode(); got != c.status {
				t.Errorf("status %d, %v, want %d:\n%s", got, err, c.status, out)
			}
		})
	}
}

// commandDir is a directory with a gov86 in it, which is this test binary.
func commandDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	wrapper := fmt.Sprintf("#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asCommand, self)
	if err := os.WriteFile(filepath.Join(dir, "gov86"), []byte(wrapper), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBadKernels: a kernel that can't be booted is one line, like every other
// failure of gov86's own.
func TestBadKernels(t *testing.T) {
	t.Chdir(t.TempDir())
	elf64 := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)
	binary.LittleEndian.PutUint16(elf64[16:], 2)    // executable
	binary.LittleEndian.PutUint16(elf64[18:], 0x3e) // x86-64
	setup := make([]byte, 64<<10)
	setup[0x1f1] = 4                                    // sectors of setup code
	binary.LittleEndian.PutUint32(setup[0x1f4:], 1<<20) // paragraphs of kernel: more than there are
	binary.LittleEndian.PutUint16(setup[0x1fe:], 0xaa55)
	copy(setup[0x200:], "\xeb\x66HdrS\x0f\x02") // protocol 2.15
	for name, text := range map[string][]byte{
		"empty": nil, "text": []byte(strings.Repeat("not a kernel\n", 1000)),
		"elf64": elf64, "truncated": setup, "triple": tripleFault(), "big": make([]byte, 64<<20),
	} {
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, args, says string }{
		{"missing", "--kernel nowhere", "gov86: nowhere: "},
		{"a directory", "--kernel .", "gov86: .: "},
		{"empty", "--kernel empty", "gov86: empty: "},
		{"not a kernel", "--kernel text", "gov86: text: "},
		{"64-bit only", "--kernel elf64", "gov86: elf64: "},
		{"truncated", "--kernel truncated", "gov86: truncated: "},
		{"an initrd that is missing", "--kernel triple --initrd nowhere", "gov86: nowhere: "},
		{"an initrd larger than memory", "--kernel triple --initrd big --memory 16M", "gov86: big: "},
		{"a command line too long", "--append " + strings.Repeat("x", 10_000), "gov86: --append: "},
		{"memory too small", "--memory 64K", "gov86: --memory: "},
		{"memory too large", "--memory 64G", "gov86: --memory: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append([]string{"run"}, strings.Fields(c.args)...)
			status := run(args, strings.NewReader(""), &stdout, &stderr)
			checkOneLine(t, status, stdout.String(), stderr.String(), c.says)
		})
	}
}
