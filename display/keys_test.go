package display

import "testing"

func TestEveryKeyIsFoundUnderEachOfItsNumbers(t *testing.T) {
	for _, k := range keys {
		if u, ok := KeyNamed(k.name); !ok || u != uint16(k.usage) {
			t.Errorf("%s is %#x, want %#x", k.name, u, k.usage)
		}
		if u, ok := KeyOfCode(k.code); !ok || u != uint16(k.usage) {
			t.Errorf("code %#x is %#x, want %s, %#x", k.code, u, k.name, k.usage)
		}
		if k.sym == 0 {
			continue
		}
		if u, ok := KeyOfSymbol(uint32(k.sym)); !ok || u != uint16(k.usage) {
			t.Errorf("symbol %#x is %#x, want %s, %#x", k.sym, u, k.name, k.usage)
		}
	}
}

func TestEveryPrintableCharacterCanBeTyped(t *testing.T) {
	for r := rune(0); r < 0x80; r++ {
		events := Typed(r)
		if len(events) != 2 && len(events) != 4 {
			t.Errorf("%q is %d events", r, len(events))
		}
		held := map[uint16]bool{}
		for _, e := range events {
			k := e.(Key)
			if held[k.Usage] == k.Down {
				t.Errorf("%q: key %#x changes to what it is", r, k.Usage)
			}
			held[k.Usage] = k.Down
		}
		for u, down := range held {
			if down {
				t.Errorf("%q leaves key %#x pressed", r, u)
			}
		}
	}
	if Typed('€') != nil {
		t.Error("a US keyboard has no key for €")
	}
}

func TestChords(t *testing.T) {
	got, unknown := ParseChord("ctrl-alt-delete")
	if unknown != "" || len(got) != 3 || got[2] != Delete {
		t.Errorf("%#x, %q", got, unknown)
	}
	if _, unknown := ParseChord("ctrl-foo"); unknown != "foo" {
		t.Errorf("the key that is none is %q", unknown)
	}
}

func TestCodePage437(t *testing.T) {
	for code, want := range map[uint8]rune{'A': 'A', 0x00: ' ', 0xc9: '╔', 0xdb: '█', 0xe1: 'ß', 0xff: ' ', 0x1b: '←', 0x82: 'é'} {
		if got := Rune(code); got != want {
			t.Errorf("%#x is %q, want %q", code, got, want)
		}
	}
}
