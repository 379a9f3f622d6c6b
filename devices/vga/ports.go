package vga

import (
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/trace"
)

// The ports, as offsets from 3B0h. The CRT controller and its neighbours answer
// at 3Bxh or 3Dxh as Miscellaneous Output says.
const (
	portBase       = 0x3b0
	portMonoIndex  = 0x3b4 - portBase
	portMonoData   = 0x3b5 - portBase
	portMonoStatus = 0x3ba - portBase
	portAttr       = 0x3c0 - portBase
	portAttrData   = 0x3c1 - portBase
	portStatus0    = 0x3c2 - portBase // written: Miscellaneous Output
	portEnable     = 0x3c3 - portBase
	portSeqIndex   = 0x3c4 - portBase
	portSeqData    = 0x3c5 - portBase
	portDACMask    = 0x3c6 - portBase
	portDACRead    = 0x3c7 - portBase
	portDACWrite   = 0x3c8 - portBase
	portDACData    = 0x3c9 - portBase
	portFeature    = 0x3ca - portBase
	portMisc       = 0x3cc - portBase
	portGCIndex    = 0x3ce - portBase
	portGCData     = 0x3cf - portBase
	portIndex      = 0x3d4 - portBase
	portData       = 0x3d5 - portBase
	portStatus     = 0x3da - portBase // written: Feature Control
)

// Ports are the ranges of ports to claim for Registers, with how many each has.
var Ports = [...]struct {
	First uint16
	N     int
}{{0x3b4, 2}, {0x3ba, 1}, {0x3c0, 16}, {0x3d4, 2}, {0x3da, 1}}

// Registers answers the range of Ports that begins at first.
func (v *VGA) Registers(first uint16) portio.Handler { return &registers{v, uint8(first - portBase)} }

type registers struct {
	v    *VGA
	base uint8 // from 3B0h
}

// In implements portio.Handler. A wide access is one to each of its ports.
func (h *registers) In(off uint16, w portio.Width) uint32 {
	var value uint32
	for i := range uint16(w) {
		value |= uint32(h.v.in(h.base+uint8(off+i))) << (8 * i)
	}
	return value
}

// Out implements portio.Handler.
func (h *registers) Out(off uint16, w portio.Width, value uint32) {
	for i := range uint16(w) {
		h.v.out(h.base+uint8(off+i), uint8(value>>(8*i)))
	}
}

// moved is the port that p is where Miscellaneous Output puts the CRT
// controller, and whether it answers there.
func (v *VGA) moved(p uint8) (uint8, bool) {
	color := v.misc&miscColor != 0
	switch p {
	case portMonoIndex, portMonoData, portMonoStatus:
		return p + portIndex - portMonoIndex, !color
	case portIndex, portData, portStatus:
		return p, color
	}
	return p, true
}

// in reads a port, counted from 3B0h.
func (v *VGA) in(p uint8) uint8 {
	p, ok := v.moved(p)
	if !ok || v.enabled&1 == 0 && p != portEnable {
		return 0xff
	}
	switch p {
	case portAttr:
		return v.attr.index
	case portAttrData:
		return at(v.attr.r[:], v.attr.index&0x1f)
	case portStatus0:
		return status0Switch
	case portEnable:
		return v.enabled
	case portSeqIndex:
		return v.seq.index
	case portSeqData:
		return at(v.seq.r[:], v.seq.index)
	case portDACMask, portDACRead, portDACWrite, portDACData:
		return v.dac.in(p)
	case portFeature:
		return v.feature
	case portMisc:
		return v.misc
	case portGCIndex:
		return v.gc.index
	case portGCData:
		return at(v.gc.r[:], v.gc.index)
	case portIndex:
		return v.crtc.index
	case portData:
		return at(v.crtc.r[:], v.crtc.index)
	case portStatus:
		v.flipflop = false
		return v.status1()
	}
	return 0xff
}

// at is a register, and zero where there is none.
func at(r []uint8, i uint8) uint8 {
	if int(i) < len(r) {
		return r[i]
	}
	return 0
}

// put writes what can be written of a register and reports whether it changed.
func put(r, mask []uint8, i, b uint8) bool {
	if int(i) >= len(r) || r[i] == b&mask[i] {
		return false
	}
	r[i] = b & mask[i]
	return true
}

// out writes a port, counted from 3B0h.
func (v *VGA) out(p, b uint8) {
	p, ok := v.moved(p)
	if !ok || v.enabled&1 == 0 && p != portEnable {
		return
	}
	if trace.On(trace.VGA) {
		trace.Emit(trace.VGA, "out", uint64(p)+portBase, uint64(b))
	}
	switch p {
	case portAttr:
		v.outAttr(b)
	case portStatus0:
		v.misc = b
		v.remap()
	case portEnable:
		v.enabled = b & 1
		v.remap()
	case portSeqIndex:
		v.seq.index = b & 7
	case portSeqData:
		if put(v.seq.r[:], seqMask[:], v.seq.index, b) {
			v.remap()
		}
	case portDACMask, portDACRead, portDACWrite, portDACData:
		v.recolour = v.dac.out(p, b, v.dispi.wideDAC()) || v.recolour
	case portGCIndex:
		v.gc.index = b & 15
	case portGCData:
		if put(v.gc.r[:], gcMask[:], v.gc.index, b) {
			v.remap()
		}
	case portIndex:
		v.crtc.index = b & 0x1f
	case portData:
		v.outCRTC(b)
	case portStatus:
		v.feature = b & 0x0b
	}
	v.wake()
}

// outAttr is a write of the attribute controller's only port: the index, then
// the data, as the flip-flop has it. The palette takes no data while it is shown.
func (v *VGA) outAttr(b uint8) {
	v.flipflop = !v.flipflop
	if v.flipflop {
		v.attr.index = b & 0x3f
		return
	}
	i := v.attr.index
	if i&0x1f < 16 && i&attrPaletteSource != 0 {
		return
	}
	put(v.attr.r[:], attrMask[:], i&0x1f, b)
}

// outCRTC is a write of a CRT controller register. Protected, the first eight
// take nothing but the line compare bit.
func (v *VGA) outCRTC(b uint8) {
	i := v.crtc.index
	if v.crtc.r[crtRetraceEnd]&crtProtect != 0 && i <= crtOverflow {
		if i != crtOverflow {
			return
		}
		b = v.crtc.r[i]&^overflowLineCompare | b&overflowLineCompare
	}
	put(v.crtc.r[:], crtcMask[:], i, b)
}
