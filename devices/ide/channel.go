package ide

import (
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// channelRegs is all the guest can observe of a channel besides its devices.
type channelRegs struct {
	// device is Device as last written, control Device Control.
	device, control uint8
	// asserted is the level of the interrupt line.
	asserted bool
	bus      busRegs
}

func (r *channelRegs) sync(c *snapshot.Codec) {
	c.Uint8("device", &r.device)
	c.Uint8("control", &r.control)
	c.Bool("asserted", &r.asserted)
	r.bus.sync(c)
}

// A channel is a cable with up to two devices.
type channel struct {
	line    hw.Line
	dma     mem.DMA
	drives  [2]*drive
	decoded bool
	pumping bool
	channelRegs
}

func newChannel(line hw.Line, devices [2]Device, dma mem.DMA) *channel {
	c := &channel{line: line, dma: dma}
	for i, d := range devices {
		c.drives[i] = newDrive(c, uint8(i), d)
	}
	return c
}

func (c *channel) reset() {
	c.channelRegs = channelRegs{}
	for _, d := range c.drives {
		d.powerOn()
	}
}

// selected is the device that answers.
func (c *channel) selected() *drive { return c.drives[c.device>>4&1] }

// empty reports whether no device is on the cable.
func (c *channel) empty() bool { return c.drives[0].kind == None && c.drives[1].kind == None }

// update drives INTRQ: the selected device does, unless nIEN keeps it off the
// cable. The bus master sees it rise.
func (c *channel) update() {
	asserted := c.selected().intrq && c.control&controlNIEN == 0
	if asserted && !c.asserted {
		c.bus.status |= bmInterrupt
	}
	c.asserted = asserted
	c.line.Set(asserted)
}

type commandBlock channel

// In implements portio.Handler.
func (h *commandBlock) In(off uint16, w portio.Width) uint32 {
	c := (*channel)(h)
	if !c.decoded {
		return w.Mask()
	}
	if off == regData {
		return c.selected().readData(w)
	}
	var v uint32
	for i := range uint16(w) {
		v |= uint32(c.read(off+i)) << (8 * i)
	}
	return v
}

// floating is what is read from a cable without devices: DD7 is pulled down,
// so that nobody seems busy (ATA/ATAPI-7, "Signal descriptions").
const floating = 0x7f

func (c *channel) read(reg uint16) uint8 {
	d := c.selected()
	switch {
	case c.empty():
		return floating
	case reg == regStatus:
		v := c.status()
		d.intrq = false
		c.update()
		return v
	case d.kind == None:
		return 0 // device 0 answers for an absent device 1
	case reg == regError:
		return d.err
	case reg == regDevice:
		return c.device | deviceObsolete
	}
	return d.file[reg-regCount][c.control>>7]
}

// status is Alternate Status: reading it acknowledges nothing.
func (c *channel) status() uint8 {
	d := c.selected()
	switch {
	case c.empty():
		return floating
	case d.kind == None:
		return 0
	case c.control&controlSRST != 0:
		return statusBSY
	}
	return d.status
}

// Out implements portio.Handler.
func (h *commandBlock) Out(off uint16, w portio.Width, v uint32) {
	c := (*channel)(h)
	if !c.decoded {
		return
	}
	if off == regData {
		c.selected().writeData(w, v)
		return
	}
	for i := range uint16(w) {
		c.write(off+i, uint8(v>>(8*i)))
	}
}

// write is a write to a register, which both devices hear. While one is busy or
// wants data it does not listen, but to DEVICE RESET.
func (c *channel) write(reg uint16, v uint8) {
	if c.control&controlSRST != 0 {
		return
	}
	c.control &^= controlHOB
	switch reg {
	case regStatus:
		c.command(v)
		return
	case regDevice:
		c.device = v
		c.update()
		return
	}
	for _, d := range c.drives {
		switch {
		case d.status&statusBSY != 0:
		case reg == regError:
			d.feature = [2]uint8{v, d.feature[0]}
		default:
			f := &d.file[reg-regCount]
			*f = [2]uint8{v, f[0]}
		}
	}
}

func (c *channel) command(v uint8) {
	d := c.selected()
	if trace.On(trace.Disk) {
		trace.Emit(trace.Disk, "command", uint64(c.device>>4&1), uint64(v))
	}
	if v == cmdDiagnostic {
		for _, d := range c.drives {
			d.reset()
		}
		c.device = 0
		c.drives[0].interrupt()
		return
	}
	d.execute(v)
}

type controlBlock channel

// In implements portio.Handler.
func (h *controlBlock) In(uint16, portio.Width) uint32 {
	c := (*channel)(h)
	if !c.decoded {
		return 0xff
	}
	return uint32(c.status())
}

// Out implements portio.Handler.
func (h *controlBlock) Out(_ uint16, _ portio.Width, v uint32) {
	c := (*channel)(h)
	if !c.decoded {
		return
	}
	was := c.control
	c.control = uint8(v) & (controlHOB | controlSRST | controlNIEN)
	if was&controlSRST == 0 && c.control&controlSRST != 0 {
		for _, d := range c.drives {
			d.reset()
		}
		c.device = 0
	}
	c.update()
}
