package interp

import (
	"testing"

	"github.com/gov86/gov86/cpu"
)

// newMachineOf is newMachine with a model.
func newMachineOf(t *testing.T, model string) *machine {
	t.Helper()
	p := newMachine(t)
	m, err := cpu.ModelByName(model)
	if err != nil {
		t.Fatal(err)
	}
	p.Model = m
	if model == "486" || model == "pentium" {
		p.CR4 = 0
	}
	return p
}

// Intel SDM Vol. 3B, "New Instructions In the Pentium and Later IA-32
// Processors", and the flags of CPUID that the manual names for later ones.
func TestEachModelKnowsItsInstructions(t *testing.T) {
	const (
		on486 = iota
		onPentium
		onPentium2
		onPentium4
		onMax
		nowhere
	)
	for _, c := range []struct {
		name  string
		since int
		code  []byte
	}{
		{"BSWAP EAX", on486, []byte{0x0f, 0xc8}},
		{"XADD EAX, EAX", on486, []byte{0x0f, 0xc1, 0xc0}},
		{"CMPXCHG EAX, EAX", on486, []byte{0x0f, 0xb1, 0xc0}},
		{"INVD", on486, []byte{0x0f, 0x08}},
		{"CPUID", on486, []byte{0x0f, 0xa2}},
		{"NOP", on486, []byte{0x90}},
		{"PAUSE", on486, []byte{0xf3, 0x90}},
		{"FLD1", on486, []byte{0xd9, 0xe8}},

		{"RDTSC", onPentium, []byte{0x0f, 0x31}},
		{"RDMSR", onPentium, []byte{0xb9, 0x10, 0, 0, 0, 0x0f, 0x32}},
		{"WRMSR", onPentium, []byte{0xb9, 0x10, 0, 0, 0, 0x0f, 0x30}},
		{"CMPXCHG8B [8000H]", onPentium, []byte{0x0f, 0xc7, 0x0d, 0, 0x80, 0, 0}},
		{"LOCK CMPXCHG8B [8000H]", onPentium, []byte{0xf0, 0x0f, 0xc7, 0x0d, 0, 0x80, 0, 0}},

		{"NOP [EAX]", onPentium2, []byte{0x0f, 0x1f, 0x00}},
		{"the hint 0F 1E", onPentium2, []byte{0xf3, 0x0f, 0x1e, 0xfb}},
		{"PREFETCHT0 [EAX]", onPentium2, []byte{0x0f, 0x18, 0x08}},
		{"CMOVZ EAX, EAX", onPentium2, []byte{0x0f, 0x44, 0xc0}},
		{"FCMOVB ST0, ST0", onPentium2, []byte{0xd9, 0xe8, 0xda, 0xc0}},
		{"FUCOMI ST0, ST0", onPentium2, []byte{0xd9, 0xe8, 0xdb, 0xe8}},
		{"EMMS", onPentium2, []byte{0x0f, 0x77}},
		{"PADDB MM0, MM0", onPentium2, []byte{0x0f, 0xfc, 0xc0}},
		{"MOVD MM0, EAX", onPentium2, []byte{0x0f, 0x6e, 0xc0}},
		{"FXSAVE [8000H]", onPentium2, []byte{0x0f, 0xae, 0x05, 0, 0x80, 0, 0}},

		{"ADDPS XMM0, XMM0", onPentium4, []byte{0x0f, 0x58, 0xc0}},
		{"PAVGB MM0, MM0", onPentium4, []byte{0x0f, 0xe0, 0xc0}},
		{"STMXCSR [8000H]", onPentium4, []byte{0x0f, 0xae, 0x1d, 0, 0x80, 0, 0}},
		{"SFENCE", onPentium4, []byte{0x0f, 0xae, 0xf8}},
		{"ADDPD XMM0, XMM0", onPentium4, []byte{0x66, 0x0f, 0x58, 0xc0}},
		{"PADDB XMM0, XMM0", onPentium4, []byte{0x66, 0x0f, 0xfc, 0xc0}},
		{"PADDQ MM0, MM0", onPentium4, []byte{0x0f, 0xd4, 0xc0}},
		{"PEXTRW EAX, XMM0, 0", onPentium4, []byte{0x66, 0x0f, 0xc5, 0xc0, 0}},
		{"MOVNTI [8000H], EAX", onPentium4, []byte{0x0f, 0xc3, 0x05, 0, 0x80, 0, 0}},
		{"LFENCE", onPentium4, []byte{0x0f, 0xae, 0xe8}},
		{"MFENCE", onPentium4, []byte{0x0f, 0xae, 0xf0}},
		{"CLFLUSH [8000H]", onPentium4, []byte{0x0f, 0xae, 0x3d, 0, 0x80, 0, 0}},

		{"HADDPS XMM0, XMM0", onMax, []byte{0xf2, 0x0f, 0x7c, 0xc0}},
		{"FISTTP [8000H]", onMax, []byte{0xd9, 0xee, 0xdb, 0x0d, 0, 0x80, 0, 0}},
		{"PSHUFB MM0, MM0", onMax, []byte{0x0f, 0x38, 0x00, 0xc0}},
		{"PSHUFB XMM0, XMM0", onMax, []byte{0x66, 0x0f, 0x38, 0x00, 0xc0}},
		{"PALIGNR MM0, MM0, 0", onMax, []byte{0x0f, 0x3a, 0x0f, 0xc0, 0}},
		{"PTEST XMM0, XMM0", onMax, []byte{0x66, 0x0f, 0x38, 0x17, 0xc0}},
		{"PEXTRW EAX, XMM0, 0 of SSE4.1", onMax, []byte{0x66, 0x0f, 0x3a, 0x15, 0xc0, 0}},
		{"PCMPGTQ XMM0, XMM0", onMax, []byte{0x66, 0x0f, 0x38, 0x37, 0xc0}},
		{"CRC32 EAX, EAX", onMax, []byte{0xf2, 0x0f, 0x38, 0xf1, 0xc0}},
		{"POPCNT EAX, EAX", onMax, []byte{0xf3, 0x0f, 0xb8, 0xc0}},
		{"MOVBE EAX, [8000H]", onMax, []byte{0x0f, 0x38, 0xf0, 0x05, 0, 0x80, 0, 0}},
		{"STAC", onMax, []byte{0x0f, 0x01, 0xcb}},
		{"CLAC", onMax, []byte{0x0f, 0x01, 0xca}},

		{"MONITOR", nowhere, []byte{0x0f, 0x01, 0xc8}},
		{"MWAIT", nowhere, []byte{0x0f, 0x01, 0xc9}},
		{"SYSCALL", nowhere, []byte{0x0f, 0x05}},
		{"UD2", nowhere, []byte{0x0f, 0x0b}},
		{"RSM", nowhere, []byte{0x0f, 0xaa}},
		{"XGETBV", nowhere, []byte{0x0f, 0x01, 0xd0}},
		{"RDTSCP", nowhere, []byte{0x0f, 0x01, 0xf9}},
		{"RDRAND EAX", nowhere, []byte{0x0f, 0xc7, 0xf0}},
	} {
		for i, model := range cpu.ModelNames() {
			want := noVector
			if i < c.since {
				want = cpu.VecUD
			}
			p := newMachineOf(t, model)
			p.FPU.Tag = 0xffff
			if got := p.run(c.code...); got != want {
				t.Errorf("%s, %s: exception %d, want %d", model, c.name, got, want)
			}
		}
	}
}

