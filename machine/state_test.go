package machine

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestTheStateHasEverything(t *testing.T) {
	code := slices.Concat(
		[]byte{0x0f, 0x20, 0xe0, 0x80, 0xcc, 0x02, 0x0f, 0x22, 0xe0}, // MOV EAX, CR4; OR AH, 2; MOV CR4, EAX: OSFXSR
		[]byte{0x0f, 0x20, 0xc0, 0x24, 0xf3, 0x0f, 0x22, 0xc0},       // MOV EAX, CR0; AND AL, F3h; MOV CR0, EAX: no EM, no TS
		[]byte{0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xee},                   // FNINIT; FLD1; FLDZ
		store(0x5000, 0x12345678),
		[]byte{0x0f, 0x12, 0x05, 0x00, 0x50, 0x00, 0x00},       // MOVLPS XMM0, [5000h]
		[]byte{0xb8, 0xef, 0xbe, 0xad, 0xde, 0x0f, 0x23, 0xd0}, // MOV EAX, DEADBEEFh; MOV DR2, EAX
		[]byte{0x90})
	m := newNamed(t, Config{Kernel: image(code, nil), Breaks: []uint32{uint32(codeAt + len(code) - 1)}})
	if ending := run(t, m); ending != Broke {
		t.Fatalf("ending %d", ending)
	}
	s := m.State([]Range{{At: 0x5000, Len: 6}, {At: 0x7ffffe, Len: 4, Physical: true}, {At: imageAt, Len: 4}})
	p := &s.Processor
	for _, c := range []struct{ name, got, want string }{
		{"EAX", string(p.EAX), "0xdeadbeef"},
		{"code", string(p.Code.Linear) + p.Code.Symbol, "0x00100050start+0x30"},
		{"CS", string(p.Segments.CS.Selector + p.Segments.CS.Base + p.Segments.CS.Limit + p.Segments.CS.Access),
			"0x00100x000000000xffffffff0xc09b"},
		{"CR0", string(p.Control.CR0), "0x00000011"},
		{"CR4", string(p.Control.CR4), "0x00000200"},
		{"DR2", string(p.Debug.DR2), "0xdeadbeef"},
		{"DR7", string(p.Debug.DR7), "0x00000400"},
		{"ST(0)", string(p.X87.ST[0]), "0x00000000000000000000"},
		{"ST(1)", string(p.X87.ST[1]), "0x3fff8000000000000000"},
		{"FCW", string(p.X87.Control), "0x037f"},
		{"XMM0", string(p.SSE.XMM[0][26:]), "12345678"},
		{"MXCSR", string(p.SSE.MXCSR), "0x00001f80"},
		{"APIC base", string(p.MSRs["IA32_APIC_BASE"]), "0x00000000fee00900"},
		{"linear memory", s.Memory[0].Bytes[:8], "78563412"},
		{"memory that ends", s.Memory[1].Space + s.Memory[1].Bytes, "physical0000"},
		{"the image", s.Memory[2].Bytes, "02b0ad1b"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %s, want %s", c.name, c.got, c.want)
		}
	}
	if p.X87.Top != 6 {
		t.Errorf("top %d", p.X87.Top)
	}
}

// TestTheStatesSchema holds the document to the names that docs/debugging.md
// promises.
func TestTheStatesSchema(t *testing.T) {
	m := newNamed(t, Config{Kernel: image(slices.Concat(out8(0x80, 1), powerOff, halt), nil)})
	run(t, m)
	b, err := json.Marshal(m.State([]Range{{At: 0x1000, Len: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(b, &document); err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	promised(t, string(guide), document)
	for _, path := range strings.Fields(`processor.eax processor.eip processor.eflags processor.cpl processor.halted
		processor.shutdown processor.code.linear processor.segments.es.selector processor.segments.cs.base
		processor.segments.tr.limit processor.segments.ldtr.access processor.segments.gs.usable processor.gdtr.base
		processor.idtr.limit processor.control.cr0 processor.debug.dr7 processor.msrs.IA32_EFER
		processor.msrs.IA32_MTRR_PHYSMASK7 processor.x87.control processor.x87.status processor.x87.tag
		processor.x87.opcode processor.x87.instruction processor.x87.instruction_selector processor.x87.operand
		processor.x87.operand_selector processor.x87.top processor.x87.st processor.sse.mxcsr processor.sse.xmm
		memory history`) {
		var at any = document
		for _, name := range strings.Split(path, ".") {
			object, _ := at.(map[string]any)
			if at = object[name]; at == nil {
				t.Errorf("there is no %s", path)
				break
			}
		}
	}
	if !strings.Contains(string(b), `{"kind":"out","port":"0x0080","value":"0x01","at":{"selector":"0x0010","eip":"0x00100026",`) {
		t.Errorf("the history does not have the write to port 80h:\n%s", b)
	}
	if !strings.Contains(string(b), `"memory":[{"space":"linear","address":"0x00001000","length":1,"bytes":"00"}]`) {
		t.Errorf("the memory is not as promised:\n%s", b)
	}
}

// promised checks that the guide has every name in v.
func promised(t *testing.T, guide string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			promised(t, guide, element)
		}
	case map[string]any:
		for name, value := range v {
			if !strings.Contains(guide, "`"+name+"`") && !strings.HasPrefix(name, "IA32_") {
				t.Errorf("docs/debugging.md does not say what %s is", name)
			}
			promised(t, guide, value)
		}
	}
}
