package jit

import (
	"encoding/binary"
	"runtime"
	"sync"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// at32 is a byte string with a doubleword.
func at32(v uint32, before ...byte) []byte { return binary.LittleEndian.AppendUint32(before, v) }

func join(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// counting is INC DWORD [pageAt]; MOV EAX, [pageAt]; HLT.
var counting = join(at32(pageAt, 0xff, 0x05), at32(pageAt, 0xa1), []byte{0xf4})

func TestAddressSpacesKeepTheirPagesApart(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.entry(tablesAt, pageAt, dataFrame|userPage)
		r.entry(otherTable, pageAt, dataFrame+0x1000|userPage)
		r.m.Write(dataFrame+0x1000, 4, 1000)
		r.write(codeAt, counting...)
		for n := range uint32(5) {
			r.SetCR3(pdAt)
			r.user(codeAt, halted)
			r.is("the first", cpu.EAX, n+1)
			r.SetCR3(otherPD)
			r.user(codeAt, halted)
			r.is("the second", cpu.EAX, n+1001)
		}
		if e, ok := r.engine.(*Engine); ok && (e.Stats.WindowsOpened < 2 || e.Stats.PagesHidden != 0 || e.Stats.WindowChecks < 8) {
			t.Errorf("%d windows, %d pages hidden, %d checks", e.Stats.WindowsOpened, e.Stats.PagesHidden, e.Stats.WindowChecks)
		}
	})
}

func TestAPageMovesWithINVLPG(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.write(codeAt, counting...)
		for n := range uint32(4) {
			r.m.Write(dataFrame+mem.Addr(n)<<12, 4, 100*n)
			r.entry(tablesAt, pageAt, dataFrame+n<<12|userPage)
			r.TLB.FlushPage(pageAt + 0x123)
			r.user(codeAt, halted)
			r.is("the page", cpu.EAX, 100*n+1)
		}
	})
}

func TestALargePageMovesWithINVLPG(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.write(codeAt, counting...)
		r.m.Write(pdAt+4, 4, userPage|1<<7) // 4 MiB at 0
		r.m.Write(0, 4, 7)
		r.user(codeAt, halted)
		r.is("the page", cpu.EAX, 8)
		r.entry(tablesAt, pageAt, dataFrame|userPage)
		r.m.Write(pdAt+4, 4, tablesAt|7)
		r.TLB.FlushPage(pageAt + 0x123456)
		r.user(codeAt, halted)
		r.is("the page", cpu.EAX, 1)
	})
}

// TestTablesThatChangeMeanwhile changes the entries of an address space while
// another is at hand.
func TestTablesThatChangeMeanwhile(t *testing.T) {
	for _, c := range []struct {
		name  string
		value uint32
		end   uint32
		eax   uint32
		after uint32 // the entry
	}{
		{"as before", dataFrame | userPage, halted, 8, dataFrame | userPage},
		{"moved", dataFrame + 0x1000 | userPage, halted, 71, dataFrame + 0x1000 | userPage},
		{"not present", 0, missed, 77, 0},
		{"read-only", dataFrame | userPage&^2, missed, 77, dataFrame | userPage&^2},
		{"the supervisor's", dataFrame | userPage&^4, missed, 77, dataFrame | userPage&^4},
		{"not accessed", dataFrame | userPage&^0x60, halted, 8, dataFrame | userPage},
		{"not dirty", dataFrame | userPage&^0x40, halted, 8, dataFrame | userPage},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, r *rig) {
				r.write(codeAt, counting...)
				r.entry(tablesAt, pageAt, dataFrame|userPage)
				r.m.Write(dataFrame, 4, 6)
				r.m.Write(dataFrame+0x1000, 4, 70)
				r.user(codeAt, halted)
				r.is("before", cpu.EAX, 7)
				r.SetCR3(otherPD)
				r.entry(tablesAt, pageAt, c.value)
				r.SetCR3(pdAt)
				r.SetReg32(cpu.EAX, 77)
				r.user(codeAt, c.end)
				r.is("afterwards", cpu.EAX, c.eax)
				if got := r.m.Read(tablesAt, 4); got != c.after {
					t.Errorf("the entry is %#x, want %#x", got, c.after)
				}
				if c.end == missed && r.CR2 != pageAt {
					t.Errorf("CR2 is %#x", r.CR2)
				}
			})
		})
	}
}

