package machine

import (
	"slices"
	"strings"
	"testing"

	"github.com/gov86/gov86/trace"
)

// traced runs a guest and returns the events of set.
func traced(t *testing.T, set trace.Category, cfg Config) string {
	t.Helper()
	m := newNamed(t, cfg)
	var out strings.Builder
	trace.EnableTo(set, trace.Sink{Out: &out, Name: namesOf, Place: m.Place})
	defer trace.Enable(0, nil)
	run(t, m)
	return out.String()
}

func wantLines(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !strings.Contains(out, line+"\n") {
			t.Errorf("no line %q in\n%s", line, out)
		}
	}
}

// faulting enables paging over the first 4 MiB, takes a page fault at
// C0DE0000h, whose handler powers off, and before that a timer interrupt.
func faulting() Config {
	const directory = 0x300000
	code := slices.Concat(
		[]byte{0xbc, 0x00, 0x00, 0x20, 0x00}, // MOV ESP, stackAt
		store(idtAt+8*14, handlerAt&0xffff|0x10<<16), store(idtAt+8*14+4, 0x8e00|handlerAt&0xffff0000),
		[]byte{0x0f, 0x01, 0x1d, 0xf8, 0x07, 0x10, 0x00}, // LIDT [idtPtrAt]
		store(directory, 0x83), store(directory+4*(0xfec00000>>22), 0xfec00000|0x83),
		[]byte{0x0f, 0x20, 0xe0, 0x0c, 0x10, 0x0f, 0x22, 0xe0},                   // MOV EAX, CR4; OR AL, 10h; MOV CR4, EAX: PSE
		[]byte{0xb8, 0x00, 0x00, 0x30, 0x00, 0x0f, 0x22, 0xd8},                   // MOV EAX, directory; MOV CR3, EAX
		[]byte{0x0f, 0x20, 0xc0, 0x0d, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0}, // MOV EAX, CR0; OR EAX, PG; MOV CR0, EAX
		store(0xfee00080, 0x10),
		[]byte{0xa1, 0x20, 0x00, 0xe0, 0xfe}, // MOV EAX, [FEE00020h]
		[]byte{0xcd, 0x20},                   // INT 20h
		[]byte{0xa1, 0x00, 0x00, 0xde, 0xc0}, // MOV EAX, [C0DE0000h]
		halt)
	// The handler: CMP dword [ESP], 0: a page fault's error code is, an EIP is not.
	handler := slices.Concat([]byte{0x83, 0x3c, 0x24, 0x00, 0x74, 0x01, 0xcf}, powerOff, halt)
	return Config{Kernel: image(code, handler)}
}

func TestTracesOfTheProcessor(t *testing.T) {
	out := traced(t, trace.Exception|trace.Interrupt|trace.MMIO|trace.Paging|trace.Port, faulting())
	wantLines(t, out,
		"exceptions #PF vector 14 code 0x0000 cr2 0xc0de0000 at 0010:00100080 start+0x60",
		"interrupts software vector 0x20 at 0010:0010007e start+0x5e",
		"mmio write 0xfee00080 doubleword 0x00000010 at 0010:0010006f start+0x4f",
		"mmio read 0xfee00020 doubleword 0x00000000 at 0010:00100079 start+0x59",
		"paging CR3 0x00300000 at 0010:00100061 start+0x41",
		"paging CR0 0x80000011 at 0010:0010006c start+0x4c",
		"ports out 0x0604 word 0x2000 at 0010:0010070f handler+0xf",
	)
	if !strings.Contains(out, "paging fill 0x00100000 to 0x00100000 rwxs\n") {
		t.Errorf("no translation is told of:\n%s", out)
	}
}

func TestTraceOfAHardwareInterrupt(t *testing.T) {
	code := slices.Concat(
		out8(0x20, 0x11), out8(0x21, timerGate), out8(0x21, 0x04), out8(0x21, 0x01), out8(0x21, 0xfe), ticks())
	handler := slices.Concat([]byte{0x43}, out8(0x20, 0x20), []byte{0xcf})
	out := traced(t, trace.Interrupt|trace.PIC|trace.PIT|trace.Board, Config{Kernel: image(code, handler)})
	if n := strings.Count(out, "interrupts accept vector 0x20 at 0010:"); n < 3 {
		t.Errorf("%d interrupts are told of:\n%s", n, out)
	}
	for _, want := range []string{"pic acknowledge 0x0\n", "pit load ", "board power off 0010:"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestTraceOfInstructions(t *testing.T) {
	code := slices.Concat(
		[]byte{0xb9, 0x10, 0x00, 0x00, 0x00},             // MOV ECX, 16
		[]byte{0xbf, 0x00, 0x50, 0x00, 0x00, 0xf3, 0xaa}, // MOV EDI, 5000h; REP STOSB
		[]byte{0xeb, 0x01, 0x90}, powerOff, halt)         // JMP over NOP
	cfg := Config{Kernel: image(code, nil)}
	out := traced(t, trace.Instruction, cfg)
	const want = `instructions 0010:00100020 start+0x0          b910000000       mov ecx, 0x10
instructions 0010:00100025 start+0x5          bf00500000       mov edi, 0x5000
instructions 0010:0010002a start+0xa          f3aa             rep stosb byte ptr [edi]
instructions 0010:0010002c start+0xc          eb01             jmp 0x10002f  ; start+0xf
instructions 0010:0010002f start+0xf          66ba0406         mov dx, 0x604
instructions 0010:00100033 start+0x13         66b80020         mov ax, 0x2000
instructions 0010:00100037 start+0x17         66ef             out dx, ax
`
	if out != want {
		t.Errorf("traced\n%swant\n%s", out, want)
	}
	if out := traced(t, trace.Exception, cfg); out != "" {
		t.Errorf("instructions are traced without having been asked for:\n%s", out)
	}
}
