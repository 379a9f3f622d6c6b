package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/gov86/gov86/trace"
)

// writeKernel makes a Multiboot image of code in the current directory, that of
// tripleFault with other code, and a map of it.
func writeKernel(t *testing.T, code ...byte) {
	t.Helper()
	image := append(tripleFault()[:48], code...)
	for name, content := range map[string][]byte{
		"kernel": image, "map": []byte("00100030 T start\n00100040 T behind\n"),
	} {
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// runKernel runs the kernel with args and returns the status and both streams.
func runKernel(args string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	all := append([]string{"run", "--kernel", "kernel", "--timeout", "60s"}, strings.Fields(args)...)
	status = run(all, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// outB is MOV AL, v; OUT port, AL.
func outB(port, v byte) []byte { return []byte{0xb0, v, 0xe6, port} }

var haltForGood = []byte{0xfa, 0xf4, 0xeb, 0xfd} // CLI; HLT; JMP to it

func TestTheGuestsOwnStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   []byte
		args   string
		status int
	}{
		{"0", outB(0xf4, 0), "--debug-exit", 0},
		{"33", outB(0xf4, 33), "--debug-exit", 33},
		{"a doubleword: its low byte", []byte{0xb8, 0x05, 0x01, 0, 0, 0xe7, 0xf4}, "--debug-exit", 5},
		{"as QEMU", outB(0xf4, 0x10), "--debug-exit=qemu", 0x21},
		{"as QEMU, above 255", outB(0xf4, 0xff), "--debug-exit=qemu", 0xff},
		{"at a port", outB(0x99, 7), "--debug-exit=0x99", 7},
		{"as QEMU at a port", outB(0x99, 7), "--debug-exit=qemu,0x99", 15},
		{"as QEMU spells it", outB(0xf4, 0x10), "-device isa-debug-exit,iobase=0xf4,iosize=0x04", 0x21},
		{"in place of the text's", outB(0xf4, 4), "--debug-exit --until never", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeKernel(t, append(c.code, haltForGood...)...)
			if status, _, stderr := runKernel(c.args); status != c.status || stderr != "" {
				t.Errorf("status %d, want %d; standard error %q", status, c.status, stderr)
			}
		})
	}
}

func TestHaltExit(t *testing.T) {
	t.Chdir(t.TempDir())
	writeKernel(t, haltForGood...)
	const note = "gov86: guest: halted with interrupts disabled at 0010:00100031 start+0x1\n"
	if status, _, stderr := runKernel("--halt-exit --symbols map"); status != exitOK || stderr != note {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	status, _, stderr := runKernel("--halt-exit --symbols map --until never")
	if status != exitUnseen || !strings.HasPrefix(stderr, note) {
		t.Errorf("without its text: status %d, standard error %q", status, stderr)
	}
}

func TestDebugTextGoesWhereItShould(t *testing.T) {
	t.Chdir(t.TempDir())
	code := bytes.Join([][]byte{outB(0xe9, 'o'), outB(0xe9, 'k'), {0x66, 0xba, 0x02, 0x04, 0xb0, '\n', 0xee}, outB(0xf4, 0)}, nil)
	writeKernel(t, code...)
	for _, c := range []struct{ args, stdout, stderr, file string }{
		{"--debugcon stdio", "ok\n", "", ""},
		{"--debugcon stderr", "", "ok\n", ""},
		{"--debugcon text", "", "", "ok\n"},
		{"-debugcon file:text", "", "", "ok\n"},
	} {
		os.Remove("text")
		status, stdout, stderr := runKernel("--debug-exit " + c.args)
		file, _ := os.ReadFile("text")
		if status != 0 || stdout != c.stdout || stderr != c.stderr || string(file) != c.file {
			t.Errorf("%s: status %d, standard output %q, standard error %q, file %q", c.args, status, stdout, stderr, file)
		}
	}
	if status, stdout, _ := runKernel("--debugcon stdio --until ok"); status != exitOK || stdout != "ok\n" {
		t.Errorf("--until did not see the text: status %d, standard output %q", status, stdout)
	}
}

// readState reads a document that --dump-state wrote.
func readState(t *testing.T) (s struct {
	Schema    int
	Ending    string
	Processor struct {
		EIP, EAX string
		Code     struct{ Symbol string }
	}
	Memory []struct{ Space, Address, Bytes string }
}) {
	t.Helper()
	b, err := os.ReadFile("state")
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheStateIsDumpedHoweverTheRunEnds(t *testing.T) {
	spin := []byte{0xeb, 0xfe}
	for _, c := range []struct {
		name, args, ending string
		code               []byte
		status             int
	}{
		{"a breakpoint", "--break behind --symbols map", "break", bytes.Repeat([]byte{0x90}, 30), exitOK},
		{"a status", "--debug-exit", "debug-exit", outB(0xf4, 2), 2},
		{"a halt", "--halt-exit", "halt", haltForGood, exitOK},
		{"the time", "--timeout 50ms", "timeout", spin, exitTimeout},
		{"a triple fault", "", "triple-fault", tripleFault()[48:], exitTripleFault},
		{"a text", "--debugcon stdio --until x", "until", append(outB(0xe9, 'x'), spin...), exitOK},
		{"powering off", "", "power-off", []byte{0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef, 0xeb, 0xfe}, exitOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeKernel(t, c.code...)
			status, _, stderr := runKernel("--dump-state state " + c.args)
			if s := readState(t); status != c.status || s.Schema != 1 || s.Ending != c.ending {
				t.Errorf("status %d, ending %q, want %d and %q; standard error %q", status, s.Ending, c.status, c.ending, stderr)
			}
		})
	}
}

func TestDumpedMemoryAndBreakpoints(t *testing.T) {
	t.Chdir(t.TempDir())
	writeKernel(t, append([]byte{0xb8, 0x78, 0x56, 0x34, 0x12}, bytes.Repeat([]byte{0x90}, 30)...)...) // MOV EAX, 12345678h
	status, _, stderr := runKernel("--break start+5 --symbols map --dump-state state --dump-memory start+1,4 --dump-memory phys:0x100000,4")
	s := readState(t)
	if status != exitOK || stderr != "gov86: --break: reached 0010:00100035 start+0x5\n" {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	if s.Processor.EIP != "0x00100035" || s.Processor.EAX != "0x12345678" || s.Processor.Code.Symbol != "start+0x5" {
		t.Errorf("state %+v", s.Processor)
	}
	if len(s.Memory) != 2 || s.Memory[0].Bytes != "78563412" || s.Memory[1].Space != "physical" || s.Memory[1].Bytes != "02b0ad1b" {
		t.Errorf("memory %+v", s.Memory)
	}
}

func TestABreakThatIsNotReachedIsStatus1(t *testing.T) {
	t.Chdir(t.TempDir())
	writeKernel(t, haltForGood...)
	status, _, stderr := runKernel("--break 0x4000 --halt-exit")
	if status != exitUnseen || !strings.Contains(stderr, "gov86: --break: the guest has not come to 0x4000; ") {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

func TestTracesGoToTheirFile(t *testing.T) {
	t.Chdir(t.TempDir())
	writeKernel(t, append([]byte{0x90, 0xeb, 0x0d}, bytes.Repeat([]byte{0x90}, 13)...)...) // JMP to behind
	args := "--trace instructions,ports --symbols map --break behind"
	status, _, stderr := runKernel(args + " --trace-file trace")
	file, err := os.ReadFile("trace")
	const want = "instructions 0010:00100030 start              90               nop\n" +
		"instructions 0010:00100031 start+0x1          eb0d             jmp 0x100040  ; behind\n"
	if err != nil || status != exitOK || string(file) != want {
		t.Errorf("status %d, standard error %q, file %q, %v", status, stderr, file, err)
	}
	if _, _, stderr = runKernel(args); !strings.HasPrefix(stderr, want) {
		t.Errorf("without a file: standard error %q", stderr)
	}
}

func TestThePostMortemHasTheSymbols(t *testing.T) {
	t.Chdir(t.TempDir())
	writeKernel(t, tripleFault()[48:]...)
	if _, _, stderr := runKernel("--symbols map"); !strings.Contains(stderr, "exception  3 #BP code 0000 at 0010:00100038 start+0x8") {
		t.Errorf("standard error %s", stderr)
	}
}

func TestBadToolFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	writeKernel(t, haltForGood...)
	for _, c := range []struct{ name, args, says string }{
		{"a port that is none", "--debug-exit=0x10000", "gov86: --debug-exit: "},
		{"an exit as of another emulator", "--debug-exit=bochs", "gov86: --debug-exit: "},
		{"a port that is taken", "--debug-exit=0x3f8", "gov86: --debug-exit: "},
		{"a break at an unknown symbol", "--break nowhere --symbols map", "gov86: --break nowhere: "},
		{"a break at a symbol without symbols", "--break start", "gov86: --break start: "},
		{"memory without a file", "--dump-memory 0,1", "gov86: --dump-memory: "},
		{"memory without a length", "--dump-state s --dump-memory 0x1000", "gov86: --dump-memory 0x1000: "},
		{"memory of no length", "--dump-state s --dump-memory 0x1000,0", "gov86: --dump-memory 0x1000,0: "},
		{"too much memory", "--dump-state s --dump-memory 0,0xffffffff", "gov86: --dump-memory 0,0xffffffff: "},
		{"memory at no address", "--dump-state s --dump-memory x,4", "gov86: --dump-memory x: "},
		{"a physical symbol", "--dump-state s --symbols map --dump-memory phys:start,4", "gov86: --dump-memory start: "},
		{"an unknown class", "--trace port", "gov86: --trace: "},
		{"breakpoints of two", "--gdb :0 --break 0", "gov86: --break: with --gdb, breakpoints are the debugger's; "},
		{"a trace's file without a trace", "--trace-file t", "gov86: --trace-file: "},
		{"a trace's file that cannot be", "--trace ports --trace-file no/t", "gov86: no/t: "},
		{"a state's file that cannot be", "--dump-state no/s", "gov86: no/s: "},
		{"a text's file that cannot be", "--debugcon no/d", "gov86: no/d: "},
		{"symbols that are missing", "--symbols nowhere", "gov86: nowhere: "},
		{"symbols that are none", "--symbols kernel", "gov86: kernel: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := runKernel(c.args)
			checkOneLine(t, status, stdout, stderr, c.says)
		})
	}
}

func TestBootTracesOfSharedFiles(t *testing.T) {
	dir := t.TempDir()
	g := startRun(t, "--fs", dir, "--trace", "virtio,v86fs,rtc,pci,acpi", "--trace-file", dir+"/trace")
	g.expect(prompt)
	g.shell("echo x > /mnt/host/made")
	g.send("poweroff\n")
	g.wantStatus(exitOK)
	file, err := os.ReadFile(dir + "/trace")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"virtio status ", "virtio notify ", "virtio interrupt ", "v86fs CREATE2 ", "v86fs WRITE2 ",
		"rtc read ", "pci write ", "acpi sleep "} {
		if !strings.Contains("\n"+string(file), "\n"+want) {
			t.Errorf("no event %q", want)
		}
	}
}

func TestTheGuideHasEveryTraceClassAndFlag(t *testing.T) {
	guide, err := os.ReadFile("../../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range trace.Names() {
		if !strings.Contains(string(guide), "`"+class+"`") {
			t.Errorf("docs/debugging.md has no class %s", class)
		}
	}
	for _, flag := range []string{"debug-exit", "debugcon", "halt-exit", "symbols", "break", "dump-state", "dump-memory", "trace", "trace-file"} {
		if !strings.Contains(string(guide), "`--"+flag) {
			t.Errorf("docs/debugging.md has no flag --%s", flag)
		}
	}
}