// TestCopyOnWrite has the handler of a page fault give the page another frame.
func TestCopyOnWrite(t *testing.T) {
	const handler = 0x12000
	bothWays(t, func(t *testing.T, r *rig) {
		r.entry(tablesAt, pageAt, dataFrame|userPage&^0x42)
		r.m.Write(dataFrame, 4, 41)
		r.m.Write(dataFrame+0x1000, 4, 41)
		r.m.Write64(idtAt+8*missed, handler&0xffff|8<<16|0x8e00<<32|handler>>16<<48)
		r.write(handler, join(
			at32(dataFrame+0x1000|7, at32(tablesAt, 0xc7, 0x05)...), // MOV DWORD [entry], frame
			at32(pageAt, 0x0f, 0x01, 0x3d),                          // INVLPG [pageAt]
			[]byte{0x83, 0xc4, 4, 0xcf})...)                         // ADD ESP, 4; IRET
		r.write(codeAt, join(at32(pageAt, 0x8b, 0x0d), counting)...) // MOV ECX, [pageAt]
		r.user(codeAt, halted)
		r.is("what was read", cpu.ECX, 41)
		r.is("what was written", cpu.EAX, 42)
		if a, b := r.m.Read(dataFrame, 4), r.m.Read(dataFrame+0x1000, 4); a != 41 || b != 42 {
			t.Errorf("the frames hold %d and %d", a, b)
		}
	})
}

// TestCodeIsWrittenThroughAnotherPage: a frame that a window lets be written is
// executed elsewhere, and written again.
func TestCodeIsWrittenThroughAnotherPage(t *testing.T) {
	const writeAt, runAt = pageAt, pageAt + 0x1000
	bothWays(t, func(t *testing.T, r *rig) {
		r.entry(tablesAt, writeAt, dataFrame|userPage)
		r.entry(tablesAt, runAt, dataFrame|userPage)
		r.write(dataFrame, 0xb8, 0, 0, 0, 0, 0xc3) // MOV EAX, imm; RET
		loop := join(
			at32(writeAt+1, 0x89, 0x0d), // MOV [writeAt+1], ECX
			at32(runAt, 0xbb),           // MOV EBX, runAt
			[]byte{0xff, 0xd3},          // CALL EBX
			[]byte{0x01, 0xc2, 0x49},    // ADD EDX, EAX; DEC ECX
			[]byte{0x75, 0xee},          // JNZ
			[]byte{0xf4})
		r.write(codeAt, loop...)
		for range 3 {
			r.SetReg32(cpu.ECX, 50)
			r.SetReg32(cpu.EDX, 0)
			r.user(codeAt, halted)
			r.is("the sum", cpu.EDX, 50*51/2)
		}
	})
}

// TestTheKernelReachesPagesOfTheUser, which its window does not show, in whatever
// address space is at hand.
func TestTheKernelReachesPagesOfTheUser(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		for p := range mem.Addr(1024) {
			r.m.Write(ptAt+4*p, 4, uint32(p)<<12|kernelPage)
		}
		r.entry(tablesAt, pageAt, dataFrame|userPage)
		r.entry(otherTable, pageAt, dataFrame+0x1000|userPage)
		r.m.Write(dataFrame+0x1000, 4, 1000)
		r.m.Write(dataAt, 4, 0)
		r.TLB.Flush()
		r.write(codeAt, join(at32(dataAt, 0xff, 0x05), counting)...) // INC DWORD [dataAt]
		for n := range uint32(5) {
			r.SetCR3(pdAt)
			r.run(codeAt, codeAt+uint32(len(counting))+5)
			r.is("the first", cpu.EAX, n+1)
			r.SetCR3(otherPD)
			r.run(codeAt, codeAt+uint32(len(counting))+5)
			r.is("the second", cpu.EAX, n+1001)
		}
		if got := r.m.Read(dataAt, 4); got != 10 {
			t.Errorf("the kernel's own page holds %d", got)
		}
		if e, ok := r.engine.(*Engine); ok && (e.Stats.SlowSites == 0 || e.Stats.PagesShown == 0) {
			t.Errorf("%d slow sites, %d pages", e.Stats.SlowSites, e.Stats.PagesShown)
		}
	})
}

