package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gov86/gov86/disk"
)

func TestQEMUsNamesAreRespelled(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"run -kernel k -initrd i -append a", "run --kernel=k --initrd=i --append=a"},
		{"run -m 256", "run --memory=256M"},
		{"run -m size=64", "run --memory=64M"},
		{"run -m 1G", "run --memory=1G"},
		{"run -nographic", "run --headless"},
		{"run -hda a -hdb b -cdrom c -fda d -fdb e", "run --disk=a --disk=b --cdrom=c --fda=d --fdb=e"},
		{"run -s -S", "run --gdb=:1234 --freeze"},
		{"run -gdb tcp::1 -gdb unix:p", "run --gdb=:1 --gdb=unix:p"},
		{"run --gdb -s", "run --gdb -s"},
		{"run -cpu pentium2", "run --cpu=pentium2"},
		{"run -device isa-debug-exit", "run --debug-exit=qemu,0x501"},
		{"run -device isa-debug-exit,iobase=0xf4,iosize=0x04", "run --debug-exit=qemu,0xf4"},
		{"run --append -kernel", "run --append -kernel"},
		{"run --append=-m -m 1", "run --append=-m --memory=1M"},
		{"run --headless -m 1", "run --headless --memory=1M"},
		{"run -append -m", "run --append=-m"},
		{"run -h", "run -h"},
		{"run -- -m 1", "run -- -m 1"},
		{"version -m", "version -m"},
	} {
		root := newRoot(new(int))
		got, err := respell(root, strings.Fields(c.args))
		if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%q became %q, %v, want %q", c.args, got, err, c.want)
		}
	}
}

func TestShares(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"d", "a=b", "x,ro"} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		value string
		want  share
	}{
		{"d", share{name: "host", dir: "d"}},
		{"d,ro", share{name: "host", dir: "d", readOnly: true}},
		{"ws=d", share{name: "ws", dir: "d"}},
		{"ws=d,ro", share{name: "ws", dir: "d", readOnly: true}},
		{"./a=b", share{name: "host", dir: "./a=b"}},
		{"ws=a=b,ro", share{name: "ws", dir: "a=b", readOnly: true}},
		{"x,ro,rw", share{name: "host", dir: "x,ro"}},
		{"x,ro,rw,ro", share{name: "host", dir: "x,ro", readOnly: true}},
		{"d,owners=host,ro", share{name: "host", dir: "d", readOnly: true, owners: "host"}},
		{"scratch=mem:", share{name: "scratch", dir: "mem:"}},
	} {
		got, err := parseShares([]string{c.value})
		if err != nil || len(got) != 1 || got[0] != c.want {
			t.Errorf("--fs %s is %+v, %v, want %+v", c.value, got, err, c.want)
		}
	}
}

func TestDrives(t *testing.T) {
	for _, c := range []struct {
		value string
		want  drive
	}{
		{"d", drive{file: "d"}},
		{"d,ro", drive{file: "d", Options: disk.Options{ReadOnly: true}}},
		{"d,snapshot,if=virtio", drive{file: "d", virtio: true, Options: disk.Options{Snapshot: true}}},
		{"a,b,overlay=o,format=raw", drive{file: "a,b", Options: disk.Options{Overlay: "o", Format: "raw"}}},
		{"d,ro,rw", drive{file: "d", Options: disk.Options{ReadOnly: true}}},
		{"d=e", drive{file: "d=e"}},
	} {
		c.want.kind, c.want.value = hardDisk, c.value
		if got, err := parseDrive(hardDisk, c.value); err != nil || got != c.want {
			t.Errorf("--disk %s is %+v, %v, want %+v", c.value, got, err, c.want)
		}
	}
	f := driveFlags{disks: []string{"a", "b", "v,if=virtio", "c"}, cdroms: []string{"x"}}
	if err := f.parse(false); err != nil {
		t.Fatal(err)
	}
	if at, err := f.places(); err != nil || !slices.Equal(at, []int{0, 1, 0, 3, 2}) {
		t.Errorf("the drives are at %v, %v", at, err)
	}
}

func TestMemorySizes(t *testing.T) {
	for _, c := range []struct {
		value string
		want  size
	}{
		{"64K", 64 << 10}, {"256M", 256 << 20}, {"1G", 1 << 30}, {"512m", 512 << 20}, {"2g", 2 << 30},
	} {
		var got size
		if err := got.Set(c.value); err != nil || got != c.want {
			t.Errorf("%s is %d, %v, want %d", c.value, got, err, c.want)
		}
	}
	for _, value := range []string{"", "M", "256", "1.5G", "-1M", "256MB", "1KM", "17179869184G"} {
		if err := new(size).Set(value); err == nil {
			t.Errorf("%q was taken for a size", value)
		}
	}
}

