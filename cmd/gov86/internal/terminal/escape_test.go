package terminal

import (
	"strings"
	"testing"
)

// typed feeds keys and returns what reaches the guest and what is asked of gov86.
func typed(keys string) (guest string, asked []Action) {
	var e Escapes
	var sent strings.Builder
	for i := range len(keys) {
		b, action := e.Type(keys[i])
		switch action {
		case Send:
			sent.WriteByte(b)
		case Quit, Save, Help:
			asked = append(asked, action)
		}
	}
	return sent.String(), asked
}

func TestEscapes(t *testing.T) {
	for _, c := range []struct {
		name, keys, guest string
		asked             []Action
	}{
		{"Ctrl-C goes to the guest", "ls\x03\r", "ls\x03\r", nil},
		{"Ctrl-A x quits", "\x01x", "", []Action{Quit}},
		{"Ctrl-A s saves", "a\x01sb", "ab", []Action{Save}},
		{"Ctrl-A h lists the escapes", "\x01h", "", []Action{Help}},
		{"Ctrl-A Ctrl-A sends Ctrl-A", "\x01\x01b", "\x01b", nil},
		{"Ctrl-A a sends Ctrl-A", "\x01ab", "\x01b", nil},
		{"the second Ctrl-A begins no escape", "\x01\x01x", "\x01x", nil},
		{"an unknown escape is dropped", "\x01qx", "x", nil},
		{"bytes above 7Fh are the guest's", "\xc3\xa9", "\xc3\xa9", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			guest, asked := typed(c.keys)
			if guest != c.guest {
				t.Errorf("the guest got %q, want %q", guest, c.guest)
			}
			if len(asked) != len(c.asked) || len(asked) == 1 && asked[0] != c.asked[0] {
				t.Errorf("asked %v, want %v", asked, c.asked)
			}
		})
	}
}

func TestHelpListsEveryEscape(t *testing.T) {
	for _, escape := range []string{"Ctrl-A h", "Ctrl-A x", "Ctrl-A Ctrl-A", "Ctrl-A a"} {
		if !strings.Contains(HelpText, escape) {
			t.Errorf("the help does not list %s", escape)
		}
	}
	if strings.Count(HelpText, "\n") != strings.Count(HelpText, "\r\n") {
		t.Error("a line of the help does not return the carriage, which a raw terminal needs")
	}
}
