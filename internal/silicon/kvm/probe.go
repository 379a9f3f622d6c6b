//go:build linux && amd64

package kvm

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// A Mode is a mode of the processor that KVM may treat differently: AMD's
// processors run all of them in a guest, Intel's first ones with VMX none
// without paging, and where there is no hardware to use KVM interprets.
type Mode uint8

// The modes.
const (
	Real        Mode = iota
	Unreal           // real mode with limits of 4 GiB
	Protected16      // level 0, 16-bit segments
	Protected32      // level 0, flat, without paging
	Paged            // level 0, flat, 32-bit paging
	User             // level 3 under 32-bit paging
	Virtual8086
	NumModes
)

var modeNames = [NumModes]string{
	"real mode", "real mode with large limits", "16-bit protected mode", "32-bit protected mode",
	"paged protected mode", "user mode", "virtual-8086 mode",
}

func (m Mode) String() string { return modeNames[m] }

// A Verdict is what Probe found of a mode.
type Verdict struct {
	Mode
	// Executes says that the processor itself runs guests in this mode.
	Executes bool
	// Why is what tells.
	Why string
}

func (v Verdict) String() string {
	if v.Executes {
		return fmt.Sprintf("%v: the processor executes it (%s)", v.Mode, v.Why)
	}
	return fmt.Sprintf("%v: no processor executes it (%s)", v.Mode, v.Why)
}

// Verdicts are those of all modes.
type Verdicts [NumModes]Verdict

// Executes reports whether the processor runs guests in every mode.
func (v Verdicts) Executes() bool {
	for i := range v {
		if !v[i].Executes {
			return false
		}
	}
	return true
}

func (v Verdicts) String() string {
	var lines []string
	for i := range v {
		lines = append(lines, v[i].String())
	}
	return strings.Join(lines, "\n")
}

// Probe finds out who executes guests here.
func Probe() (v Verdicts, err error) {
	for mode := range NumModes {
		if v[mode], err = probe(mode); err != nil {
			return v, fmt.Errorf("%v: %w", mode, err)
		}
	}
	return v, nil
}

// The tell-tale code ends in HLT, which level 3 refuses: then the handler of
// the exception has another.
var (
	// FLDPI, FSIN, FSTP ST(0), MOV AL, 1Ah, DAA, HLT: the interpreter in KVM
	// knows neither x87 arithmetic nor decimal adjustment.
	rare = []byte{0xd9, 0xeb, 0xd9, 0xfe, 0xdd, 0xd8, 0xb0, 0x1a, 0x27, 0xf4}
	// MOV AX, GS:[FFFFh], HLT: a translator below KVM may ignore limits.
	beyond16 = []byte{0x65, 0xa1, 0xff, 0xff, 0xf4}
	beyond32 = []byte{0x65, 0x66, 0xa1, 0xff, 0xff, 0, 0, 0xf4}
	// DEC CX, JNZ back, HLT, from CX = 0.
	loop16 = []byte{0x49, 0x75, 0xfd, 0xf4}
	loop32 = []byte{0x66, 0x49, 0x75, 0xfc, 0xf4}
)

const (
	loops = 1 << 16
	// slow is longer than a processor takes for a decrement and a jump even
	// when others share it, and a tenth of what the interpreter needs.
	slow = 20 * time.Nanosecond
)

// probe judges one mode.
func probe(mode Mode) (Verdict, error) {
	v := Verdict{Mode: mode}
	m, err := New(probeSize)
	if err != nil {
		return v, err
	}
	defer m.Close()
	r, end, err := m.try(mode, rare)
	switch {
	case err != nil:
		return v, err
	case end != "":
		v.Why = "rare instructions end in " + end
		return v, nil
	case r.RAX&0xff != 0x20:
		v.Why = fmt.Sprintf("DAA yields %#x", r.RAX&0xff)
		return v, nil
	}
	beyond, loop := beyond16, loop16
	if mode.code32() {
		beyond, loop = beyond32, loop32
	}
	if r, _, err = m.try(mode, beyond); err != nil {
		return v, err
	}
	if mode != Unreal && r.RAX != 0 {
		v.Why = "it reads beyond the limit of a segment"
		return v, nil
	}
	best := time.Hour
	for range 5 {
		start := time.Now()
		if _, end, err = m.try(mode, loop); err != nil || end != "" {
			v.Why = "a loop ends in " + end
			return v, err
		}
		best = min(best, time.Since(start)/loops)
	}
	v.Executes = best < slow
	v.Why = fmt.Sprintf("%v for a decrement and a jump", max(best, time.Nanosecond))
	return v, nil
}

