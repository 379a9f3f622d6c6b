package i440fx

import (
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
)

// Registers of the host bridge (82441FX, "PCI Configuration Space Mapped
// Registers").
const (
	// PAM0 to PAM6, the attributes of memory from C0000h to FFFFFh: a nibble for
	// each region, the low one of PAM0 reserved.
	pam0   = 0x59
	pams   = 7
	pamRE  = 1 << 0 // reads are DRAM's
	pamWE  = 1 << 1
	smram  = 0x72
	dOpen  = 1 << 6 // DRAM shows below the frame buffer,
	dLock  = 1 << 4 // and never again until a reset
	smramE = 1 << 3
	// cBaseSegment is where SMRAM lies, A0000h to BFFFFh, and cannot be elsewhere.
	cBaseSegment = 0x02
)

// Where the ranges with attributes are.
const (
	smramAt    mem.Addr = 0xa0000
	smramSize           = 0x20000
	optionsAt  mem.Addr = 0xc0000 // the first of twelve regions of 16 KiB
	optionSize          = 0x4000
	systemAt   mem.Addr = 0xf0000
	systemSize          = 0x10000
)

// Whoever looks for fw_cfg looks for this subsystem first: firmware written for
// QEMU finds nothing of the machine without it.
const (
	subVendor = 0x1af4
	subDevice = 0x1100
)

// A Router directs the accesses to ranges of memory.
type Router interface {
	SetRoute(at mem.Addr, size uint64, r mem.Route)
}

// A Host is the host bridge, device 0 of the bus.
type Host struct {
	*pci.Function
	memory Router
}

// NewHost returns a host bridge that routes what its registers are about: the
// memory from A0000h to FFFFFh.
func NewHost(memory Router) *Host {
	f := pci.NewFunction(pci.Header{Vendor: intel, Device: hostID, Class: classHost, Revision: 2,
		SubVendor: subVendor, SubDevice: subDevice})
	f.Allow(pam0, 0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33)
	f.Preset(smram, cBaseSegment)
	f.Allow(smram, dOpen|dLock|smramE|1<<5)
	h := &Host{f, memory}
	f.Written = h.written
	return h
}

func (h *Host) written(off uint8, n int) {
	if off <= smram && int(off)+n > smram {
		h.lock()
	}
	if off <= smram && int(off)+n > pam0 {
		h.Remap()
	}
}

// lock keeps DRAM hidden once D_LCK is set.
func (h *Host) lock() {
	if v := uint8(h.Config(smram, 1)); v&dLock != 0 {
		h.SetConfig(smram, 1, uint32(v&^dOpen))
		h.Allow(smram, 0)
	}
}

// Reset implements hw.Device. It ends the lock of SMRAM, too.
func (h *Host) Reset() {
	h.Function.Reset()
	h.Allow(smram, dOpen|dLock|smramE|1<<5)
}

// Remap routes memory as the registers say, after a reset or a load.
func (h *Host) Remap() {
	h.memory.SetRoute(systemAt, systemSize, pamRoute(uint8(h.Config(pam0, 1)>>4)))
	for i := range uint8(2 * (pams - 1)) {
		nibble := uint8(h.Config(pam0+1+i/2, 1) >> (4 * (i % 2)))
		h.memory.SetRoute(optionsAt+mem.Addr(i)*optionSize, optionSize, pamRoute(nibble))
	}
	r := mem.Bus
	if h.Config(smram, 1)&(dOpen|smramE) == dOpen|smramE {
		r = mem.RAM
	}
	h.memory.SetRoute(smramAt, smramSize, r)
}

func pamRoute(attributes uint8) mem.Route {
	switch attributes & (pamRE | pamWE) {
	case pamRE:
		return mem.ReadRAM
	case pamWE:
		return mem.WriteRAM
	case pamRE | pamWE:
		return mem.RAM
	}
	return mem.Bus
}

// Shadow makes RAM of everything from C0000h on, as firmware leaves it when it
// has copied itself there.
func (h *Host) Shadow() {
	h.SetConfig(pam0, 1, 0x30)
	for i := range uint8(pams - 1) {
		h.SetConfig(pam0+1+i, 1, 0x33)
	}
	h.Remap()
}
