package console

import "testing"

func watch(text string) *PanicWatch {
	var p PanicWatch
	for i := range len(text) {
		p.Feed(text[i])
	}
	return &p
}

func TestPanicIsRecognised(t *testing.T) {
	const reason = "Attempted to kill init! exitcode=0x00000000"
	for _, c := range []struct {
		name, console string
		over          bool
	}{
		{"with a time stamp", "[    1.234567] Kernel panic - not syncing: " + reason + "\r\n", false},
		{"without a time stamp", "Kernel panic - not syncing: " + reason + "\r\n", false},
		{"with level and caller", "<0>[    1.234567][    T1] Kernel panic - not syncing: " + reason + "\n", false},
		{"after output that ended no line", "done[    1.234567] Kernel panic - not syncing: " + reason + "\r\n", false},
		{"by its end alone", "---[ end Kernel panic - not syncing: " + reason + " ]---\r\n", true},
		{"to its end", "[    1.0] Kernel panic - not syncing: " + reason + "\r\n" +
			"[    1.0] ---[ end Kernel panic - not syncing: " + reason + " ]---\r\n", true},
		{"to its reboot", "Kernel panic - not syncing: " + reason + "\r\n[    1.0] Rebooting in 5 seconds..\r\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := watch(c.console)
			if !p.Started() || p.Over() != c.over || p.Reason() != reason {
				t.Errorf("started %t, over %t, reason %q, want true, %t, %q",
					p.Started(), p.Over(), p.Reason(), c.over, reason)
			}
		})
	}
}

func TestTalkOfPanicIsNoPanic(t *testing.T) {
	for _, console := range []string{
		"~ # grep 'Kernel panic - not syncing' log\r\n",
		"log:12: Kernel panic - not syncing: old\r\n",
		"Rebooting in 5 seconds..\r\n",
		"[ [ [ <\r\n]]\r\n",
		"Kernel panic - not syncing", // the line has not ended
	} {
		if watch(console).Started() {
			t.Errorf("%q was taken for a panic", console)
		}
	}
}

func TestAnEndlessLineIsNotKept(t *testing.T) {
	var p PanicWatch
	for range 1 << 20 {
		p.Feed('x')
	}
	if cap(p.line) > 2*maxLine {
		t.Errorf("%d bytes kept of a line, want at most %d", cap(p.line), maxLine)
	}
	for _, b := range []byte("\r\nKernel panic - not syncing: after it\r\n") {
		p.Feed(b)
	}
	if !p.Started() {
		t.Error("a panic after an endless line was not recognised")
	}
}
