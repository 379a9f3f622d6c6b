package i440fx

import (
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

// Registers of the SMBus host (82371AB, "SMBus I/O Space Registers").
const (
	smbHstSts  = 0x00
	smbHstCnt  = 0x02
	smbHstCmd  = 0x03
	smbHstAdd  = 0x04
	smbHstDat0 = 0x05
	smbHstDat1 = 0x06
	smbusPorts = 16

	deviceError = 1 << 2 // status: nobody acknowledged the address
	statusClear = 0x1e   // status: what writing ones clears
	startCycle  = 1 << 6 // control: begin, always read as 0
)

// smbusRegs is all the guest can observe.
type smbusRegs struct {
	status, control, command, address, data0, data1 uint8
}

func (r *smbusRegs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8("SMBHSTSTS", &r.status)
	c.Uint8("SMBHSTCNT", &r.control)
	c.Uint8("SMBHSTCMD", &r.command)
	c.Uint8("SMBHSTADD", &r.address)
	c.Uint8("SMBHSTDAT0", &r.data0)
	c.Uint8("SMBHSTDAT1", &r.data1)
}

// An SMBus is the host of a bus with no device on it: every transfer ends at
// once, unanswered. The slave side is not modelled.
type SMBus struct{ smbusRegs }

var _ hw.Device = (*SMBus)(nil)

// NewSMBus returns an idle host.
func NewSMBus() *SMBus { return new(SMBus) }

// Reset implements hw.Device.
func (d *SMBus) Reset() { d.smbusRegs = smbusRegs{} }

// Save implements hw.Device.
func (d *SMBus) Save(c *snapshot.Codec) { d.sync(c) }

// Load implements hw.Device.
func (d *SMBus) Load(c *snapshot.Codec) error {
	var next smbusRegs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	d.smbusRegs = next
	return nil
}

// register is the register that is no more than a latch at off, nil for none.
func (d *SMBus) register(off uint16) *uint8 {
	switch off {
	case smbHstCmd:
		return &d.command
	case smbHstAdd:
		return &d.address
	case smbHstDat0:
		return &d.data0
	case smbHstDat1:
		return &d.data1
	}
	return nil
}

// In implements portio.Handler.
func (d *SMBus) In(off uint16, w portio.Width) uint32 {
	var v uint32
	for i := range uint16(w) {
		v |= uint32(d.read(off+i)) << (8 * i)
	}
	return v
}

func (d *SMBus) read(off uint16) uint8 {
	switch off {
	case smbHstSts:
		return d.status
	case smbHstCnt:
		return d.control
	}
	if r := d.register(off); r != nil {
		return *r
	}
	return 0
}

// Out implements portio.Handler.
func (d *SMBus) Out(off uint16, w portio.Width, v uint32) {
	for i := range uint16(w) {
		d.write(off+i, uint8(v>>(8*i)))
	}
}

func (d *SMBus) write(off uint16, b uint8) {
	switch off {
	case smbHstSts:
		d.status &^= b & statusClear
	case smbHstCnt:
		d.control = b &^ startCycle
		if b&startCycle != 0 {
			d.status |= deviceError
		}
	default:
		if r := d.register(off); r != nil {
			*r = b
		}
	}
}
