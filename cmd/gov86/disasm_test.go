package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// disassemble runs gov86 disasm.
func disassemble(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(append([]string{"disasm"}, args...), strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestDisassembly(t *testing.T) {
	t.Chdir(t.TempDir())
	code := "\x55\x89\xe5\xe8\x02\x00\x00\x00\xf4\xc3\x0f\x0b" // PUSH EBP; MOV EBP, ESP; CALL; HLT; RET; UD2
	for name, text := range map[string]string{"raw": code, "map": "1000 T start\n100a T crash\n"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		want  string
	}{
		{"bytes", []string{"--hex", "0f 0b"}, "", "00000000  0f0b                  ud2\n"},
		{"16 bits", []string{"--bits", "16", "--base", "0x7c00", "--hex", "0xfa,0xe8,0xfc,0xff"}, "",
			"00007c00  fa                    cli\n00007c01  e8fcff                call 0x7c00\n"},
		{"what is no instruction", []string{"--hex", "0f04"}, "",
			"00000000  0f                    (bad)\n00000001  04                    (bad)\n"},
		{"a raw file with symbols", []string{"--base", "0x1000", "--symbols", "map", "raw"}, "",
			"start:\n00001000  55                    push ebp\n00001001  89e5                  mov ebp, esp\n" +
				"00001003  e802000000            call 0x100a  ; crash\n00001008  f4                    hlt\n" +
				"00001009  c3                    ret\ncrash:\n0000100a  0f0b                  ud2\n"},
		{"standard input", []string{"-"}, "\x90", "00000000  90                    nop\n"},
		{"a part", []string{"--offset", "0xa", "--length", "2", "raw"}, "", "0000000a  0f0b                  ud2\n"},
		{"a symbol", []string{"--base", "0x1000", "--symbols", "map", "--symbol", "crash", "raw"}, "",
			"crash:\n0000100a  0f0b                  ud2\n"},
	} {
		status, stdout, stderr := disassemble(c.stdin, c.args...)
		if status != exitOK || stdout != c.want || stderr != "" {
			t.Errorf("%s: status %d, standard error %q, written\n%swant\n%s", c.name, status, stderr, stdout, c.want)
		}
	}
}

func TestDisassemblyOfAnELFFile(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// A program for another processor, or on other systems no ELF file at all.
	if status, _, stderr := disassemble("", "--section", ".text", self); status != exitFailure || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("elf", elfWithCode(), 0o666); err != nil {
		t.Fatal(err)
	}
	const want = "section .text\nstart:\n00100000  90                    nop\n00100001  eb00                  jmp 0x100003  ; end\n" +
		"end:\n00100003  f4                    hlt\n"
	for _, args := range [][]string{{"elf"}, {"--section", ".text", "elf"}} {
		if status, stdout, stderr := disassemble("", args...); status != exitOK || stdout != want {
			t.Errorf("%q: status %d, standard error %q, written\n%swant\n%s", args, status, stderr, stdout, want)
		}
	}
	if _, stdout, _ := disassemble("", "--symbol", "end", "elf"); stdout != "section .text\nend:\n00100003  f4                    hlt\n" {
		t.Errorf("a symbol: written\n%s", stdout)
	}
	if _, stdout, _ := disassemble("", "--base", "0", "--length", "1", "elf"); stdout != "00000000  7f                    (bad)\n" {
		t.Errorf("as it is: written\n%s", stdout)
	}
}

func TestBadDisassemblies(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string][]byte{"raw": {0x90}, "elf": elfWithCode(), "cut": elfWithCode()[:20]} {
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, says string
		args       []string
	}{
		{"nothing", "gov86: disasm: ", nil},
		{"two files", "gov86: disasm: ", []string{"raw", "raw"}},
		{"bytes and a file", "gov86: raw: ", []string{"--hex", "90", "raw"}},
		{"bytes that are none", "gov86: --hex: ", []string{"--hex", "9"}},
		{"no bytes", "gov86: --hex: ", []string{"--hex", ""}},
		{"64 bits", "gov86: --bits: ", []string{"--bits", "64", "raw"}},
		{"a file that is missing", "gov86: nowhere: ", []string{"nowhere"}},
		{"a bad base", "gov86: --base: ", []string{"--base", "start", "raw"}},
		{"an offset beyond the end", "gov86: --offset: ", []string{"--offset", "1", "raw"}},
		{"a bad length", "gov86: --length: ", []string{"--length", "-1", "raw"}},
		{"a section of a raw file", "gov86: --section: ", []string{"--section", ".text", "raw"}},
		{"a section that is missing", "gov86: elf: ", []string{"--section", ".init", "elf"}},
		{"a symbol that is missing", "gov86: --symbol begin: ", []string{"--symbol", "begin", "elf"}},
		{"a symbol without symbols", "gov86: --symbol begin: ", []string{"--symbol", "begin", "raw"}},
		{"an address outside the code", "gov86: --symbol 0x10: ", []string{"--symbol", "0x10", "raw"}},
		{"a damaged ELF file", "gov86: cut: ", []string{"cut"}},
		{"symbols that are none", "gov86: raw: ", []string{"--symbols", "raw", "raw"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, stdout, stderr := disassemble("", c.args...)
			checkOneLine(t, status, stdout, stderr, c.says)
		})
	}
}
