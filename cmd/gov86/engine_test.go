package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/gov86/gov86/machine"
)

// engines are those that this host can have.
func engines(t *testing.T) []string {
	t.Helper()
	if _, because := machine.DefaultEngine(); because != nil {
		t.Logf("without the translator: %v", because)
		return machine.Engines[:1]
	}
	return machine.Engines
}

// TestBootOnEachEngine has every engine boot the embedded guest, which then
// reads a shared directory and starts processes.
func TestBootOnEachEngine(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("greeting", []byte("hello from the host\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, engine := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			if engine == machine.Lockstep && testing.Short() {
				t.Skip("boots Linux twice, an instruction at a time")
			}
			g := startRun(t, "--engine", engine, "--fs", ".,ro", "--stats", "--profile", engine)
			g.expect(prompt)
			if got, want := g.shell("cat /mnt/host/greeting"), "hello from the host\n"; got != want {
				t.Errorf("the file of the host reads %q in the guest, want %q", got, want)
			}
			if got := g.shell("seq 2000 | sort -r | sort -n | tail -n 1"); got != "2000\n" {
				t.Errorf("a pipeline printed %q", got)
			}
			g.send("poweroff\n")
			g.wantStatus(exitOK)
			checkFigures(t, engine, g.stderr.String())
		})
	}
}

// checkFigures checks what --stats and --profile wrote.
func checkFigures(t *testing.T, engine, stats string) {
	t.Helper()
	want := []string{engine, "million instructions a second", "LOOKUP", "hot address"}
	if engine != "interp" {
		want = append(want, "bytes, ", "links", "reason", "operation", "RDTSC")
	}
	for _, w := range want {
		if !strings.Contains(stats, w) {
			t.Errorf("the statistics do not have %q:\n%s", w, stats)
		}
	}
	profile, err := os.ReadFile(engine)
	if err != nil || !bytes.Contains(profile, []byte("why the engine looked")) {
		t.Errorf("%v, the profile is\n%.2000s", err, profile)
	}
}

// TestEachEngineEndsAsTheGuestSays: what ends a run does not depend on the engine.
func TestEachEngineEndsAsTheGuestSays(t *testing.T) {
	t.Chdir(t.TempDir())
	loop := []byte{0xb9, 0x00, 0x00, 0x10, 0x00, 0x49, 0x75, 0xfd} // MOV ECX, 100000h; DEC ECX; JNZ to it
	writeKernel(t, append(loop, outB(0xf4, 3)...)...)
	for _, engine := range engines(t) {
		status, _, stderr := runKernel("--debug-exit --symbols map --profile profile.folded --engine " + engine)
		if status != 3 || stderr != "" {
			t.Errorf("%s: status %d, standard error %q", engine, status, stderr)
		}
		folded, err := os.ReadFile("profile.folded")
		if err != nil || !bytes.HasPrefix(folded, []byte("start;")) {
			t.Errorf("%s: %v, the profile is %q", engine, err, folded)
		}
	}
	if status, _, _ := runKernel("--debug-exit --engine lockstep --lockstep-run 1000"); status != 3 && len(engines(t)) > 1 {
		t.Errorf("lockstep in long runs: status %d", status)
	}
}

func TestDoctorNamesTheEngine(t *testing.T) {
	var out, stderr bytes.Buffer
	if status := run([]string{"doctor"}, strings.NewReader(""), &out, &stderr); status != exitOK {
		t.Fatalf("status %d, standard error %q", status, &stderr)
	}
	want, because := machine.DefaultEngine()
	lines := strings.Split(out.String(), "\n")
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) > 1 && f[0] == "engine" {
			if strings.TrimRight(f[1], ",;") != want || because != nil && !strings.Contains(line, because.Error()) {
				t.Errorf("%q, want %s: %v", line, want, because)
			}
			return
		}
	}
	t.Errorf("no line for the engine:\n%s", &out)
}