// SYSENTER without a code segment in its MSR, and counters that are not there,
// are general-protection faults of those who know the instructions.
func TestWhatTheP6FamilyBeganFaultsAnotherWayBefore(t *testing.T) {
	for model, want := range map[string]int{
		"486": cpu.VecUD, "pentium": cpu.VecUD, "pentium2": cpu.VecGP, "pentium4": cpu.VecGP, "max": cpu.VecGP,
	} {
		p := newMachineOf(t, model)
		p.faults(want, 0x0f, 0x34)
		p.faults(want, 0x0f, 0x35)
		p.faults(want, 0x0f, 0x33)
	}
}

// An instruction that the model lacks is an invalid opcode whatever CR0 says;
// one that it has asks CR0.EM and CR4.OSFXSR before CR0.TS.
func TestInvalidOpcodeComesBeforeDeviceNotAvailable(t *testing.T) {
	addps := []byte{0x0f, 0x58, 0xc0}
	paddb := []byte{0x0f, 0xfc, 0xc0}
	for _, c := range []struct {
		model    string
		code     []byte
		cr0, cr4 uint32
		want     int
	}{
		{"pentium2", addps, cpu.CR0TS, cpu.CR4OSFXSR, cpu.VecUD},
		{"pentium", paddb, cpu.CR0TS, 0, cpu.VecUD},
		{"pentium4", addps, 0, 0, cpu.VecUD},
		{"pentium4", addps, cpu.CR0TS, 0, cpu.VecUD},
		{"pentium4", addps, cpu.CR0TS | cpu.CR0EM, cpu.CR4OSFXSR, cpu.VecUD},
		{"pentium4", addps, cpu.CR0TS, cpu.CR4OSFXSR, cpu.VecNM},
		{"pentium4", addps, 0, cpu.CR4OSFXSR, noVector},
		{"pentium2", paddb, cpu.CR0EM, 0, cpu.VecUD},
		{"pentium2", paddb, cpu.CR0TS | cpu.CR0EM, 0, cpu.VecUD},
		{"pentium2", paddb, cpu.CR0TS, 0, cpu.VecNM},
		{"pentium2", paddb, 0, 0, noVector},
	} {
		p := newMachineOf(t, c.model)
		p.CR0 |= c.cr0
		p.CR4 = c.cr4
		if got := p.run(c.code...); got != c.want {
			t.Errorf("%s, % x, CR0 %#x, CR4 %#x: exception %d, want %d", c.model, c.code, c.cr0, c.cr4, got, c.want)
		}
	}
}

