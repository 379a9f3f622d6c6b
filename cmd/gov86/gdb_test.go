package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// needTools skips a test that needs programs which are not here.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("GDB debugs nothing here: there is no %s; on Debian: apt-get install gdb gcc binutils", tool)
		}
	}
}

// buildDebuggee compiles the program in testdata/debuggee.
func buildDebuggee(t *testing.T) string {
	t.Helper()
	needTools(t, "gdb", "gcc", "ld")
	file := filepath.Join(t.TempDir(), "debuggee")
	dir := filepath.Join("testdata", "debuggee")
	out, err := exec.Command("gcc", "-m32", "-march=i686", "-mno-sse", "-g", "-O0", "-ffreestanding", "-fno-pic", "-no-pie",
		"-fno-stack-protector", "-nostdlib", "-static", "-Wl,--build-id=none,-T,"+filepath.Join(dir, "debuggee.ld"),
		"-o", file, filepath.Join(dir, "entry.S"), filepath.Join(dir, "debuggee.c")).CombinedOutput()
	if err != nil {
		t.Skipf("GDB debugs nothing here: gcc does not compile for i386: %v\n%s", err, out)
	}
	return file
}

// debugRun starts gov86 with a socket for GDB and returns its path. It cannot
// be t.TempDir, whose name may be longer than a socket's.
func debugRun(t *testing.T, args ...string) (g *guestRun, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "gdb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "socket")
	g = startRun(t, append([]string{"--gdb", "unix:" + socket}, args...)...)
	for deadline := time.Now().Add(bootTime); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			return g, socket
		}
		if time.Now().After(deadline) {
			t.Fatal("gov86 makes no socket")
		}
	}
}

// A debugger is GDB at work on a script.
type debugger struct {
	t   *testing.T
	cmd *exec.Cmd
	out bytes.Buffer
}

// startGDB has GDB connect to socket and execute commands.
func startGDB(t *testing.T, symbols, socket string, commands ...string) *debugger {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script")
	text := "set pagination off\nset width 0\nset confirm off\ntarget remote " + socket + "\n" +
		strings.Join(commands, "\n") + "\n"
	if err := os.WriteFile(script, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	d := &debugger{t: t, cmd: exec.Command("gdb", "-nx", "-batch", "-x", script, symbols)}
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

// wants waits for GDB to end and looks for patterns in what it printed, one
// behind the other.
func (d *debugger) wants(patterns ...string) {
	d.t.Helper()
	stuck := time.AfterFunc(bootTime, func() { d.cmd.Process.Kill() })
	defer stuck.Stop()
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("gdb: %v", err)
	}
	rest := d.out.String()
	for _, p := range patterns {
		at := regexp.MustCompile("(?m)" + p).FindStringIndex(rest)
		if at == nil {
			d.t.Fatalf("%q does not come in what is left:\n%s\nof all that GDB printed:\n%s", p, rest, d.out.String())
		}
		rest = rest[at[1]:]
	}
}

func TestGDBDebugsAProgram(t *testing.T) {
	file := buildDebuggee(t)
	g, socket := debugRun(t, "--kernel", file, "--freeze")
	startGDB(t, file, socket,
		"print $pc == (void (*)())_start",
		"break square", "hbreak work", "continue", "continue", "backtrace",
		"finish", "next", "next", "step", "info locals",
		"delete", "watch target.x", "rwatch target.x", "awatch history[3]", "continue", "continue", "continue",
		"delete", "x/2i $pc", "stepi",
		"set var target.y = 1234", "print target", "set var $ebx = 77", "print $ebx",
		"print ratio", "print $cr0", "print $eflags", "print/x $cs", "print $mxcsr",
		"set var $st0 = 2.5", "print $st0", "set var $xmm3.v4_float[1] = 0.25", "print $xmm3.v4_float",
		"info threads", "monitor info registers", "monitor xp 0x100000 4", "monitor translate 0x100000",
		"monitor info devices", "detach",
	).wants(
		`= 1$`,
		`^Breakpoint 2, work \(n=5\) at .*debuggee\.c:\d+$`,
		`^Breakpoint 1, square \(v=0\) at .*debuggee\.c:\d+$`,
		`^#0  square \(v=0\)`, `^#1 .* in work \(n=5\)`, `^#2 .* in start \(\)`, `^#3 .* in _start \(\)`,
		`^Value returned is .* = 0$`, `^\d+\t.*for `, `^\d+\t.*history`, `^\d+\t.*square`, `^i = 1$`, `^sum = 0$`,
		`access \(read/write\) watchpoint 5: history\[3\]`, `^Old value = 0$`, `^New value = 3$`,
		`watchpoint 3: target\.x`, `^Old value = 0$`, `^New value = 30$`,
		`read watchpoint 4: target\.x`, `^Value = 30$`,
		`^=> 0x\w+ <work\+`, `^0x\w+\t|^\d+\t`,
		`= \{x = 30, y = 1234\}$`, `= 77$`, `= 1\.5$`, `\[ PE ET \]`, `\[ PF \]|\[ \]`, `= 0x10$`, `\[ IM DM ZM OM UM PM \]`,
		`= 2\.5$`, `\{0, 0\.25, 0, 0\}$`,
		`Thread 1 \(processor, CPL 0\)`, `^EAX=`, `^00100000  02 b0 ad 1b$`, `^00100000 is at`, `^uart0:`,
		`detached`,
	)
	g.expect("ok") // it has gone on
	d := startGDB(t, file, socket, "backtrace", "kill")
	d.wants(`^#\d .* idle \(\)`, `killed`)
	g.wantStatus(exitOK)
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is still there")
	}
}

