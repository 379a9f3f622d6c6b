package cpu

import portio "github.com/gov86/gov86/io"

// ReadPort reads n bytes, 1, 2 or 4, at a port. Whether the guest may is the caller's
// to check.
func (c *CPU) ReadPort(port uint16, n uint8) uint32 { return c.Pins.In(port, portio.Width(n)) }

// WritePort writes them.
func (c *CPU) WritePort(port uint16, n uint8, v uint32) { c.Pins.Out(port, portio.Width(n), v) }

// CheckIO checks an access to n ports from port on against IOPL and the I/O
// permission bitmap of the TSS (Intel SDM Vol. 1, "Protected-Mode I/O").
func (c *CPU) CheckIO(port uint16, n int) Trap {
	if c.CR0&CR0PE == 0 || !c.V86() && c.CPL <= c.IOPL() {
		return NoTrap
	}
	if !c.TR.Usable || c.TR.Access&8 == 0 || c.TR.Limit < 0x67 {
		return GP(0)
	}
	base, t := c.ReadLinear(Linear(c.TR.Base+0x66), 2, Implicit)
	if t != NoTrap {
		return t
	}
	// Two bytes are read always: the bits of an access may straddle them.
	at := base + uint32(port/8)
	if at+1 > c.TR.Limit {
		return GP(0)
	}
	bits, t := c.ReadLinear(Linear(c.TR.Base+at), 2, Implicit)
	if t != NoTrap {
		return t
	}
	if bits>>(port&7)&(1<<n-1) != 0 {
		return GP(0)
	}
	return NoTrap
}
