package fpu

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTranscendentalsAreRoundedCorrectly(t *testing.T) {
	ops := map[string]func(*Env, F80, F80) F80{
		"F2XM1": unary(Exp2M1), "FYL2X": Log2, "FYL2XP1": Log2P1, "FPATAN": Atan,
		"FSIN": unary(Sin), "FCOS": unary(Cos), "FPTAN": unary(tangent),
	}
	f, err := os.Open("testdata/transcendental.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		var name string
		var a, b, want F80
		if _, err := fmt.Sscanf(lines.Text(), "%s %x:%x %x:%x %x:%x", &name, &a.SE, &a.Sig, &b.SE, &b.Sig, &want.SE, &want.Sig); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		e := Env{Control: 0x37f}
		if got := ops[name](&e, a, b); got != want || e.Status&^C1 != PE {
			t.Errorf("%s of %04x:%016x, %04x:%016x = %04x:%016x status %#x, want %04x:%016x, inexact", name,
				a.SE, a.Sig, b.SE, b.Sig, got.SE, got.Sig, e.Status, want.SE, want.Sig)
		}
		n++
	}
	if n < 100 {
		t.Errorf("%d cases", n)
	}
}

func tangent(e *Env, a F80) F80 {
	r, _ := Tan(e, a)
	return r
}

func unary(f func(*Env, F80) F80) func(*Env, F80, F80) F80 {
	return func(e *Env, a, _ F80) F80 { return f(e, a) }
}
