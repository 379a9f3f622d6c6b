package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fsCommand runs gov86 fs.
func fsCommand(args ...string) (status int, stdout, stderr string) {
	var out, errs strings.Builder
	status = run(append([]string{"fs"}, args...), strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

// TestChangesAreKeptApart has the embedded guest change a directory, shows and
// applies what it did, and has a second guest's changes discarded.
func TestChangesAreKeptApart(t *testing.T) {
	dir, overlay := t.TempDir(), filepath.Join(t.TempDir(), "overlay")
	for name, content := range map[string]string{"kept": "", "old": "old\n", "d/gone": ""} {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	spec := dir + ",cow=" + overlay
	change := func(commands string) {
		t.Helper()
		g := startRun(t, "--fs", spec)
		g.expect(prompt)
		g.shell(commands)
		g.send("poweroff\n")
		g.wantStatus(exitOK)
	}
	change("cd /mnt/host; echo new >>old; rm d/gone; mkdir e; mv d e/d; echo x >e/f; sync")
	if b, _ := os.ReadFile(filepath.Join(dir, "old")); string(b) != "old\n" {
		t.Errorf("the directory itself has %q", b)
	}
	const want = "A e\nR e/d from d\nD e/d/gone\nA e/f\nM old\n"
	for _, named := range []string{spec, overlay} {
		if status, out, errs := fsCommand("diff", named); status != 0 || out != want {
			t.Errorf("diff: %d, %s%s, want %s", status, out, errs, want)
		}
	}
	if _, out, _ := fsCommand("diff", "--json", overlay); !strings.Contains(out, `{"kind":"R","path":"e/d","from":"d"}`) {
		t.Errorf("as JSON: %s", out)
	}
	if status, _, errs := fsCommand("apply", overlay); status != 0 || errs != "" {
		t.Errorf("apply: %d, %s", status, errs)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "old")); string(b) != "old\nnew\n" {
		t.Errorf("applied, old is %q, %v", b, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "e/d")); err != nil || !info.IsDir() {
		t.Errorf("applied, e/d is %v, %v", info, err)
	}
	change("rm /mnt/host/kept")
	if status, out, errs := fsCommand("diff", overlay); status != 0 || out != "D kept\n" {
		t.Errorf("diff: %d, %s%s", status, out, errs)
	}
	if status, _, errs := fsCommand("discard", overlay); status != 0 {
		t.Errorf("discard: %d, %s", status, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "kept")); err != nil {
		t.Error(err)
	}
	if status, _, errs := fsCommand("diff", overlay); status != exitFailure || !strings.Contains(errs, "no overlay") {
		t.Errorf("diff of what was discarded: %d, %s", status, errs)
	}
}
