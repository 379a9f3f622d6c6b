package jit

import (
	"fmt"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// Where the jumps of these tests have what they use.
const (
	calleeAt  = codeAt + 0x200
	arriveAt  = codeAt + 0x3000 // the jumps lead there: PUSHFD; POP EDX; HLT
	pointerAt = dataAt + 0x40   // a pointer to arriveAt, and two bytes on another
)

// doubleword appends v to code.
func doubleword(code []byte, v uint32) []byte {
	return append(code, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

// jumpsWithFlags are ways to get to arriveAt, behind code that sets all flags.
// EAX is arriveAt, EBX dataAt, ECX four.
var jumpsWithFlags = []struct {
	name string
	code []byte
	// callee is what stands at calleeAt, with the flags set before it.
	callee []byte
	// fs is the descriptor that FS is loaded with.
	fs uint64
}{
	{name: "JMP EAX", code: []byte{0xff, 0xe0}},
	{name: "JMP [EBX+40H]", code: []byte{0xff, 0x63, 0x40}},
	{name: "JMP [EBX+ECX*4+30H]", code: []byte{0xff, 0x64, 0x8b, 0x30}},
	{name: "JMP [EBX+46H], not aligned", code: []byte{0xff, 0x63, 0x46}},
	{name: "JMP FS:[EBX+ECX*4+30H]", code: []byte{0x64, 0xff, 0xa4, 0x8b, 0x30, 0, 0, 0}},
	{name: "JMP FS:[40H] in a segment with a base", code: []byte{0x64, 0xff, 0x25, 0x40, 0, 0, 0}, fs: 0x00cf93080000ffff},
	{name: "JMP FS:[40H] in a segment with a limit", code: []byte{0x64, 0xff, 0x25, 0x40, 0, 0, 0}, fs: 0x0040930800000fff},
	{name: "CALL EAX", code: []byte{0xff, 0xd0}},
	{name: "CALL ECX, a register that is used", code: []byte{0x89, 0xc1, 0xff, 0xd1}},
	{name: "CALL [EBX+40H]", code: []byte{0xff, 0x53, 0x40}},
	{name: "CALL [EBX+46H], not aligned", code: []byte{0xff, 0x53, 0x46}},
	{name: "CALL FS:[EBX+ECX*4+30H]", code: []byte{0x64, 0xff, 0x94, 0x8b, 0x30, 0, 0, 0}},
	{name: "CALL FS:[40H] in a segment with a limit", code: []byte{0x64, 0xff, 0x15, 0x40, 0, 0, 0}, fs: 0x0040930800000fff},
	{name: "CALL arriveAt", code: []byte{0xe8, 0, 0, 0, 0}},
	{name: "PUSH EAX, RET", code: []byte{0x50, 0xc3}},
	{name: "PUSH EAX, RET 8", code: []byte{0x50, 0xc2, 8, 0}},
	{name: "PUSH, PUSH, POP, RET within a frame", code: []byte{0x50, 0x53, 0x5e, 0xc3}},
	{name: "RET with a stack that is not aligned", code: []byte{0x8d, 0x64, 0x24, 0xfe, 0x50, 0xc3}}, // LEA ESP, [ESP-2]
	{name: "POP FS, RET", code: []byte{0x50, 0x0f, 0xa0, 0x0f, 0xa1, 0xc3}},
	{name: "a RET behind its call", code: []byte{0xe8, 0, 0, 0, 0}, callee: []byte{0xc3}},
	{name: "a RET behind a call through a register", code: []byte{0xff, 0xd6}, callee: []byte{0xc3}},                 // CALL ESI
	{name: "a RET elsewhere than behind its call", code: []byte{0xff, 0xd6}, callee: []byte{0x89, 0x04, 0x24, 0xc3}}, // MOV [ESP], EAX
	{name: "a RET past an inner call", code: []byte{0xff, 0xd6, 0x90}, callee: []byte{
		0x8d, 0x76, 0x10, 0xff, 0xd6, 0xf4, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, // LEA ESI, [ESI+10H]; CALL ESI; HLT
		0x8d, 0x64, 0x24, 0x04, 0xc3}}, // LEA ESP, [ESP+4]; RET
}

// TestFlagsOutliveJumps: every combination of the status flags gets to where an
// indirect jump, a call or a return leads, while the table of jumps and the views
// do not know it yet, and when they do.
func TestFlagsOutliveJumps(t *testing.T) {
	for _, exact := range []bool{false, true} {
		for _, c := range jumpsWithFlags {
			t.Run(fmt.Sprintf("%s, exact %v", c.name, exact), func(t *testing.T) {
				r, e := newTranslated(t)
				if exact {
					e.Exact()
				}
				r.page()
				r.placeJump(c.code, c.callee)
				fs := uint16(16)
				if c.fs != 0 {
					r.m.Write64(gdtAt+24, c.fs)
					fs = 24
				}
				for n := range 4 * 64 {
					flags := combination(n % 64)
					r.m.Write(codeAt+1, 4, cpu.FlagOne|flags)
					if n&1 == 0 {
						r.TLB.Flush()
					}
					if n >= 128 && n < 192 {
						e.flush()
					}
					r.jumpWith(fs)
					if got := r.Reg32(cpu.EDX) & cpu.FlagsStatus; got != flags {
						t.Fatalf("round %d: flags %#x become %#x", n, flags, got)
					}
				}
			})
		}
	}
}

// combination is the nth of all combinations of the status flags.
func combination(n int) (flags uint32) {
	for i, f := range []uint32{cpu.FlagCF, cpu.FlagPF, cpu.FlagAF, cpu.FlagZF, cpu.FlagSF, cpu.FlagOF} {
		flags |= f * uint32(n>>i&1)
	}
	return flags
}

// placeJump writes code that sets flags and jumps, and what it leads to.
func (r *rig) placeJump(jump, callee []byte) {
	code := []byte{0x68, 0, 0, 0, 0, 0x9d} // PUSH flags; POPFD
	code = append(code, jump...)
	if jump[0] == 0xe8 {
		to := uint32(arriveAt)
		if callee != nil {
			to = calleeAt
		}
		code = doubleword(code[:7], to-(codeAt+11))
	}
	arrive := []byte{0x9c, 0x5a, 0xf4} // PUSHFD; POP EDX; HLT
	r.write(codeAt, append(code, arrive...)...)
	r.write(calleeAt, callee...)
	r.write(arriveAt, arrive...)
	for _, at := range []mem.Addr{pointerAt, pointerAt + 6} {
		r.m.Write(at, 4, arriveAt)
	}
}

// jumpWith runs what placeJump wrote, with a selector for FS.
func (r *rig) jumpWith(fs uint16) {
	r.t.Helper()
	r.start(codeAt)
	r.SetReg32(cpu.EAX, arriveAt)
	r.SetReg32(cpu.EBX, dataAt)
	r.SetReg32(cpu.ECX, 4)
	r.SetReg32(cpu.EDX, 0)
	r.SetReg32(cpu.ESI, calleeAt)
	if trap := r.LoadSegment(isa.FS, fs); trap != cpu.NoTrap {
		r.t.Fatal(trap)
	}
	if _, why := r.engine.Run(1000); why != cpu.Halted {
		r.t.Fatalf("%v at %#x", why, r.EIP)
	}
}

// TestAJumpThatFaultsHasDoneNothing: the handler finds the flags and the
// registers that the jump began with.
func TestAJumpThatFaultsHasDoneNothing(t *testing.T) {
	const away, table = 0x80000000, 0x8000
	for _, c := range []struct {
		name string
		code []byte
		esp  uint32
		cr2  uint32
	}{
		{"JMP", []byte{0xff, 0x26}, stackAt, away},               // JMP [ESI]
		{"CALL", []byte{0xff, 0x16}, stackAt, away},              // CALL [ESI]
		{"the push of CALL", []byte{0xff, 0x13}, away, away - 4}, // CALL [EBX]
		{"RET", []byte{0xc3}, away, away - 4},                    // where the push for the handler faults
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			r.page()
			r.mapPage(away+0x1000, dataAt, table) // the directory's entry, and nothing at away
			r.m.Write(dataAt, 4, arriveAt)
			r.write(codeAt, append([]byte{0x9e}, c.code...)...) // SAHF
			for n := range uint32(256) {
				r.start(codeAt)
				r.Shutdown = false
				for i := range uint8(8) {
					r.SetReg32(i, 0x1000*uint32(i)+n)
				}
				r.SetReg32(cpu.EAX, n<<8)
				r.SetReg32(cpu.ESI, away)
				r.SetReg32(cpu.EBX, dataAt)
				r.SetReg32(cpu.ESP, c.esp)
				before := r.GPR
				r.engine.Run(2)
				if r.CR2 != c.cr2 {
					t.Fatalf("it faults at %#x, want %#x", r.CR2, c.cr2)
				}
				if c.esp == stackAt {
					// The handler has a stack: there are the flags.
					before[cpu.ESP] -= 16
					got, want := r.m.Read(stackAt-4, 4), n&0xd5|cpu.FlagOne
					if got&(cpu.FlagsStatus|cpu.FlagOne) != want {
						t.Fatalf("flags %#x, want %#x", got, want)
					}
				}
				if r.GPR != before {
					t.Fatalf("registers %x, want %x", r.GPR, before)
				}
			}
		})
	}
}