// TestAccessesThatFaultChangeNothing faults in the second page, and before it, in
// windows and through the TLB.
func TestAccessesThatFaultChangeNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		end  uint32
		cr2  uint32
	}{
		{"a read across", at32(pageAt+0xffe, 0xa1), missed, pageAt + 0x1000},
		{"a write across", at32(pageAt+0xffd, 0xa3), missed, pageAt + 0x1000},
		{"ADC across", at32(pageAt+0xffd, 0x11, 0x0d), missed, pageAt + 0x1000},
		{"a push", []byte{0x89, 0xfc, 0x50}, missed, pageAt + 0x1ffc},                                       // MOV ESP, EDI
		{"the third push", []byte{0x8d, 0xa7, 0x08, 0x10, 0, 0, 0x50, 0x51, 0x52}, missed, pageAt + 0x2ffc}, // LEA ESP, [EDI+1008H]
		{"a push behind a local", []byte{0x8d, 0xa7, 0x08, 0x10, 0, 0, 0x50, 0x83, 0xec, 4, 0x89, 0x0c, 0x24, 0x52}, missed, pageAt + 0x2ffc},
		{"a push that ADC follows", []byte{0x8d, 0xa7, 0x08, 0x10, 0, 0, 0x83, 0xec, 4, 0x50, 0x52, 0x11, 0xd1}, missed, pageAt + 0x2ffc},
		{"a push beyond a jump", []byte{0x8d, 0xa7, 0x04, 0x10, 0, 0, 0x50, 0x73, 1, 0x51, 0x19, 0xd1}, missed, pageAt + 0x2ffc}, // JNC over PUSH; SBB
		{"a push where a jump leads", []byte{0x8d, 0xa7, 0x04, 0x10, 0, 0, 0x50, 0x72, 1, 0x5b, 0x51, 0x52}, missed, pageAt + 0x2ffc},
		{"a pop behind pops", []byte{0x89, 0xf4, 0x58, 0x5a, 0x81, 0xc4, 0xf8, 0x1e, 0, 0, 0x5b}, missed, pageAt + 0x2000}, // MOV ESP, ESI; ADD ESP, 1EF8H
		{"a pop", []byte{0x89, 0xfc, 0x58}, missed, pageAt + 0x2000},
		{"a pop of ESP", []byte{0x89, 0xfc, 0x5c}, missed, pageAt + 0x2000},
		{"a call", []byte{0x89, 0xfc, 0xe8, 0, 0, 0, 0}, missed, pageAt + 0x1ffc},
		{"a call through memory", []byte{0x89, 0xfc, 0xff, 0x16}, missed, pageAt + 0x1ffc},
		{"a return", []byte{0x89, 0xfc, 0xc3}, missed, pageAt + 0x2000},
		{"LEAVE", []byte{0x89, 0xfd, 0xc9}, missed, pageAt + 0x2000}, // MOV EBP, EDI
		{"a push of memory", []byte{0x89, 0xfc, 0xff, 0x36}, missed, pageAt + 0x1ffc},
		{"a pop to memory", []byte{0x8f, 0x07}, missed, pageAt + 0x2000},
		{"MOVSD", []byte{0xa5}, missed, pageAt + 0x2000},
		{"CMPSD", []byte{0xa7}, missed, pageAt + 0x2000},
		{"LODSB", []byte{0x89, 0xfe, 0xac}, missed, pageAt + 0x2000}, // MOV ESI, EDI
		{"MOV AH", []byte{0x89, 0xfc, 0x8a, 0x24, 0x24}, missed, pageAt + 0x2000},
		{"ADD DH", []byte{0x89, 0xfc, 0x02, 0x34, 0x24}, missed, pageAt + 0x2000},
		{"XCHG BH", []byte{0x89, 0xfc, 0x86, 0x3c, 0x24}, missed, pageAt + 0x2000},
		{"MOV BH by EBX", []byte{0x89, 0xfb, 0x29, 0xe3, 0x8a, 0x3c, 0x1c}, missed, pageAt + 0x2000}, // MOV EBX, EDI; SUB EBX, ESP; MOV BH, [ESP+EBX]
		{"BTS far away", []byte{0x0f, 0xab, 0x07}, missed, pageAt + 0x2000 + 0x08060402>>5<<2},
		{"CMPXCHG8B", []byte{0x0f, 0xc7, 0x0f}, missed, pageAt + 0x2000},
		{"MOVAPS that is not aligned", []byte{0x0f, 0x28, 0x46, 0x04}, halted, 0},
		{"through FS, which is null", []byte{0x31, 0xc9, 0x8e, 0xe1, 0x64, 0x8b, 0x06}, halted, 0}, // XOR ECX, ECX; MOV FS, ECX
		{"with an address of 16 bits", []byte{0xbb, 0, 0, 0, 0, 0x67, 0x8b, 0x87, 0, 0xd0}, missed, 0xd000},
		{"FLD", []byte{0xd9, 0x07}, missed, pageAt + 0x2000},
		{"PUSHF", []byte{0x89, 0xfc, 0x9c}, missed, pageAt + 0x1ffc},
		{"DIV", []byte{0xf7, 0x37}, missed, pageAt + 0x2000},
	} {
		t.Run(c.name, func(t *testing.T) {
			engines := []func(*cpu.CPU) (cpu.Engine, error){interpreted, translated}
			if LacksWindows() == nil {
				engines = append(engines, windowed)
			}
			rigs := make([]*rig, len(engines))
			for i, engine := range engines {
				r := newWindowed(t, engine)
				rigs[i] = r
				if e, ok := r.engine.(*Engine); ok {
					e.Exact() // the flags on the kernel's stack are compared too
				}
				r.entry(tablesAt, pageAt, dataFrame|userPage)
				r.entry(tablesAt, pageAt+0x3000, dataFrame+0x1000|userPage)
				r.m.Write(ptAt+4*0xd, 4, 0xd000|userPage&^4)
				r.write(dataFrame, make([]byte, 0x2000)...)
				r.write(dataFrame+0x100, 1, 2, 3, 4, 5, 6, 7, 8)
				// The accesses before show their pages; ADD and STC leave no flag open.
				r.write(codeAt, join([]byte{0x8b, 0x06, 0x89, 0x46, 0x04, 0x01, 0xc0, 0xf9}, c.code, []byte{0xf4})...)
				clear(r.GPR[:])
				for i, v := range map[uint8]uint32{cpu.EAX: 0x01020304, cpu.ECX: 0x11223344, cpu.EDX: 0x55667788, cpu.EBX: 0x99aabbcc,
					cpu.ESI: pageAt + 0x100, cpu.EDI: pageAt + 0x2000} {
					r.SetReg32(i, v)
				}
				r.user(codeAt, c.end)
				if c.end == missed && r.CR2 != c.cr2 {
					t.Errorf("CR2 is %#x, want %#x", r.CR2, c.cr2)
				}
			}
			for _, r := range rigs[1:] {
				same(t, c.name, r, rigs[0])
			}
		})
	}
}

