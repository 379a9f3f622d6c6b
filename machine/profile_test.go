package machine

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gov86/gov86/jit"
)

func TestAProfileAddsUpBySymbol(t *testing.T) {
	p := new(profile)
	for i := range uint32(10_000) { // more than the table begins with
		p.add(jit.Budgets, 0x1000+i, 3)
		p.add(jit.Steps, 0x1000+i, 2)
		p.add(jit.Steps, 0x1000+i, 1)
	}
	p.add(jit.Links, 0x9000_0000, 7)
	m := &Machine{profile: p, names: func(l uint32) string {
		if l < 0x10_000 {
			return "busy+0x12"
		}
		return ""
	}}
	m.cfg.Engine = jitEngine
	var text, folded bytes.Buffer
	if err := m.WriteProfile(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"60007 instructions in 30001 samples", "60000    30000  busy\n", "7        1  page 90000000\n",
		"30000    20000  step\n", "30000    10000  busy: budget\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the profile does not have %q:\n%s", want, &text)
		}
	}
	if err := m.WriteFolded(&folded); err != nil {
		t.Fatal(err)
	}
	if want := "busy;budget 30000\nbusy;step 30000\npage 90000000;link 7\n"; folded.String() != want {
		t.Errorf("folded it is %q, want %q", &folded, want)
	}
}
