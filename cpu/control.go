package cpu

// cr0Valid are the bits of CR0 that have storage. Those of CR4 depend on the
// model.
const cr0Valid = CR0PE | CR0MP | CR0EM | CR0TS | CR0ET | CR0NE | CR0WP | CR0AM | CR0NW | CR0CD | CR0PG

// SetCR0 is MOV to CR0 (Intel SDM Vol. 2, "MOV—Move to/from Control Registers").
func (c *CPU) SetCR0(v uint32) Trap {
	if v&CR0PG != 0 && v&CR0PE == 0 || v&CR0NW != 0 && v&CR0CD == 0 {
		return GP(0)
	}
	v = v&cr0Valid | CR0ET
	changed := v ^ c.CR0
	// The PDPTEs follow CD and NW too (Intel SDM Vol. 3A, "PDPTE Registers").
	if v&CR0PG != 0 && changed&(CR0PG|CR0CD|CR0NW) != 0 && c.CR4&CR4PAE != 0 {
		if t := c.loadPDPTEs(c.CR3); t != NoTrap {
			return t
		}
	}
	c.CR0 = v
	c.tracePaging("CR0", v)
	if changed&(CR0PG|CR0WP|CR0PE) != 0 {
		c.TLB.Flush()
	}
	return NoTrap
}

// SetCR3 is MOV to CR3. Global pages stay.
func (c *CPU) SetCR3(v uint32) Trap {
	if c.CR0&CR0PG != 0 && c.CR4&CR4PAE != 0 {
		if t := c.loadPDPTEs(v); t != NoTrap {
			return t
		}
	}
	c.enterSpace(v)
	return NoTrap
}

// SetCR4 is MOV to CR4. Bits of features the model lacks are reserved.
func (c *CPU) SetCR4(v uint32) Trap {
	if v&^c.Model.cr4() != 0 {
		return GP(0)
	}
	changed := v ^ c.CR4
	if c.CR0&CR0PG != 0 && v&CR4PAE != 0 && changed&(CR4PAE|CR4PSE|CR4PGE) != 0 {
		if t := c.loadPDPTEs(c.CR3); t != NoTrap {
			return t
		}
	}
	c.CR4 = v
	c.tracePaging("CR4", v)
	if changed&(CR4PSE|CR4PAE|CR4PGE|CR4SMEP|CR4SMAP) != 0 {
		c.TLB.Flush()
	}
	return NoTrap
}
