package cpu

import "github.com/gov86/gov86/cpu/isa"

// The debug registers (Intel SDM Vol. 3B, "Debug Registers").
const (
	dr6B0  = 1 << 0
	dr6BD  = 1 << 13
	dr6BS  = 1 << 14
	dr6BT  = 1 << 15
	dr6One = 0xffff0ff0 // bits that read as one
	dr7One = 1 << 10
	// dr6Valid and dr7Valid are the bits that can be changed.
	dr6Valid = 0xf | dr6BD | dr6BS | dr6BT
	dr7Valid = 0xffff23ff
	dr7GD    = 1 << 13
	// dr7Enable are L0 to G3.
	dr7Enable = 0xff
	// dr7Local are L0 to L3 and LE, which a task switch clears.
	dr7Local = 0x155
)

// debugNumber resolves the aliases DR4 and DR5, and general detection.
func (c *CPU) debugNumber(n uint8) (uint8, Trap) {
	if n == 4 || n == 5 {
		if c.CR4&CR4DE != 0 {
			return 0, UD()
		}
		n += 2
	}
	if c.DR[7]&dr7GD != 0 {
		c.DR[6] |= dr6BD
		return 0, Exception(VecDB)
	}
	return n, NoTrap
}

// ReadDebug is MOV from a debug register.
func (c *CPU) ReadDebug(n uint8) (uint32, Trap) {
	n, t := c.debugNumber(n)
	if t != NoTrap {
		return 0, t
	}
	return c.DR[n], NoTrap
}

// WriteDebug is MOV to a debug register.
func (c *CPU) WriteDebug(n uint8, v uint32) Trap {
	n, t := c.debugNumber(n)
	if t != NoTrap {
		return t
	}
	switch n {
	case 6:
		v = v&dr6Valid | dr6One
	case 7:
		v = v&dr7Valid | dr7One
	}
	c.DR[n] = v
	return NoTrap
}

// breakpoint reports whether breakpoint i is enabled for accesses of kind rw,
// and its range.
func (c *CPU) breakpoint(i int, rw uint32) (first, last Linear, ok bool) {
	control := c.DR[7] >> (16 + 4*i) & 15
	if c.DR[7]>>(2*i)&3 == 0 || control&3 != rw {
		return 0, 0, false
	}
	n := control>>2 + 1
	if n == 3 {
		n = 8
	}
	at := Linear(c.DR[i])
	if rw != 0 {
		at &^= Linear(n - 1)
	}
	return at, at + Linear(n-1), true
}

// BeforeStep begins an instruction in ModeStep: it checks instruction
// breakpoints at EIP. RF lets one instruction pass. It is cleared before that
// instruction and not after it, since an IRET may load it for the next.
func (c *CPU) BeforeStep() Trap {
	c.unstepped = false
	if c.Shadow {
		return NoTrap // data breakpoints met by a load of SS are still pending
	}
	c.dataHits = 0
	if c.EFLAGS&FlagRF != 0 {
		c.EFLAGS &^= FlagRF
		return NoTrap
	}
	at := Linear(c.Seg[isa.CS].Base + c.EIP)
	hit := uint32(0)
	for i := range 4 {
		if first, _, ok := c.breakpoint(i, 0); ok && first == at {
			hit |= dr6B0 << i
		}
	}
	if hit == 0 {
		return NoTrap
	}
	c.DR[6] |= hit
	return Exception(VecDB)
}

// AfterStep ends an instruction in ModeStep; stepped says that TF was set when
// it began. INT n, INT3 and INTO clear TF and are not stepped: the handler's
// first instruction would be blamed for them.
func (c *CPU) AfterStep(stepped bool) Trap {
	hit := c.dataHits
	c.dataHits = 0
	if stepped && !c.unstepped {
		hit |= dr6BS
	}
	if hit == 0 {
		return NoTrap
	}
	c.DR[6] |= hit
	return AfterInstruction(VecDB)
}

// matching reports whether any access might meet a breakpoint.
func (c *CPU) matching() bool { return c.DR[7]&dr7Enable != 0 || len(c.Monitor.watchpoints) != 0 }

// MatchData notes the data breakpoints that an access of n bytes at l meets;
// AfterStep reports them. ReadLinear and WriteLinear call it, but not for
// system structures: an engine in ModeStep that makes no access of its own
// need not.
func (c *CPU) MatchData(l Linear, n int, write bool) {
	c.Monitor.watch(l, n, write)
	end := l + Linear(n-1)
	for i := range 4 {
		for _, rw := range []uint32{1, 3} {
			if rw == 1 && !write {
				continue
			}
			if first, last, ok := c.breakpoint(i, rw); ok && l <= last && first <= end {
				c.dataHits |= dr6B0 << i
			}
		}
	}
}

// MatchIO notes the I/O breakpoints that an access to n ports meets. Without
// CR4.DE there are none.
func (c *CPU) MatchIO(port uint16, n int) {
	if c.CR4&CR4DE == 0 {
		return
	}
	for i := range 4 {
		if first, last, ok := c.breakpoint(i, 2); ok && Linear(port) <= last && first <= Linear(port)+Linear(n-1) {
			c.dataHits |= dr6B0 << i
		}
	}
}