// What one block after another leads to must not depend on where the unknown
// instruction stands.
func TestAnUnknownInstructionWithinABlockFaultsAtItself(t *testing.T) {
	p := newMachineOf(t, "pentium")
	p.SetReg32(cpu.EAX, 5)
	// INC EAX; CMOVZ EAX, ECX; INC EAX
	p.faults(cpu.VecUD, 0x40, 0x0f, 0x44, 0xc1, 0x40)
	if p.Reg32(cpu.EAX) != 6 {
		t.Errorf("EAX is %d, want 6", p.Reg32(cpu.EAX))
	}
	if at := p.m.Read(0x7000-12, 4); at != codeAt+1 {
		t.Errorf("the fault is at %#x", at)
	}
}

// Programs tell the 486 by AC, and whoever has CPUID by ID, as both can be
// changed (Intel SDM Vol. 1, "EFLAGS Register").
func TestACAndIDCanBeChangedOnEveryModel(t *testing.T) {
	for _, model := range cpu.ModelNames() {
		p := newMachineOf(t, model)
		p.must(
			0x9c,                            // PUSHFD
			0x81, 0x34, 0x24, 0, 0, 0x24, 0, // XOR dword [ESP], AC and ID
			0x9d,       // POPFD
			0x9c, 0x58, // PUSHFD; POP EAX
		)
		const both = cpu.FlagAC | cpu.FlagID
		if got := p.Reg32(cpu.EAX) & both; got != both {
			t.Errorf("%s: of AC and ID only %#x can be set", model, got)
		}
	}
}