// TestBadInput: each line names the thing and the remedy, and there is
// nothing else.
func TestBadInput(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"empty": "", "text": strings.Repeat("not a kernel\n", 1000), "sector": strings.Repeat(".", 512)} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, args, says string }{
		{"an unknown command", "boot", "gov86: boot: "},
		{"an unknown flag", "run --kernal x", "gov86: --kernal: "},
		{"an unknown shorthand", "run -x", "gov86: -x: "},
		{"an unknown flag of QEMU's", "run -sda disk", "gov86: -sda: "},
		{"an argument", "run bzImage", "gov86: bzImage: "},
		{"a flag without its value", "run --kernel", "gov86: --kernel: "},
		{"a flag of QEMU's without its value", "run -m", "gov86: -m: "},
		{"a device of QEMU's", "run -device e1000,netdev=n", "gov86: -device: there is no device e1000 to add; "},
		{"a property of QEMU's", "run -device isa-debug-exit,id=x", "gov86: -device: isa-debug-exit has no property id; "},
		{"a port of QEMU's that is none", "run -device isa-debug-exit,iobase=x", "gov86: --debug-exit: "},
		{"a memory size without a unit", "run --memory 256", "gov86: --memory: "},
		{"a duration without a unit", "run --timeout 60", "gov86: --timeout: "},
		{"a negative duration", "run --timeout -1s", "gov86: --timeout: "},
		{"an unknown engine", "run --engine fast", "gov86: --engine: there is no engine fast; write one of interp, jit, lockstep"},
		{"lockstep with a directory to write to", "run --engine lockstep --fs .", "gov86: --fs .: both machines of lockstep would write to it; "},
		{"lockstep with a debugger", "run --engine lockstep --gdb :0", "gov86: --gdb: "},
		{"lockstep with a breakpoint", "run --engine lockstep --break 0x100000", "gov86: --break: "},
		{"lockstep with traces", "run --engine lockstep --trace ports", "gov86: --trace: "},
		{"runs of lockstep without it", "run --lockstep-run 100", "gov86: --lockstep-run: "},
		{"runs of no length", "run --engine lockstep --lockstep-run 0", "gov86: --lockstep-run: "},
		{"an unknown processor model", "run --cpu 8086", "gov86: --cpu: there is no processor model 8086; write one of 486, pentium, pentium2, pentium4, max"},
		{"a processor too old for the embedded guest", "run --cpu pentium", "gov86: --cpu: the embedded guest needs an i686, which a pentium is not; "},
		{"firmware and a kernel", "run --bios seabios --kernel text", "gov86: --kernel: a kernel is entered without firmware"},
		{"firmware and an initrd", "run --boot order=c --initrd text", "gov86: --initrd: "},
		{"firmware and a command line", "run --bios seabios --append x", "gov86: --append: "},
		{"firmware that is missing", "run --bios nowhere", "gov86: nowhere: "},
		{"firmware that is none", "run --bios text", "gov86: text: it has 13000 bytes, "},
		{"an option ROM that is none", "run --vgabios text", "gov86: text: it is none; "},
		{"a device to boot that is none", "run --boot order=cz", "gov86: --boot: there is no device \"cz\"; "},
		{"an unknown option of the boot", "run -boot once=c", "gov86: --boot: there is no option \"once=c\"; "},
		{"a time that is none", "run --boot menu=on,splash-time=2s", "gov86: --boot: \"2s\" is no number of milliseconds; "},
		{"a disk that is missing", "run --disk nowhere", "gov86: nowhere: "},
		{"a disk that is empty", "run --disk empty", "gov86: empty: it is empty; "},
		{"a disk that is a directory", "run --disk .,ro", "gov86: .: it is a directory; "},
		{"a disk without a name", "run --disk ,ro", "gov86: --disk ,ro: names no file; "},
		{"a controller of a disk", "run --disk text,if=scsi", "gov86: --disk text,if=scsi: there is no controller scsi; "},
		{"a format of a disk", "run --disk text,format=vdi", "gov86: --disk text,format=vdi: there is no format vdi; "},
		{"an overlay of a disk that is read-only", "run --disk text,ro,overlay=x", "gov86: x: an overlay is for what is written; "},
		{"five disks", "run --disk a --disk b --disk c --disk d --disk e", "gov86: --disk e: IDE has four places, and all are taken; "},
		{"lockstep with a disk to write to", "run --engine lockstep --disk text", "gov86: --disk text: both machines of lockstep would write to it; "},
		{"a floppy disk of no size", "run --fda sector", "gov86: sector: no floppy disk has 512 bytes; "},
		{"an initrd without a kernel", "run --initrd text", "gov86: --initrd: "},
		{"a directory that is missing", "run --fs nowhere", "gov86: nowhere: "},
		{"a directory that is a file", "run --fs text", "gov86: text: "},
		{"no directory", "run --fs ws=", "gov86: --fs ws=: "},
		{"a name given twice", "run --fs . --fs .", "gov86: --fs .: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := run(strings.Fields(c.args), strings.NewReader(""), &stdout, &stderr)
			checkOneLine(t, status, stdout.String(), stderr.String(), c.says)
		})
	}
}