// TestStepsBetweenPushesGoOn has the interpreter make an access while the stack
// pointer is behind: the TLB still has a page that is not accessed any more.
func TestStepsBetweenPushesGoOn(t *testing.T) {
	const other = pageAt + 0x5000
	bothWays(t, func(t *testing.T, r *rig) {
		r.entry(tablesAt, pageAt, dataFrame|userPage)
		r.entry(tablesAt, other, dataFrame+0x1000|userPage)
		r.m.Write(dataFrame+0x1000, 4, 77)
		r.write(codeAt, join(
			[]byte{0xbc}, at32(pageAt+0x100), // MOV ESP
			[]byte{0x50, 0x8b, 0x15}, at32(other), // PUSH EAX; MOV EDX, [other]
			[]byte{0x51, 0x8b, 0x1c, 0x24, 0x8d, 0x74, 0x24, 0x10}, // PUSH ECX; MOV EBX, [ESP]; LEA ESI, [ESP+10H]
			[]byte{0x5d, 0x5f, 0xf4})...)                           // POP EBP; POP EDI; HLT
		r.asUser(codeAt)
		if _, f := r.Translate(other, cpu.User); f != cpu.NoTrap {
			t.Fatal(f)
		}
		r.entry(tablesAt, other, dataFrame+0x1000|userPage&^0x20)
		r.SetReg32(cpu.EAX, 5)
		r.SetReg32(cpu.ECX, 6)
		r.toHalt(trapAt + 8*halted)
		for reg, want := range map[uint8]uint32{cpu.EDX: 77, cpu.EBX: 6, cpu.ESI: pageAt + 0x108, cpu.EBP: 6, cpu.EDI: 5} {
			r.is("between pushes", reg, want)
		}
	})
}

