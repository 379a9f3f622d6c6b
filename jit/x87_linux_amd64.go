package jit

import (
	"encoding/binary"
	"runtime"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// The guest's x87 state, MMX included, in the host's FPU.
//
// It is loaded when a unit first needs it and stays there, also while Go runs,
// which never uses the x87: context.x87.live says so, and the thread is locked
// meanwhile. State.FPU is stale then, except for the pointers to the last
// instruction, which the host's FPU does not keep for us: some processors save
// them only with an exception pending. Before anything else reads or changes
// State.FPU, or uses the host's FPU, the state is stored.
//
// All exceptions of the guest are masked while it is live: what may raise one is
// left to the interpreter.

// Of the control and status words.
const (
	x87Masks = 0x3f
	statusES = 1 << 7
	topShift = 11
)

// An x87Image is what FNSAVE stores in 32-bit protected mode (Intel SDM Vol. 1,
// "Saving the x87 FPU's State").
type x87Image struct {
	control, _ uint16
	status, _  uint16
	tag, _     uint16
	_          [16]byte // the pointers
	st         [8][10]byte
}

// frstor loads the host's FPU.
//
//go:noescape
func frstor(image *x87Image)

// fnsave stores the host's FPU, and initializes it.
//
//go:noescape
func fnsave(image *x87Image)

// An x87Inst is an instruction that the x87 instruction pointer may point to.
type x87Inst struct {
	eip    uint32
	opcode uint16 // FOP
}

// maskedX87 reports whether no x87 exception of the guest is unmasked.
func maskedX87(f *cpu.FPU) bool { return f.Control&x87Masks == x87Masks && f.Status&statusES == 0 }

// touchesX87 reports whether the interpreter uses State.FPU, or the host's FPU,
// for in.
func touchesX87(in *isa.Inst) bool { return in.Op.Attr()&isa.X87 != 0 || in.MMX() }

// loadX87 moves the guest's x87 state into the host's FPU.
func (e *Engine) loadX87() {
	x := &e.region.x87
	if x.live != 0 {
		return
	}
	runtime.LockOSThread()
	f := &e.FPU
	image := x87Image{control: f.Control, status: f.Status, tag: f.Tag}
	for i := range image.st {
		r := &f.ST[(i+int(f.Status>>topShift))&7]
		binary.LittleEndian.PutUint64(image.st[i][:], r.Significand)
		binary.LittleEndian.PutUint16(image.st[i][8:], r.SignExponent)
	}
	frstor(&image)
	*x = x87Context{live: 1, selector: noData}
}

// storeX87 moves it back, if it is in the host's FPU, and leaves that as the
// interpreter wants it: empty.
func (e *Engine) storeX87() {
	if e.region.x87.live == 0 {
		return
	}
	e.notePointers()
	var image x87Image
	fnsave(&image)
	e.region.x87.live = 0
	runtime.UnlockOSThread()
	f := &e.FPU
	f.Control, f.Status = image.control, image.status
	empty := image.tag & (image.tag >> 1) & 0x5555
	f.Tag = 3 * empty
	for i := range image.st {
		r := &f.ST[(i+int(f.Status>>topShift))&7]
		r.Significand = binary.LittleEndian.Uint64(image.st[i][:])
		r.SignExponent = binary.LittleEndian.Uint16(image.st[i][8:])
	}
}

// notePointers brings the pointers to the last x87 instruction and its operand
// into State, while CS is the one that it was executed with.
func (e *Engine) notePointers() {
	x, f := &e.region.x87, &e.FPU
	if x.live == 0 {
		return
	}
	if x.last != 0 {
		in := &e.all[x.last>>siteBits].x87s[x.last%(1<<siteBits)]
		f.IP, f.CS = in.eip, e.Seg[isa.CS].Selector
		if e.RecordsFOP() {
			f.Opcode = in.opcode
		}
		x.last = 0
	}
	if x.selector != noData {
		f.DP, f.DS = x.data, uint16(x.selector)
		x.selector = noData
	}
}
