package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDisplaysThatCannotBe(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ display, want string }{
		{"gtk", "gov86: --display: there is no display gtk; "},
		{"none=1", "gov86: --display: only vnc has options; "},
		{"vnc=0.0.0.0:0", "gov86: --display: without a password, whoever reaches 0.0.0.0 could use the guest; "},
		{"vnc=5900", "gov86: --display: \"5900\" is no address; "},
		{"vnc,passwd=x", "gov86: --display: vnc has no option passwd=x; "},
		{"vnc,password-file=" + empty, "gov86: " + empty + ": there is no password in it; "},
		{"vnc,password-file=" + empty + ".not", "gov86: " + empty + ".not: no such file"},
	} {
		var errs bytes.Buffer
		status := run([]string{"run", "--display", c.display}, strings.NewReader(""), &bytes.Buffer{}, &errs)
		if status != exitFailure || !strings.Contains(errs.String(), c.want) {
			t.Errorf("--display %s: status %d, %q, want %q", c.display, status, errs.String(), c.want)
		}
	}
}