// TestAddressesComeRoundInAWindow adds up to beyond the last page, and reaches
// across its end, where the segment ends too.
func TestAddressesComeRoundInAWindow(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.m.Write(pdAt+4*1023, 4, otherTable|7)
		r.m.Write(otherTable+4*1023, 4, dataFrame|userPage)
		r.m.Write(0, 4, 0x88776655)
		r.write(codeAt,
			0xbe, 0xfe, 0xff, 0xff, 0xff, // MOV ESI, -2
			0xc6, 0x46, 0x01, 0x77, // MOV BYTE [ESI+1], 77H
			0x8b, 0x4e, 0x02, // MOV ECX, [ESI+2]
			0x8b, 0x44, 0x76, 0x06, // MOV EAX, [ESI+ESI*2+6]
			0x8b, 0x06) // MOV EAX, [ESI]
		for range 2 {
			r.user(codeAt, halted)
			r.is("beyond the end", cpu.ECX, 0x88776655)
			r.is("beyond it by far", cpu.EAX, 0x88776655)
			if got := r.m.Read(dataFrame+0xfff, 1); got != 0x77 {
				t.Errorf("the last byte is %#x", got)
			}
			if got := r.m.Read(kernelEnd-20, 4); got != codeAt+16 {
				t.Errorf("the fault is at %#x", got)
			}
		}
	})
}

// TestSegmentsWithABase are FS and GS, which become flat and not.
func TestSegmentsWithABase(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		r.entry(tablesAt, pageAt, dataFrame|userPage)
		for i := range mem.Addr(16) {
			r.m.Write(dataFrame+4*i, 4, uint32(i)+100)
		}
		r.write(codeAt,
			0x64, 0x8b, 0x43, 0x08, // MOV EAX, FS:[EBX+8]
			0x64, 0x8b, 0x4c, 0x53, 0xfc, // MOV ECX, FS:[EBX+EDX*2-4]
			0x64, 0x03, 0x05, 0, 0, 0, 0, // ADD EAX, FS:[0]
			0xf4)
		for range 2 {
			r.asUser(codeAt)
			r.Seg[isa.FS].Base = pageAt
			r.SetReg32(cpu.EBX, 4)
			r.SetReg32(cpu.EDX, 6)
			r.toHalt(trapAt + 8*halted)
			r.is("by a register", cpu.EAX, 103+100)
			r.is("by two", cpu.ECX, 103)
			r.asUser(codeAt)
			r.Seg[isa.FS].Base, r.Seg[isa.FS].Limit = pageAt, 7
			r.toHalt(trapAt + 8*halted)
			if got := r.m.Read(kernelEnd-20, 4); got != codeAt {
				t.Errorf("beyond the limit: the fault is at %#x", got)
			}
		}
	})
}