func TestGDBInterruptsAGuestThatRuns(t *testing.T) {
	file := buildDebuggee(t)
	g, socket := debugRun(t, "--kernel", file, "--freeze")
	d := startGDB(t, file, socket, "continue", "print $pc >= square && $pc <= start", "kill")
	g.expect("ok")
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wants(`SIGINT`, `= 1$`)
	g.wantStatus(exitOK)
}

// TestGDBDebugsTheEmbeddedKernel has it tell its symbols first: it was built
// without any.
func TestGDBDebugsTheEmbeddedKernel(t *testing.T) {
	needTools(t, "gdb", "as", "ld", "awk", "sh")
	dir := t.TempDir()
	g := startRun(t, "--fs", dir)
	g.expect(prompt)
	g.shell("cat /proc/kallsyms > /mnt/host/kallsyms")
	g.send("poweroff\n")
	g.wantStatus(exitOK)
	symbols := filepath.Join(dir, "vmlinux")
	script := filepath.Join("..", "..", "guest", "symbols.sh")
	if out, err := exec.Command("sh", script, filepath.Join(dir, "kallsyms"), symbols).CombinedOutput(); err != nil {
		t.Skipf("GDB debugs no kernel here: no symbols: %v\n%s", err, out)
	}

	g, socket := debugRun(t, "--fs", dir, "--freeze")
	startGDB(t, symbols, socket,
		"hbreak start_kernel", "continue", "backtrace", "print $cr0",
		"break do_exit", "continue", "backtrace", "print $cpl",
		"eval \"monitor translate %u\", (unsigned)start_kernel", "monitor info mem",
		"delete", "stepi", "x/i $pc", "watch -location *(int *)($esp - 4)", "continue", "delete",
		"tbreak panic", "tbreak schedule", "continue", "finish", "info registers eip", "detach",
	).wants(
		`^Breakpoint 1, 0x\w+ in start_kernel \(\)$`, `^#1 .* in i386_start_kernel \(\)$`, `= \[ PE .*PG \]`,
		`^Breakpoint 2, 0x\w+ in do_exit \(\)$`, `^#1 .* in do_group_exit \(\)$`, `= 0$`,
		`^c1\w+ is at 001`, `^c0000000-.*pages of`, `^=> 0x\w+ <do_exit\+\d+>:`,
		`^Hardware watchpoint 3: -location`, `^Hardware watchpoint 3`, `^Old value`, `^New value`,
		`Temporary breakpoint \d+, 0x\w+ in schedule \(\)$`, `^eip +0x\w+ +0x\w+ <\w+`, `detached`,
	)
	g.expect(prompt)
	if got := g.shell("echo it works"); got != "it works\n" {
		t.Errorf("the shell printed %q", got)
	}
	startGDB(t, symbols, socket, "backtrace", "monitor power", "detach").wants(`^#0`)
	g.send("poweroff\n")
	g.wantStatus(exitOK)
}

func TestAddressesForGDB(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("file", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("unix", "taken")
	if err != nil {
		t.Skipf("no sockets in the file system here: %v", err)
	}
	defer taken.Close()
	stale, err := net.Listen("unix", "stale")
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()

	for _, address := range []string{":0", "localhost:0", "127.0.0.1:0", "unix:new", "unix:stale"} {
		l, err := listenGDB(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Errorf("%s: nothing listens: %v", address, err)
		} else {
			conn.Close()
		}
		l.Close()
	}
	for _, name := range []string{"new", "stale"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("the socket %s is still there", name)
		}
	}
	for address, says := range map[string]string{
		"0.0.0.0:0": "other machines", "192.0.2.1:1": "other machines", "[::]:0": "other machines",
		"example.com:1": "other machines", "1234": "no address", "": "no address", ":http:": "no address",
		":99999": "nothing can listen", "unix:": "no path", "unix:taken": "listens there", "unix:file": "no socket",
		"unix:missing/socket": "no such file",
	} {
		if l, err := listenGDB(address); err == nil {
			l.Close()
			t.Errorf("%q was taken for an address", address)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q in it", address, err, says)
		}
	}
}

func TestFreezeNeedsADebugger(t *testing.T) {
	var stderr bytes.Buffer
	if status := run([]string{"run", "--freeze"}, nil, nil, &stderr); status != exitFailure ||
		!strings.Contains(stderr.String(), "--gdb") {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}
