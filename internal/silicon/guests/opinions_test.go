package guests

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// opinions are the checks in which other emulators differ from the manual, one
// a line: the emulator, the guest, the check, what the emulator does, what the
// manual says and in which section, between tabs. A line for a guest that does
// not come to its end has theEnd for its check.
//
//go:embed opinions.tsv
var opinions string

const theEnd = "(the end)"

// An emulator is another program that runs guests.
type emulator struct {
	name string
	// version is what it says of itself when asked with the flag ask. The
	// table is of this version.
	ask, version string
	// files are what else has to be there.
	files []string
	// command makes the command that runs a guest, in a directory of its own.
	// What the guest writes to COM1 goes to the file "serial" there.
	command func(ctx context.Context, dir string, image []byte) (*exec.Cmd, error)
}

var emulators = []emulator{
	{"qemu-system-i386", "--version", "version 7.2.", nil, qemu},
	{"bochs", "--help", "Bochs x86 Emulator 2.7", []string{bochsBIOS, bochsVGABIOS}, bochs},
}

// The firmware of Bochs, where Debian has it (packages bochsbios and vgabios).
const (
	bochsBIOS    = "/usr/share/bochs/BIOS-bochs-legacy"
	bochsVGABIOS = "/usr/share/bochs/VGABIOS-lgpl-latest"
)

// qemu boots a guest as a kernel.
func qemu(ctx context.Context, dir string, image []byte) (*exec.Cmd, error) {
	if err := os.WriteFile(filepath.Join(dir, "kernel"), image, 0o600); err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, "qemu-system-i386", "-accel", "tcg", "-cpu", "max", "-m", "32",
		"-display", "none", "-monitor", "none", "-serial", "file:serial", "-net", "none", "-no-reboot",
		"-device", "isa-debug-exit,iobase=0xf4", "-kernel", "kernel"), nil
}

// bochsrc has a display that needs no screen: RFB, which is told not to wait for
// a viewer.
const bochsrc = `megs: 32
cpu: model=broadwell_ult, count=1, ips=50000000, reset_on_triple_fault=0
romimage: file=` + bochsBIOS + `
vgaromimage: file=` + bochsVGABIOS + `
floppya: 1_44=disk, status=inserted
boot: floppy
com1: enabled=1, mode=file, dev=serial
display_library: rfb, options="timeout=0"
sound: driver=dummy
log: log
panic: action=fatal
clock: sync=none
`

// bochs boots a guest from a floppy disk. A Bochs with a debugger waits for the
// command to go on.
func bochs(ctx context.Context, dir string, image []byte) (*exec.Cmd, error) {
	boot, err := guest("boot")
	if err != nil {
		return nil, err
	}
	disk := make([]byte, 1440<<10)
	copy(disk[copy(disk, boot):], image)
	for name, data := range map[string][]byte{"disk": disk, "bochsrc": []byte(bochsrc), "go": []byte("c\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	return exec.CommandContext(ctx, "bochs", "-q", "-f", "bochsrc", "-rc", "go"), nil
}

// ended reports whether a guest has said its last line.
func ended(out []byte) bool {
	if !bytes.HasSuffix(out, []byte("\n")) {
		return false
	}
	l := last(string(out))
	return strings.HasPrefix(l, "PASS ") || strings.HasPrefix(l, "FAIL ")
}

// opinion runs a guest and returns what it wrote. A guest that writes nothing
// for as long as patience is given up.
func (e *emulator) opinion(t *testing.T, image []byte, patience time.Duration) []byte {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := t.TempDir()
	cmd, err := e.command(ctx, dir, image)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		// It exits as the guest makes it, or as it is killed.
		_ = cmd.Wait()
		close(exited)
	}()
	var out []byte
	for written := time.Now(); ; {
		select {
		case <-exited:
		case <-time.After(20 * time.Millisecond):
		}
		now, err := os.ReadFile(filepath.Join(dir, "serial"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if len(now) > len(out) {
			out, written = now, time.Now()
		}
		gone := false
		select {
		case <-exited:
			gone = true
		default:
		}
		if gone || ended(out) || time.Since(written) > patience {
			cancel()
			<-exited
			return out
		}
	}
}

var failure = regexp.MustCompile(`^(.*?)(?:\[[0-9a-f]{8}\])?( [a-z0-9' ]*: got [0-9a-f]{8} want [0-9a-f]{8})$`)

// failed are the checks a guest's report says have failed, each once: of a
// matrix, not which rounds.
func failed(out []byte) []string {
	var checks []string
	for line := range strings.Lines(string(out)) {
		m := failure.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		what, _, _ := strings.Cut(m[2], ": got ")
		if check := m[1] + what; !slices.Contains(checks, check) {
			checks = append(checks, check)
		}
	}
	if !ended(out) {
		checks = append(checks, theEnd)
	}
	return checks
}

// listed are the checks the table lists for an emulator and a guest.
func listed(t *testing.T, emulator, guest string) []string {
	t.Helper()
	var checks []string
	for line := range strings.Lines(opinions) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 || slices.Contains(f, "") {
			t.Fatalf("line %q of the table", line)
		}
		if f[0] == emulator && f[1] == guest {
			checks = append(checks, f[2])
		}
	}
	return checks
}

// compare holds what an emulator failed of a guest to the table.
func compare(t *testing.T, emulator, guest string, out []byte) {
	t.Helper()
	want, got := listed(t, emulator, guest), failed(out)
	t.Logf("%d disagreements; %s", len(want), last(string(out)))
	for _, check := range got {
		if !slices.Contains(want, check) {
			t.Errorf("%q fails, and the table does not say so", check)
		}
	}
	for _, check := range want {
		if !slices.Contains(got, check) {
			t.Errorf("%q passes, and the table says it fails", check)
		}
	}
	if t.Failed() {
		t.Logf("it reports:\n%s", out)
	}
}

// available is why e cannot be asked, or nothing.
func (e *emulator) available() string {
	// Bochs exits with a status of its own when it has helped.
	said, err := exec.Command(e.name, e.ask).CombinedOutput()
	if len(said) == 0 && err != nil {
		return fmt.Sprintf("%s does not run: %v", e.name, err)
	}
	for _, file := range e.files {
		if _, err := os.Stat(file); err != nil {
			return fmt.Sprintf("%s lacks its firmware: %v", e.name, err)
		}
	}
	if !bytes.Contains(said, []byte(e.version)) {
		return fmt.Sprintf("the table is of %s %q, which this one is not", e.name, e.version)
	}
	return ""
}

// TestOpinions holds other emulators to the table: a check that fails and is not
// in it, or the other way about, says that a guest has changed its mind.
func TestOpinions(t *testing.T) {
	for _, e := range emulators {
		t.Run(e.name, func(t *testing.T) {
			if why := e.available(); why != "" {
				t.Skip(why)
			}
			for _, name := range names {
				t.Run(name, func(t *testing.T) {
					image, err := guest(name)
					if err != nil {
						t.Fatal(err)
					}
					patience := 30 * time.Second
					if slices.Contains(listed(t, e.name, name), theEnd) {
						patience = 5 * time.Second
					}
					compare(t, e.name, name, e.opinion(t, image, patience))
				})
			}
		})
	}
}
