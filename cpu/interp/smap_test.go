package interp

import (
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// userAt is the user's page of a guarded machine.
const userAt = 0xb000

// newGuarded returns a machine with paging, SMEP and SMAP. All of memory is the
// supervisor's but one page.
func newGuarded(t *testing.T) *machine {
	t.Helper()
	const directory, table = 0x9000, 0xa000
	const present, writable, user = 1, 2, 4
	p := newMachine(t)
	p.m.Write(directory, 4, table|present|writable|user)
	for i := range mem.Addr(256) {
		p.m.Write(table+4*i, 4, uint32(i)<<12|present|writable)
	}
	p.m.Write(table+4*(userAt>>12), 4, userAt|present|writable|user)
	for _, trap := range []cpu.Trap{
		p.SetCR3(directory), p.SetCR4(p.CR4 | cpu.CR4SMEP | cpu.CR4SMAP), p.SetCR0(p.CR0 | cpu.CR0PG | cpu.CR0WP),
	} {
		if trap != cpu.NoTrap {
			t.Fatal(trap)
		}
	}
	return p
}

// pageFaults runs code that causes a page fault with an error code.
func (p *machine) pageFaults(code uint32, insts ...byte) {
	p.t.Helper()
	p.faults(cpu.VecPF, insts...)
	if got := p.m.Read(mem.Addr(p.Reg32(cpu.ESP)), 4); got != code {
		p.t.Errorf("% x: error code %#x, want %#x", insts, got, code)
	}
}

var (
	stac  = []byte{0x0f, 0x01, 0xcb}
	clac  = []byte{0x0f, 0x01, 0xca}
	load  = []byte{0xa1, 0x00, 0xb0, 0, 0} // MOV EAX, [B000H]
	store = []byte{0xa3, 0x00, 0xb0, 0, 0} // MOV [B000H], EAX
)

func TestSTACLetsASupervisorAtUserPages(t *testing.T) {
	p := newGuarded(t)
	p.m.Write(userAt, 4, 0x11223344)
	for range 2 { // the second time with what the TLB and the blocks remember
		p.pageFaults(1, load...)
		if p.CR2 != userAt {
			t.Errorf("CR2 is %#x", p.CR2)
		}
		p.pageFaults(3, store...)
		p.SetReg32(cpu.EAX, 0)
		p.must(join(stac, load, clac)...)
		if got := p.Reg32(cpu.EAX); got != 0x11223344 {
			t.Errorf("read %#x", got)
		}
		p.must(join(stac, store)...)
		if p.EFLAGS&cpu.FlagAC == 0 {
			t.Error("STAC leaves AC clear")
		}
		p.pageFaults(1, join(stac, load, clac, load)...)
	}
}

// The same block is executed with AC set, and then with AC clear.
func TestABlockIsNotBoundToAC(t *testing.T) {
	p := newGuarded(t)
	p.pageFaults(1, join(
		stac,
		[]byte{0xe8, 15, 0, 0, 0}, // CALL
		[]byte{0xe8, 10, 0, 0, 0}, // CALL
		clac,
		[]byte{0xe8, 2, 0, 0, 0}, // CALL
		[]byte{0xeb, 6},          // JMP to the end
		load, []byte{0xc3},       // MOV EAX, [B000H]; RET
	)...)
	if ret := p.m.Read(mem.Addr(p.Reg32(cpu.ESP))+16, 4); ret != codeAt+3+5+5+3+5 {
		t.Errorf("the call that faulted returns to %#x", ret)
	}
}

func TestPOPFSetsACForSupervisors(t *testing.T) {
	p := newGuarded(t)
	p.m.Write(userAt, 4, 7)
	p.must(join([]byte{0x68, 0x02, 0x00, 0x04, 0x00, 0x9d}, load)...) // PUSH 40002H; POPFD
	if p.Reg32(cpu.EAX) != 7 {
		t.Errorf("read %d", p.Reg32(cpu.EAX))
	}
}

func TestStringsObeySMAP(t *testing.T) {
	p := newGuarded(t)
	copyBytes := []byte{
		0xbe, 0x00, 0x80, 0, 0, // MOV ESI, 8000H
		0xbf, 0x00, 0xb0, 0, 0, // MOV EDI, B000H
		0xb9, 0x40, 0, 0, 0, // MOV ECX, 40H
		0xf3, 0xa4, // REP MOVSB
	}
	p.m.Write(dataAt+0x3c, 4, 0xa5a5a5a5)
	p.pageFaults(3, copyBytes...)
	if p.Reg32(cpu.ECX) != 0x40 {
		t.Errorf("%#x bytes are left", p.Reg32(cpu.ECX))
	}
	p.must(join(stac, copyBytes)...)
	if got := p.m.Read(userAt+0x3c, 4); got != 0xa5a5a5a5 {
		t.Errorf("copied %#x", got)
	}
}

func TestSMEPKeepsSupervisorsFromUserCode(t *testing.T) {
	p := newGuarded(t)
	p.m.Write(userAt, 1, 0xc3)                                                 // RET
	p.pageFaults(0x11, 0xb8, 0x00, 0xb0, 0, 0, 0xff, 0xd0)                     // MOV EAX, B000H; CALL EAX
	p.pageFaults(0x11, join(stac, []byte{0xb8, 0, 0xb0, 0, 0, 0xff, 0xd0})...) // AC does not help
	if trap := p.SetCR4(p.CR4 &^ cpu.CR4SMEP); trap != cpu.NoTrap {
		t.Fatal(trap)
	}
	p.must(0xb8, 0x00, 0xb0, 0, 0, 0xff, 0xd0)
}

func TestSTACAndCLACAreTheSupervisors(t *testing.T) {
	p := newGuarded(t)
	for _, op := range []isa.Op{isa.STAC, isa.CLAC} {
		for cpl := range uint8(4) {
			p.CPL = cpl
			want := cpu.UD()
			if cpl == 0 {
				want = cpu.NoTrap
			}
			if got := exec[op](p.Engine, &isa.Inst{Op: op}); got != want {
				t.Errorf("%v at privilege level %d: %v, want %v", op, cpl, got, want)
			}
		}
	}
}