// checkOneLine checks the form of every failure of gov86's own.
func checkOneLine(t *testing.T, status int, stdout, stderr, says string) {
	t.Helper()
	if status != exitFailure {
		t.Errorf("status %d, want %d", status, exitFailure)
	}
	if stdout != "" {
		t.Errorf("standard output %q, want nothing", stdout)
	}
	if !strings.HasPrefix(stderr, says) || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
		t.Errorf("standard error %q, want one line beginning with %q", stderr, says)
	}
	if !strings.Contains(stderr, "; ") {
		t.Errorf("standard error %q names no remedy", stderr)
	}
}

func TestEverythingWrongWithSharesIsReportedAtOnce(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	var stdout, stderr bytes.Buffer
	run([]string{"run", "--fs", missing + "1", "--fs", "b=" + missing + "2"}, strings.NewReader(""), &stdout, &stderr)
	if strings.Count(stderr.String(), "\n") != 2 {
		t.Errorf("standard error %q, want two lines", stderr.String())
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"run", "--help"}, {"help", "run"}} {
		var stdout, stderr bytes.Buffer
		if status := run(args, strings.NewReader(""), &stdout, &stderr); status != exitOK || stderr.Len() > 0 {
			t.Errorf("gov86 %q: status %d, standard error %q", args, status, stderr.String())
		}
		if !strings.Contains(stdout.String(), "run") {
			t.Errorf("gov86 %q: standard output %q, want help", args, stdout.String())
		}
	}
}

func TestTheRunHelpListsEveryExitStatus(t *testing.T) {
	for _, status := range []string{"  0  ", "  1  ", "124  ", "125  ", "128+ ", "253  ", "254  ", "255  "} {
		if !strings.Contains(runHelp, "\n  "+status) {
			t.Errorf("the help of run does not list status %s", strings.TrimSpace(status))
		}
	}
}

func TestVersionAndDoctorSaySomethingUseful(t *testing.T) {
	for _, c := range []struct {
		args  []string
		wants []string
	}{
		{[]string{"version"}, []string{"gov86 "}},
		{[]string{"version", "--licenses"}, []string{"The gov86 Authors", "SeaBIOS", "GNU LESSER GENERAL PUBLIC LICENSE", "github.com/spf13/cobra", "Apache"}},
		{[]string{"doctor"}, []string{"host", "terminal", "interp", "guest"}},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(c.args, strings.NewReader(""), &stdout, &stderr); status != exitOK {
			t.Errorf("gov86 %q: status %d, %s", c.args, status, stderr.String())
		}
		for _, want := range c.wants {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("gov86 %q does not mention %q", c.args, want)
			}
		}
	}
}

func TestTheEmbeddedGuestsCommandLineHasItsWords(t *testing.T) {
	t.Setenv("TERM", "screen.xterm-256color")
	x := &session{tty: os.Stdin, settings: settings{
		shares:      []share{{name: "host", dir: ".", readOnly: true}, {name: "ws", dir: "d"}},
		commandLine: "debug",
	}}
	const want = "console=ttyS0 quiet gov86.fs=host:/mnt/host:ro gov86.fs=ws:/mnt/ws" +
		" gov86.winsize=1 gov86.term=screen.xterm-256color debug"
	if got := x.fullCommandLine(); got != want {
		t.Errorf("command line\n%s, want\n%s", got, want)
	}
	t.Setenv("TERM", "x; init=/bin/sh")
	if got := x.fullCommandLine(); strings.Contains(got, "init=") {
		t.Errorf("TERM put words into the command line %q", got)
	}
}