// code32 reports whether mode has a code segment of 32 bits.
func (m Mode) code32() bool { return m == Protected32 || m == Paged || m == User }

// The memory of the probe.
const (
	probeSize  = 1 << 20
	probeStubs = 0x1000 // a HLT a vector, where the real-mode table leads as well
	probeIDT   = 0x2000
	probeGDT   = 0x3000
	probeTSS   = 0x4000
	probePages = 0x5000 // the page directory
	probeStack = 0x7000
	probeCode  = 0x8000
)

// try runs code in a mode; end is empty if that was its HLT, or how it ended.
func (m *VM) try(mode Mode, code []byte) (r Regs, end string, err error) {
	le := binary.LittleEndian
	for v := range 256 {
		at := probeStubs + v
		m.Memory[at] = 0xf4
		le.PutUint32(m.Memory[4*v:], uint32(at))
		le.PutUint64(m.Memory[probeIDT+8*v:], uint64(at)|8<<16|0x8e00<<32)
	}
	for i, d := range []uint64{0, 0x00cf9b000000ffff, 0x00cf93000000ffff} {
		le.PutUint64(m.Memory[probeGDT+8*i:], d)
	}
	le.PutUint32(m.Memory[probeTSS+4:], probeStack)
	le.PutUint32(m.Memory[probeTSS+8:], 0x10)
	le.PutUint32(m.Memory[probePages:], 0xe7) // 4 MiB, for everyone
	copy(m.Memory[probeCode:], code)
	copy(m.Memory[0xffff:], "beyond")
	s, err := m.Sregs()
	if err != nil {
		return r, "", err
	}
	mode.Enter(&s)
	if mode.code32() {
		s.GS.Limit, s.GS.G = 0xffff, 0
	}
	if err := m.SetSregs(s); err != nil {
		return r, fmt.Sprintf("a refused state (%v)", err), nil
	}
	r = Regs{RIP: probeCode, RSP: probeStack, RFLAGS: 2}
	if mode == Virtual8086 {
		r.RFLAGS |= 1 << 17
	}
	if err := m.SetRegs(r); err != nil {
		return r, "", err
	}
	x, err := m.Run(time.Second)
	if err != nil {
		return r, "", err
	}
	if r, err = m.Regs(); err != nil || x.Reason != Halted {
		return r, x.Reason.String(), err
	}
	last := uint64(probeCode + len(code))
	if mode >= User {
		last = probeStubs + 13 + 1 // HLT is privileged
	}
	if r.RIP != last {
		end = fmt.Sprintf("HLT at %#x", r.RIP-1)
	}
	return r, end, nil
}

// Enter makes s the state of a mode, with flat segments or those of real mode.
func (m Mode) Enter(s *Sregs) {
	const pe, pg, pse, fxsr = 1 << 0, 1 << 31, 1 << 4, 1 << 9
	data := Segment{Limit: 0xffff, Type: 3, S: 1, Present: 1}
	s.CR0 = 0x30 // ET, NE
	s.CR4 = fxsr
	s.IDT = Table{Limit: 0x3ff}
	if m > Unreal {
		s.CR0 |= pe
		s.IDT = Table{Base: probeIDT, Limit: 0x7ff}
	}
	if m >= Paged {
		s.CR0 |= pg
		s.CR3 = probePages
		s.CR4 |= pse
	}
	if m == Unreal || m.code32() {
		data.Limit, data.G = 0xffffffff, 1
	}
	if m.code32() {
		data.DB = 1
	}
	if m >= User {
		data.DPL = 3
	}
	code := data
	code.Type = 11
	switch m {
	case Protected16, Protected32, Paged:
		code.Selector, data.Selector = 8, 0x10
	case User:
		code.Selector, data.Selector = 0x1b, 0x23
	case Unreal:
		code.Limit, code.G = 0xffff, 0
	case Virtual8086:
		code.Type = 3
	}
	s.CS, s.SS, s.DS, s.ES, s.FS, s.GS = code, data, data, data, data, data
	s.GDT = Table{Base: probeGDT, Limit: 3*8 - 1}
	s.TR = Segment{Selector: 0x28, Base: probeTSS, Limit: 0x67, Type: 11, Present: 1}
	s.LDT = Segment{Type: 2, Unusable: 1}
}
