package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startResume starts gov86 resume with args.
func startResume(t *testing.T, args ...string) *guestRun { return startCommand(t, "resume", args...) }

// TestAGuestGoesOnWhereItWasSaved saves a guest that has an open file in a shared
// directory and something in a variable of its shell, and resumes it.
func TestAGuestGoesOnWhereItWasSaved(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("greeting", []byte("first\nsecond\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "saved")
	g := startRun(t, "--save-on-exit", file, "--until", "enough")
	g.expect(prompt)
	g.shell("word=kept; exec 3< /mnt/host/greeting; read first <&3; cd /mnt/host")
	g.send("echo eno''ugh\n")
	g.wantStatus(exitOK)

	for _, engine := range []string{"interp", ""} {
		args := []string{"--headless", file}
		if engine != "" {
			args = append([]string{"--engine", engine}, args...)
		}
		r := startResume(t, args...)
		r.send("\n")
		r.expect(prompt)
		if got := r.shell("echo $word $first"); got != "kept first\n" {
			t.Errorf("the shell's variables are %q", got)
		}
		if got := r.shell("read line <&3; echo $line"); got != "second\n" {
			t.Errorf("the open file goes on with %q", got)
		}
		if got := r.shell("cat greeting"); got != "first\nsecond\n" {
			t.Errorf("the file reads %q", got)
		}
		r.send("poweroff\n")
		r.wantStatus(exitOK)
	}

	var out, errs strings.Builder
	if status := run([]string{"snapshot", "info", file}, nil, &out, &errs); status != exitOK ||
		!strings.Contains(out.String(), `"processor": "max"`) || !strings.Contains(out.String(), "local apic") {
		t.Errorf("info: status %d, %s%s", status, &out, &errs)
	}
	if status := run([]string{"snapshot", "verify", file}, nil, &out, &errs); status != exitOK {
		t.Errorf("verify: status %d, %s", status, &errs)
	}
	out.Reset()
	if status := run([]string{"snapshot", "diff", file, file}, nil, &out, &errs); status != exitOK || out.String() != "0 pages of memory differ\n" {
		t.Errorf("diff: status %d, %s%s", status, &out, &errs)
	}
	if status := run([]string{"resume", "--fs", "other=.", file}, nil, &out, &errs); status != exitFailure ||
		!strings.Contains(errs.String(), `shares "host": the snapshot has read_only true, this machine none`) {
		t.Errorf("with another directory: status %d, %s", status, &errs)
	}
}

func TestSaveFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"run --save-raw", "--save-on-exit"},
		{"run --save-on-exit f --disk d,snapshot", "overlay=FILE"},
		{"run --save-on-exit /no/such/directory/f", "a directory that exists"},
		{"resume", "is missing"},
		{"resume /no/such/file", "give a snapshot"},
		{"resume --clock never f", "saved or now"},
		{"snapshot info /no/such/file", "give a snapshot"},
		{"snapshot diff a b c", "one too many"},
	} {
		var out, errs strings.Builder
		if status := run(strings.Fields(c.args), strings.NewReader(""), &out, &errs); status != exitFailure || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%q: status %d, %s", c.args, status, &errs)
		}
	}
}
