// Package ide is the IDE function of the PIIX3: two channels at the ports they
// have had since the PC AT, with two devices each and a bus master (Intel 290550
// "82371SB", "IDE Controller"), and the devices: disks and CD-ROM drives
// (ATA/ATAPI-7, MMC-4).
//
// A command runs as far as its medium lets it inside the port write that
// started it. What waits for the medium is part of the saved state, and is
// asked for again by Resume.
package ide

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
	"github.com/gov86/gov86/snapshot"
)

const (
	intel     = 0x8086
	deviceID  = 0x7010   // 82371SB function 1
	classIDE  = 0x010180 // legacy ports only, bus master
	barMaster = 4
	// IDETIM0 and IDETIM1: bit 15 has the channel decode its ports.
	timing       = 0x40
	timingDecode = 1 << 15
	slaveTiming  = 0x44
)

// A Kind is what a device is.
type Kind uint8

// The kinds of devices.
const (
	None Kind = iota
	Disk
	CDROM
)

// A Device says what is connected as one of the four devices.
type Device struct {
	Kind Kind
	// Medium is what a disk is, or what lies in a CD-ROM drive: nil for nothing.
	Medium hw.Medium
	// Serial is up to 20 characters, by which a guest tells its disks apart.
	Serial string
}

// A Controller is the function with its channels and devices.
type Controller struct {
	fn       *pci.Function
	channels [2]*channel
}

// New returns a controller with the devices 0 and 1 of the primary channel and
// then those of the secondary. lines are IRQ 14 and IRQ 15; the bus master's
// ports are first placed at at.
func New(lines [2]hw.Line, devices [4]Device, at uint16, dma mem.DMA) *Controller {
	c := &Controller{fn: pci.NewFunction(pci.Header{Vendor: intel, Device: deviceID, Class: classIDE})}
	for i := range c.channels {
		c.channels[i] = newChannel(lines[i], [2]Device(devices[2*i:]), dma)
	}
	c.fn.IO(barMaster, at, 2*bmLen, (*master)(c))
	c.fn.Allow(timing, 0xff, 0xf3, 0xff, 0xf3, 0xff)
	c.fn.Preset(timing, 0, timingDecode>>8, 0, timingDecode>>8)
	c.fn.Written = func(uint8, int) { c.decode() }
	c.Reset()
	return c
}

// Function is the PCI function, for the board to attach, reset and save.
func (c *Controller) Function() *pci.Function { return c.fn }

// decode follows IDETIM.
func (c *Controller) decode() {
	for i, ch := range c.channels {
		ch.decoded = c.fn.Config(uint8(timing+2*i), 2)&timingDecode != 0
	}
}

// Command answers the eight ports of channel i's command block.
func (c *Controller) Command(i int) portio.Handler { return (*commandBlock)(c.channels[i]) }

// Control answers the port of channel i's Device Control and Alternate Status.
func (c *Controller) Control(i int) portio.Handler { return (*controlBlock)(c.channels[i]) }

// Insert puts m into the CD-ROM drive that is device i of the four, or empties
// it when m is nil. It reports false, and asks the guest to let go, when the
// guest has locked the drive and force is not set.
func (c *Controller) Insert(i int, m hw.Medium, force bool) bool {
	d := c.channels[i/2].drives[i%2]
	if d.kind != CDROM {
		panic(fmt.Sprintf("BUG: device %d has no removable medium", i))
	}
	return d.insert(m, force)
}

// Reset implements hw.Device. The board resets the function.
func (c *Controller) Reset() {
	for _, ch := range c.channels {
		ch.reset()
		ch.decoded = true
	}
}

// Resume goes on with what waited for a medium when the state was saved. The
// board calls it when everything is loaded.
func (c *Controller) Resume() {
	c.decode()
	for _, ch := range c.channels {
		for _, d := range ch.drives {
			d.ask()
		}
		ch.pump()
	}
}

// state is what all channels and devices hold.
type state struct {
	channels [2]channelRegs
	drives   [4]driveRegs
}

func (s *state) sync(c *snapshot.Codec) {
	c.Version(1)
	for i := range s.channels {
		s.channels[i].sync(c)
	}
	for i := range s.drives {
		s.drives[i].sync(c)
	}
}

// Save implements hw.Device.
func (c *Controller) Save(s *snapshot.Codec) {
	var now state
	for i, ch := range c.channels {
		now.channels[i] = ch.channelRegs
		for k, d := range ch.drives {
			now.drives[2*i+k] = d.driveRegs
		}
	}
	now.sync(s)
}

// Load implements hw.Device.
func (c *Controller) Load(s *snapshot.Codec) error {
	var next state
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	for i := range next.drives {
		if err := next.drives[i].check(); err != nil {
			return fmt.Errorf("device %d: %w", i, err)
		}
	}
	for i, ch := range c.channels {
		ch.channelRegs = next.channels[i]
		for k, d := range ch.drives {
			d.epoch++
			d.driveRegs = next.drives[2*i+k]
		}
	}
	return nil
}

var _ hw.Device = (*Controller)(nil)