// TestWindowsOpenForWhatLives: one that lives gets a window, keeps it while its
// pages stay, and loses it when they do not.
func TestWindowsOpenForWhatLives(t *testing.T) {
	if err := LacksWindows(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	r := newWindowed(t, func(c *cpu.CPU) (cpu.Engine, error) {
		e, err := New(c)
		if err != nil {
			return nil, err
		}
		return e, e.Windows(WindowsAuto)
	})
	for n := range uint32(1024) {
		r.entry(tablesAt, pageAt+n<<12, dataFrame+n%256<<12|userPage)
	}
	// MOV ECX, [EBX]; INC EAX; JMP back.
	r.write(codeAt, 0x8b, 0x0b, 0x40, 0xeb, 0xfb)
	r.asUser(codeAt)
	r.SetReg32(cpu.EBX, pageAt)
	s := r.stats()
	r.engine.Run(openAfter / 2)
	if s.WindowsOpened != 0 {
		t.Error("a window for what has just begun")
	}
	r.engine.Run(openAfter)
	if s.WindowsOpened != 1 || s.Windowed == 0 || s.WindowsShut != 0 {
		t.Errorf("%d opened, %d shut, %d instructions", s.WindowsOpened, s.WindowsShut, s.Windowed)
	}
	for n := uint32(0); s.WindowsShut == 0; n++ {
		if n > 10_000 {
			t.Fatal("it keeps its window though its pages change all the time")
		}
		r.entry(tablesAt, pageAt, dataFrame+n%256<<12|userPage)
		r.TLB.FlushPage(pageAt)
		r.engine.Run(100)
	}
	if r.engine.Run(openAfter); s.WindowsOpened != 1 {
		t.Error("the next window comes as soon as the first")
	}
	if r.engine.Run(again * openAfter); s.WindowsOpened != 2 {
		t.Error("there is no second window")
	}
}

// TestGoPanicsAsEver: faults that are not about generated code are Go's, also on
// the thread that runs it.
func TestGoPanicsAsEver(t *testing.T) {
	bothWays(t, func(t *testing.T, r *rig) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		r.entry(tablesAt, pageAt, dataFrame|userPage)
		r.write(codeAt, counting...)
		for n := range uint32(3) {
			r.user(codeAt, halted)
			r.is("the page", cpu.EAX, n+1)
			if !panics(nil) {
				t.Error("a nil pointer leads somewhere")
			}
		}
	})
}

// panics reports whether to write to p panics.
func panics(p *int) (did bool) {
	defer func() { did = recover() != nil }()
	*p = 1
	return false
}

// TestMachinesHaveTheirOwnWindows runs several at once.
func TestMachinesHaveTheirOwnWindows(t *testing.T) {
	if err := LacksWindows(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	var all sync.WaitGroup
	for k := range uint32(6) {
		r := newWindowed(t, windowed)
		all.Go(func() {
			for n := range uint32(30) {
				frame := dataFrame + n%16<<12
				r.m.Write(mem.Addr(frame), 4, 1000*k+n)
				r.entry(tablesAt, pageAt, frame|userPage)
				r.TLB.FlushPage(pageAt)
				r.write(codeAt, counting...)
				r.user(codeAt, halted)
				r.is("its page", cpu.EAX, 1000*k+n+1)
			}
		})
	}
	all.Wait()
}
