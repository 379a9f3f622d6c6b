package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// gov86 runs a command that drives a machine, and returns what it writes.
func (g *guestRun) gov86(socket string, args ...string) string {
	g.t.Helper()
	var out, errs bytes.Buffer
	args = append([]string{args[0], "--control", "unix:" + socket}, args[1:]...)
	if status := run(args, strings.NewReader(""), &out, &errs); status != exitOK {
		g.t.Fatalf("gov86 %v: status %d, %s", args, status, errs.String())
	}
	return out.String()
}

func TestARunningMachineIsDriven(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "control")
	g := startRun(t, "--control", "unix:"+socket, "--headless", "--memory", "64M")
	g.expect(prompt)
	status := func() (s struct {
		Status       string
		Instructions uint64
	}) {
		if err := json.Unmarshal([]byte(g.gov86(socket, "ctl", "query-status")), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := status(); s.Status != "running" || s.Instructions == 0 {
		t.Errorf("%+v", s)
	}
	g.gov86(socket, "ctl", "stop")
	first := status()
	time.Sleep(10 * time.Millisecond)
	if second := status(); first.Status != "paused" || first != second {
		t.Errorf("paused %+v and then %+v", first, second)
	}
	g.gov86(socket, "ctl", "cont")
	if got := g.shell("echo alive"); got != "alive\n" {
		t.Errorf("after cont the guest says %q", got)
	}
	p, err := png.Decode(strings.NewReader(g.gov86(socket, "screenshot")))
	if err != nil || p.Bounds() != image.Rect(0, 0, 720, 400) {
		t.Errorf("screenshot %v, %v", p, err)
	}
	g.gov86(socket, "sendkey", "ctrl-c", "ret")
	g.gov86(socket, "type", "nobody looks")
	g.gov86(socket, "mouse", "to", "5", "5", "click", "left", "move", "1", "1", "wheel", "1")
	g.gov86(socket, "ctl", "quit")
	g.wantStatus(exitOK)
}

func TestDrivingNoMachineSaysWhy(t *testing.T) {
	t.Setenv(controlVariable, "")
	socket := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct{ args, want string }{
		{"ctl stop", "gov86: --control: there is no machine; "},
		{"ctl --control /tmp/x stop", "gov86: --control: there is no socket in /tmp/x; write unix:PATH"},
		{"ctl --control unix:" + socket + " stop", "; start the machine with gov86 run --control unix:" + socket},
		{"sendkey", "gov86: gov86 sendkey: a key is missing"},
	} {
		var errs bytes.Buffer
		status := run(strings.Fields(c.args), strings.NewReader(""), &bytes.Buffer{}, &errs)
		if status != exitFailure || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: status %d, %q, want %q", c.args, status, errs.String(), c.want)
		}
	}
}
